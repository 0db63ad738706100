#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay that asks IMDS: the VPCs it names decide what capture.parity_filter leaves out."""
import json
import subprocess
import sys
import unittest

import frames as f
import program

MOCK = program.ROOT / "tests" / "stubs" / "imds" / "imds_mock.py"
T0 = 1_700_000_000 * 10**9


NAT = """
metadata:
  interfaces:
    eth0: {interface_id: eni-0nat, vpc_id: vpc-1, account_id: "111122223333", addresses: [10.0.0.220, "2001:db8::dc"],
           subnet_cidrs: [10.0.0.0/24], vpc_cidrs: [10.0.0.0/16]}
"""
NAT_FIELDS = "interface-id srcaddr dstaddr pkt-srcaddr pkt-dstaddr flow-direction tcp-flags"


def dns(server, port):
    return f.ip("10.0.1.10", server, 17, f.udp(port, 53, bytes(20)))


class Metadata(program.Case):
    def setUp(self):
        super().setUp()
        mock = subprocess.Popen([sys.executable, MOCK, "--port", "0"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(mock.stdout.close)
        self.addCleanup(mock.wait)
        self.addCleanup(mock.kill)
        self.port = mock.stdout.readline().split()[1]

    def replay(self, parity, packets):
        conf = self.file("fffa.yaml", "capture: {parity_filter: %s}\n"
                         "metadata: {imds: {enabled: on, endpoint: 'http://127.0.0.1:%s'}}\n"
                         'sinks: [{name: out, type: file, path: "-", format: json}]\n' % (parity, self.port))
        path = self.file("a.pcap", f.pcap([(T0 + i, f.eth(p)) for i, p in enumerate(packets)]))
        # The proxy of the environment would not answer, but it is not used.
        done = program.fffa("replay", "-c", conf, path, env={"http_proxy": "http://127.0.0.1:1", "no_proxy": "",
                                                             "NO_PROXY": ""})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ledger = program.ledger(done.stderr)
        return {r["dstaddr"]: r for r in map(json.loads, done.stdout.splitlines())}

    def test_the_resolver_of_the_vpc_is_left_out(self):
        # The mock's VPC has 10.0.0.0/16 and 10.7.0.0/20.
        packets = [dns(server, 40000) for server in ("10.0.0.2", "10.7.0.2", "10.0.1.2", "10.1.0.2", "8.8.8.8")]
        kept = self.replay("true", packets)
        self.assertEqual(set(kept), {"10.0.1.2", "10.1.0.2", "8.8.8.8"})
        self.assertEqual(self.ledger["filtered_packets"], 2)
        self.assertEqual({r["instance_id"] for r in kept.values()}, {"i-0123456789abcdef0"})
        self.assertEqual(len(self.replay("false", packets)), len(packets))

    def nat(self, *packets):
        """Replays as the NAT gateway's interface, whose sources are in 10.0.0.220 or the host behind it."""
        conf = self.file("nat.yaml", NAT + 'capture: {parity_filter: true}\nsinks: [{name: out, type: file, path: "-", '
                         'format: vpc, header: false, fields: "%s"}]\n' % " ".join("${%s}" % n for n in NAT_FIELDS.split()))
        path = self.file("a.pcap", f.pcap([(T0 + i, f.eth(p)) for i, p in enumerate(packets)]))
        return program.fffa("replay", "-c", conf, "--local", "10.0.0.220/32", path)

    def test_legs_of_a_nat_gateway_as_aws_writes_them(self):
        done = self.nat(f.ip("10.0.1.5", "203.0.113.5", 6, f.tcp(40000, 443, 0x10)),
                        f.ip("10.0.0.220", "203.0.113.5", 6, f.tcp(40001, 443, 0x02)),
                        f.ip("203.0.113.5", "10.0.0.220", 17, f.udp(443, 40001)),
                        f.ip("fe80::1", "ff02::1:ff00:1", 58, f.icmp(135, 0, 20)))
        self.assertEqual(sorted(done.stdout.splitlines()), sorted((
            "eni-0nat 10.0.1.5 10.0.0.220 10.0.1.5 203.0.113.5 ingress 0",
            "eni-0nat 10.0.0.220 203.0.113.5 10.0.0.220 203.0.113.5 egress 2",
            "eni-0nat 203.0.113.5 10.0.0.220 203.0.113.5 10.0.0.220 ingress 0",
            "eni-0nat fe80::1 ff02::1:ff00:1 fe80::1 ff02::1:ff00:1 ingress 0")), done.stderr)

    def test_router_and_resolver_are_left_out(self):
        done = self.nat(*(dns(server, 40000) for server in ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.1.1")))
        self.assertEqual({line.split()[4] for line in done.stdout.splitlines()}, {"10.0.0.3", "10.0.1.1"}, done.stderr)
        self.assertEqual(program.ledger(done.stderr)["filtered_packets"], 2)


if __name__ == "__main__":
    unittest.main()
