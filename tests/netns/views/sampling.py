#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""capture.sample and capture.parity_filter on real packets: sampling.py FFFA tc|xdp"""

import math
import os
import sys
import unittest

import netns_fixture  # first: it says where the others lie
import lab as L
import wire

FFFA, HOOK = "", ""
PACKETS, N = 20000, 4
MOCK = os.path.join(netns_fixture.HERE, "..", "..", "stubs", "imds", "imds_mock.py")

# Datagrams to addresses behind the peer, which forwards nothing and answers nothing.
SEND = """
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for i in range(int(sys.argv[2])):
    s.sendto(b"x" * 72, (sys.argv[1] + str(i % 200 + 1), 9000 + i % 7))
"""

# Packets like those of DHCP clients and servers, to addresses that answer nothing.
DHCP = """
import socket
for family, client, server, to in ((socket.AF_INET, 68, 67, "10.77.0.1"), (socket.AF_INET6, 546, 547, "fd77::1")):
    for sport, dport in ((client, server), (server, client)):
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind(("", sport))
        for _ in range(5):
            s.sendto(b"d" * 300, (to, dport))
"""
ASK = """
import urllib.request
url = "http://169.254.169.254/latest/"
ask = urllib.request.build_opener(urllib.request.ProxyHandler({})).open
token = ask(urllib.request.Request(url + "api/token", method="PUT",
            headers={"X-aws-ec2-metadata-token-ttl-seconds": "60"}), timeout=10).read().decode()
for name in ("instance-id", "mac", "placement/region"):
    ask(urllib.request.Request(url + "meta-data/" + name, headers={"X-aws-ec2-metadata-token": token}), timeout=10).read()
"""


def left_out(key):
    return (L.METADATA in (key.src, key.dst)
            or key.proto == 17 and {key.sport, key.dport} in ({67, 68}, {546, 547}))


class Sampling(unittest.TestCase):
    def plausible(self, got, of):
        sigma = math.sqrt(of / N * (1 - 1 / N))
        self.assertLess(abs(got - of / N), 6 * sigma)

    def test_one_in_four(self):
        with L.Lab(offloads=False) as lab:
            netns_fixture.quiet(lab)
            L.sh("ip", "-n", lab.host, "route", "add", "10.77.0.0/16", "via", L.PEER4)
            L.sh("ip", "-n", lab.peer, "route", "add", "10.78.0.0/16", "via", L.HOST4)
            before = netns_fixture.sent(lab)
            agent = netns_fixture.Agent(lab, FFFA, f"hook: {HOOK}, sample: {N}")
            netns_fixture.python(lab, lab.host, SEND, "10.77.0.", PACKETS)
            netns_fixture.python(lab, lab.peer, SEND, "10.78.0.", PACKETS)
            ledger = agent.end(self)
            egress, ingress = netns_fixture.sent_since(lab, self, before, (PACKETS, PACKETS))
            self.assertEqual(ledger["seen_packets"] + ledger["not_sampled"], egress + ingress)
            self.assertEqual(ledger["lost_packets"], 0)
            records = agent.records()
            self.assertEqual({r["sampled"] for r in records}, {N})
            for direction, frames in (("ingress", ingress), ("egress", egress)):
                mine = [r for r in records if r["flow_direction"] == direction]
                self.plausible(sum(r["packets"] for r in mine), frames)
                self.assertEqual({r["bytes"] / r["packets"] for r in mine}, {100})


class Parity(unittest.TestCase):
    def test_what_aws_leaves_out(self):
        with L.Lab(offloads=False) as lab:
            # The metadata service is on the peer, so that the agent sees the requests to it.
            L.sh("ip", "-n", lab.host, "addr", "del", L.METADATA + "/32", "dev", "lo")
            L.sh("ip", "-n", lab.host, "route", "add", L.METADATA, "via", L.PEER4)
            L.sh("ip", "-n", lab.peer, "addr", "add", L.METADATA + "/32", "dev", "lo")
            L.sh("ip", "-n", lab.host, "route", "add", "10.77.0.0/16", "via", L.PEER4)
            L.sh("ip", "-n", lab.host, "-6", "route", "add", "fd77::/64", "via", L.PEER6)
            mock = lab.start(lab.peer, "mock", "/usr/bin/python3", MOCK, "--listen", L.METADATA, "--port", "80", "--mac",
                             L.HOST_MAC)
            mock.await_line("ready")
            agent = netns_fixture.Agent(lab, FFFA, f"hook: {HOOK}, parity_filter: true")
            dump = netns_fixture.Dump(lab)
            netns_fixture.python(lab, lab.host, ASK)
            netns_fixture.python(lab, lab.host, DHCP)
            netns_fixture.python(lab, lab.host, SEND, "10.77.0.", 50)
            lab.run(lab.host, "ping", "-c", "3", "-i", "0.01", "-q", L.PEER6)
            flows = wire.flows_of(dump.end(self), L.HOST_MAC)
            ledger = agent.end(self)
            self.expect(flows, ledger, agent.records())

    def expect(self, flows, ledger, records):
        out = {k: f for k, f in flows.items() if left_out(k)}
        services = {(k.dport if k.egress else k.sport) for k in out}
        self.assertLessEqual({80, 67, 68, 546, 547}, services)
        self.assertTrue(any(not k.egress and k.sport == 80 for k in out), "the answers of the service are seen")
        self.assertEqual((ledger["filtered_packets"], ledger["filtered_bytes"]),
                         (sum(f.packets for f in out.values()), sum(f.bytes for f in out.values())))
        got = {}
        for r in records:
            key = wire.Key(r["srcaddr"], r["dstaddr"], r["srcport"], r["dstport"], r["protocol"],
                           r["flow_direction"] == "egress")
            self.assertFalse(left_out(key), r)
            old = got.get(key, (0, 0))
            got[key] = (old[0] + r["packets"], old[1] + r["bytes"])
        # The test leaves out of the capture the kernels' own messages, which come from link-local addresses.
        got = {k: v for k, v in got.items() if k in flows or not k.src.startswith("fe80")}
        want = {k: (f.packets, f.bytes) for k, f in flows.items() if not left_out(k)}
        self.assertGreater(len(want), 50)
        self.assertEqual(got, want)


if __name__ == "__main__":
    netns_fixture.main(unittest, sys.modules[__name__])
