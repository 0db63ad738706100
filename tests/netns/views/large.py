#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Packets larger than a buffer and larger than the link: large.py FFFA tc|xdp

Jumbo frames, which XDP gets in several buffers, and IP fragments, compared with tcpdump and tshark.
"""

import signal
import sys
import unittest

import netns_fixture  # first: it says where the others lie
import fragment_wire
import lab as L
import wire

FFFA, HOOK = "", ""

SEND = """
import socket, sys
for target, family in zip(sys.argv[1:3], (socket.AF_INET, socket.AF_INET6)):
    for port in (9001, 9002):
        s = socket.socket(family, socket.SOCK_DGRAM)
        for i in range(int(sys.argv[3])):
            s.sendto(b"u" * (int(sys.argv[4]) + i), (target, port))
"""
SINK = """
import select, socket
all = []
for port in (9001, 9002):
    s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    s.bind(("::", port))
    all.append(s)
print("bound", flush=True)
while True:
    for s in select.select(all, [], [])[0]:
        s.recv(65536)
"""


def ours(key):
    tests = (L.HOST4, L.PEER4, L.HOST6, L.PEER6)
    return key[0] in tests and key[1] in tests


def sums(records, key_of):
    got = {}
    for r in records:
        key = key_of(r)
        if ours(key):
            old = got.get(key, (0, 0))
            got[key] = (old[0] + r["packets"], old[1] + r["bytes"])
    return got


class Large(unittest.TestCase):
    maxDiff = None

    def datagrams(self, lab, count, size):
        for ns in (lab.host, lab.peer):
            lab.start(ns, "sink-" + ns, "/usr/bin/python3", "-c", SINK).await_line("bound")
        netns_fixture.python(lab, lab.host, SEND, L.PEER4, L.PEER6, count, size)
        netns_fixture.python(lab, lab.peer, SEND, L.HOST4, L.HOST6, count, size)

    def pings(self, lab, size):
        for ns, targets in ((lab.host, (L.PEER4, L.PEER6)), (lab.peer, (L.HOST4, L.HOST6))):
            for target in targets:
                lab.run(ns, "ping", "-c", "10", "-i", "0.01", "-q", "-s", str(size), target)

    def test_jumbo_frames(self):
        with L.Lab(offloads=False) as lab:
            for ns, dev in ((lab.host, "v0"), (lab.peer, "v1")):
                L.sh("ip", "-n", ns, "link", "set", dev, "mtu", "9000")
            agent = netns_fixture.Agent(lab, FFFA, f"hook: {HOOK}")
            dump = netns_fixture.Dump(lab)
            iperf = L.Iperf(lab)
            for target in (L.PEER4, L.PEER6):
                iperf.run("-c", target, "-n", "4M")
                iperf.run("-c", target, "-n", "4M", "-R")
            iperf.server.end(signal.SIGTERM)
            self.datagrams(lab, 40, 8800)
            self.pings(lab, 8000)
            flows = {k: f for k, f in wire.flows_of(dump.end(self), L.HOST_MAC).items() if ours(k)}
            ledger = agent.end(self)
            for egress in (False, True):
                jumbo = [k for k, f in flows.items() if k.egress == egress and f.bytes / f.packets > 8000]
                self.assertGreaterEqual({k.proto for k in jumbo}, {6, 17})
            got = sums(agent.records(), lambda r: wire.Key(
                r["srcaddr"], r["dstaddr"], r["srcport"], r["dstport"], r["protocol"], r["flow_direction"] == "egress"))
            self.assertEqual(got, {k: (f.packets, f.bytes) for k, f in flows.items()})
            self.assertEqual(ledger["lost_packets"], 0)
            self.expect_hooks(agent.records())

    def expect_hooks(self, records):
        self.assertEqual({(r["flow_direction"], r["hook"]) for r in records}, {("ingress", HOOK), ("egress", "tc")})

    def test_fragments_are_in_the_flow_of_their_datagram(self):
        with L.Lab(offloads=False) as lab:
            agent = netns_fixture.Agent(lab, FFFA, f"hook: {HOOK}")
            dump = netns_fixture.Dump(lab)
            self.datagrams(lab, 40, 4000)
            self.pings(lab, 4000)
            want, orphans = fragment_wire.sums_of(dump.end(self))
            ledger = agent.end(self)
            want = {k: v for k, v in want.items() if ours(k)}
            udp = [k for k in want if k[4] == "17"]
            self.assertEqual(len(udp), 8)
            self.assertEqual({want[k][0] for k in udp}, {3 * 40}, "each datagram is three packets, all in one flow")
            got = sums(agent.records(), lambda r: tuple(
                str(r.get(name, 0)) for name in ("srcaddr", "dstaddr", "srcport", "dstport", "protocol")))
            self.assertEqual(got, want)
            self.assertEqual((orphans, ledger.get("no_first_fragment", 0), ledger["lost_packets"]), (0, 0, 0))
            self.expect_echoes(agent.records())
            self.expect_hooks(agent.records())

    def expect_echoes(self, records):
        """Later fragments carry no ICMP type; they get that of their first fragment."""
        for proto, kinds in ((1, {8, 0}), (58, {128, 129})):
            mine = [r for r in records if r["protocol"] == proto and ours((r["srcaddr"], r["dstaddr"]))]
            self.assertEqual({r["icmp_type"] for r in mine}, kinds)
            for kind in kinds:
                # Ten in each direction, three fragments each; the last packet of a capture is one IPv4 packet more each way.
                packets = sum(r["packets"] for r in mine if r["icmp_type"] == kind)
                self.assertEqual(packets, 2 * 30 + (proto == 1), kind)


if __name__ == "__main__":
    netns_fixture.main(unittest, sys.modules[__name__])
