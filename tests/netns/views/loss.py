#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Lost packets are in the stream: loss.py FFFA tc|xdp

An agent with the smallest table is stopped (SIGSTOP) while many more flows come than table and ring have room for. The
stream must say how much was lost, to the packet and to the byte.
"""

import signal
import sys
import unittest

import netns_fixture  # first: it says where the others lie
import lab as L

FFFA, HOOK = "", ""
FLOWS, PACKETS = 50000, 100000

SEND = """
import socket, sys
net, n, flows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("", 5000))
for i in range(n):
    k = i % flows
    s.sendto(b"x" * 72, (f"10.{net}.{k >> 8 & 255}.{k & 255}", 9000 + (k >> 16)))
"""


def skipped(records):
    return [r for r in records if r["log_status"] == "SKIPDATA"]


class Loss(unittest.TestCase):
    def flood(self, lab, agent, ns, net):
        """Sends while the agent is stopped; returns when the agent has recorded the loss."""
        told = len(skipped(agent.records()))
        agent.signal(signal.SIGSTOP)
        try:
            netns_fixture.python(lab, ns, SEND, net, PACKETS, FLOWS)
        finally:
            agent.signal(signal.SIGCONT)
        L.await_true("a SKIPDATA record", lambda: len(skipped(agent.records())) > told)

    def test_loss_stands_in_the_stream(self):
        with L.Lab(offloads=False) as lab:
            netns_fixture.quiet(lab)
            L.sh("ip", "-n", lab.host, "route", "add", "10.77.0.0/16", "via", L.PEER4)
            L.sh("ip", "-n", lab.peer, "route", "add", "10.78.0.0/16", "via", L.HOST4)
            before = netns_fixture.sent(lab)
            agent = netns_fixture.Agent(lab, FFFA, f"hook: {HOOK}, max_flows: 1024, ring_size: 64KiB")
            self.flood(lab, agent, lab.host, 77)
            self.flood(lab, agent, lab.peer, 78)
            self.flood(lab, agent, lab.host, 77)
            ledger = agent.end(self)
            egress, ingress = netns_fixture.sent_since(lab, self, before, (2 * PACKETS, PACKETS))
            self.assertEqual(ledger["seen_packets"], egress + ingress)
            self.assertEqual(ledger["seen_bytes"], 100 * (egress + ingress))
            self.expect_records(ledger, agent.records())
            self.expect_lines(agent.vpc_lines(), skipped(agent.records()))

    def expect_records(self, ledger, records):
        skips = skipped(records)
        self.assertGreater(ledger["lost_packets"], PACKETS)
        self.assertEqual(ledger["lost_table_full"], ledger["lost_packets"])
        for unit in ("packets", "bytes"):
            self.assertEqual(sum(r["lost_" + unit] for r in skips), ledger["lost_" + unit])
            kept = sum(r[unit] for r in records if r["log_status"] == "OK")
            self.assertEqual(kept + ledger["lost_" + unit], ledger["seen_" + unit])
        self.assertGreaterEqual(len(skips), 3)
        for r in skips:
            self.assertEqual(r["lost_reason"], "table_full")
            self.assertGreater(r["lost_packets"], 0)
            self.assertLessEqual(r["start"], r["end"])
            for name in ("srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets", "bytes", "action"):
                self.assertNotIn(name, r)
        for earlier, later in zip(skips, skips[1:]):
            self.assertGreaterEqual(later["start"], earlier["end"], "no loss is told twice")
        for r in records:
            if r["log_status"] == "OK":
                self.assertNotIn("lost_packets", r)
        self.assertEqual([r["seq"] for r in records], list(range(1, len(records) + 1)))

    def expect_lines(self, lines, skips):
        mine = [x for x in lines if "SKIPDATA" in x]
        self.assertEqual(len(mine), len(skips))
        for line, r in zip(mine, skips):
            self.assertEqual(line, f"2 - - - - - - - - - {r['start']} {r['end']} - SKIPDATA")


if __name__ == "__main__":
    netns_fixture.main(unittest, sys.modules[__name__])
