#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fragments in a capture belong to the flow of their datagram if its first fragment came before; else they have ports 0."""
import collections
import json
import random
import shutil
import unittest

import fragment_wire
import frames as f
import program

T0 = 1_700_000_000
S = 10**9
A, B, A6, B6 = "10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"


def datagram(sport, dport, size):
    return f.udp(sport, dport, bytes(size))


def as_key(record):
    return tuple(str(record.get(name, 0)) for name in ("srcaddr", "dstaddr", "srcport", "dstport", "protocol"))


class Fragments(program.Case):
    def sums(self, timed, capture="{}"):
        """Returns {key: (packets, bytes)} of the records."""
        self.path = self.file("a.pcap", f.pcap([(int(s * S), f.eth(p)) for s, p in timed]))
        conf = self.file("fffa.yaml", f'capture: {capture}\nsinks: [{{name: out, type: file, path: "-", format: json}}]\n')
        done = program.fffa("replay", "-c", conf, self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ledger = program.ledger(done.stderr)
        self.assertEqual((self.ledger["balance"], self.ledger["seen_packets"], self.ledger["lost_packets"]),
                         ("ok", len(timed), 0))
        got = collections.defaultdict(lambda: [0, 0])
        for one in map(json.loads, done.stdout.splitlines()):
            got[as_key(one)][0] += one["packets"]
            got[as_key(one)][1] += one["bytes"]
        return {key: tuple(v) for key, v in got.items()}

    def orphans(self):
        return self.ledger.get("no_first_fragment", 0)

    def test_one_datagram_is_one_flow(self):
        for a, b, headers in ((A, B, 20), (A6, B6, 48)):
            parts = f.fragments(a, b, 17, datagram(5000, 6000, 4000), 7, 1480)
            self.assertEqual(len(parts), 3)
            got = self.sums([(T0, p) for p in parts])
            self.assertEqual(got, {(a, b, "5000", "6000", "17"): (3, 3 * headers + 4008)})
            self.assertEqual(self.orphans(), 0)

    def test_behind_extension_headers(self):
        """Later fragments have the first extension header as their protocol (RFC 8200), the first fragment has the transport's."""
        payload = bytes([17, 0, 1, 4, 0, 0, 0, 0]) + datagram(5000, 6000, 3000)  # destination options, then UDP
        parts = f.fragments(A6, B6, 60, payload, 7, 1480)
        got = self.sums([(T0, p) for p in parts])
        self.assertEqual(got, {(A6, B6, "5000", "6000", "17"): (3, sum(map(len, parts)))})
        self.assertEqual(self.orphans(), 0)

    def test_of_the_packet_around_a_tunnel(self):
        """All of them belong to the outer flow: the later ones cannot be opened, so the first one is not."""
        inner = f.ip(A, B, 17, datagram(5000, 6000, 3000))
        parts = f.fragments("10.9.0.1", "10.9.0.2", 17, f.udp(60000, 6081, f.geneve(inner, f.gwlb(1, 2, 3))), 9, 1480)
        got = self.sums([(T0, p) for p in parts])
        self.assertEqual(got, {("10.9.0.1", "10.9.0.2", "60000", "6081", "17"): (3, sum(map(len, parts)))})
        self.assertEqual(self.orphans(), 0)

    def test_inside_tunnels_with_the_same_addresses(self):
        """Two tenants send a datagram with the same identification at the same time."""
        timed, size = [], 0
        for first, second in zip(f.fragments(A, B, 17, datagram(5000, 6000, 2000), 7, 1480),
                                 f.fragments(A, B, 17, datagram(5001, 6001, 2000), 7, 1480)):
            size += len(first)
            for vni, packet in ((1, first), (2, second)):
                around = f.udp(60000, 4789, f.vxlan(f.eth(packet), vni))
                timed.append((T0, f.ip("10.9.0.1", "10.9.0.2", 17, around)))
        got = self.sums(timed)
        self.assertEqual(got, {(A, B, "5000", "6000", "17"): (2, size), (A, B, "5001", "6001", "17"): (2, size)})
        self.assertEqual(self.orphans(), 0)

    def test_the_first_one_last(self):
        for a, b, headers in ((A, B, 20), (A6, B6, 48)):
            parts = f.fragments(a, b, 17, datagram(5000, 6000, 4000), 7, 1480)
            got = self.sums([(T0, p) for p in reversed(parts)])
            self.assertEqual(got, {(a, b, "0", "0", "17"): (2, 2 * headers + 4008 - 1480),
                                   (a, b, "5000", "6000", "17"): (1, headers + 1480)})
            self.assertEqual(self.orphans(), 2)

    def test_after_thirty_seconds_the_ports_are_forgotten(self):
        first, second, third = f.fragments(A, B, 17, datagram(5000, 6000, 4000), 7, 1480)
        got = self.sums([(T0, first), (T0 + 30, second), (T0 + 30.001, third)])
        self.assertEqual(got, {(A, B, "5000", "6000", "17"): (2, 3000), (A, B, "0", "0", "17"): (1, 4028 - 3000 + 40)})
        self.assertEqual(self.orphans(), 1)

    def test_inside_geneve(self):
        parts = f.fragments(A, B, 17, datagram(5000, 6000, 4000), 7, 1400)
        outer = [f.ip("10.9.0.1", "10.9.0.2", 17, f.udp(60000, 6081, f.geneve(p, f.gwlb(1, 2, 3)))) for p in parts]
        self.assertEqual(self.sums([(T0, p) for p in outer]), {(A, B, "5000", "6000", "17"): (3, 60 + 4008)})

    def test_fragments_of_the_tunnel_itself(self):
        inner = f.ip(A, B, 17, datagram(5000, 6000, 3000))
        parts = f.fragments("10.9.0.1", "10.9.0.2", 17, f.udp(60000, 6081, f.geneve(inner, f.gwlb(1, 2, 3))), 9, 1480)
        self.assertEqual(self.sums([(T0, p) for p in parts], "{tunnel_view: outer}"),
                         {("10.9.0.1", "10.9.0.2", "60000", "6081", "17"): (len(parts), sum(map(len, parts)))})

    def test_random_order_against_tshark(self):
        rng, timed = random.Random(3), []
        for ident in range(1500):
            a, b = (f"fd00::{rng.randint(1, 4)}", "fd00::9") if rng.random() < 0.5 else (f"10.0.0.{rng.randint(1, 4)}", B)
            payload = datagram(rng.randint(40000, 40007), rng.randint(30000, 30003), rng.randint(10, 6000))
            start = T0 + rng.random() * 100
            for part in f.fragments(a, b, 17, payload, ident, rng.choice((200, 552, 1280, 1440))):
                timed.append((start + rng.random() * 0.01 + (31 if rng.random() < 0.05 else 0), part))
        timed.sort(key=lambda one: one[0])
        got = self.sums(timed)
        want, orphans = fragment_wire.sums_of(self.path)
        self.assertEqual(sum(packets for packets, _ in want.values()), len(timed))
        self.assertGreater(orphans, 1000)
        self.assertLess(orphans, len(timed) * 2 / 3)
        self.assertEqual(got, want)
        self.assertEqual(self.orphans(), orphans)


if __name__ == "__main__":
    if not shutil.which("tshark"):
        program.skip_all("tshark is not installed")
    unittest.main()
