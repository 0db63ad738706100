#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Filters: replay --filter, capture.filter, and the filter of a sink, which has a stream of its own."""
import json
import unittest

import frames as f
import program

NS = 1_700_000_000 * 10**9
SYN, ACK, RST = 2, 16, 4


def make_capture():
    """TCP to 443 with SYN, the same connection again two minutes later, UDP to 53, IPv6 TCP to 443, ping."""
    web = [f.eth(f.ip("10.0.0.1", "10.0.0.2", 6, f.tcp(1000, 443, flags))) for flags in (SYN, ACK)]
    rest = [f.eth(f.ip("10.0.0.1", "10.0.0.3", 17, f.udp(999, 53, bytes(9)))),
            f.eth(f.ip("2001:db8::1", "2001:db8::2", 6, f.tcp(1001, 443, SYN))),
            f.eth(f.ip("192.168.0.1", "10.0.0.9", 1, bytes([8, 0] + [0] * 6)))]
    late = NS + 120 * 10**9
    return f.pcap([(NS, web[0]), *((NS + 1000, r) for r in rest), (late, web[1])])


class Filter(program.Case):
    def setUp(self):
        super().setUp()
        self.pcap = self.file("a.pcap", make_capture())

    def replay(self, *args):
        done = program.fffa("replay", *args, self.pcap)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.books = program.ledger(done.stderr)
        self.assertEqual(self.books["balance"], "ok")
        return [json.loads(line) for line in done.stdout.splitlines()]

    def dsts(self, filt):
        got = self.replay("--format", "json", "--filter", filt)
        self.assertEqual([r["seq"] for r in got], list(range(1, len(got) + 1)))
        self.assertEqual(self.books["recorded_packets"], len(got))
        self.assertEqual(self.books.get("filtered_packets", 0), 5 - len(got))
        return sorted(r["pkt_dstaddr"] for r in got)

    def test_what_replay_leaves_out_is_filtered(self):
        self.assertEqual(len(self.dsts("")), 5)
        self.assertEqual(self.dsts("udp port 53 or net 192.168.0.0/16"), ["10.0.0.3", "10.0.0.9"])
        self.assertEqual(self.dsts("ip6"), ["2001:db8::2"])
        self.assertEqual(self.dsts("port 443"), ["10.0.0.2", "10.0.0.2", "2001:db8::2"])
        self.assertEqual(self.dsts("host 1.2.3.4"), [])

    def test_flags_are_those_of_the_window(self):
        self.assertEqual(self.dsts("tcp[tcpflags] & tcp-syn != 0"), ["10.0.0.2"])
        self.assertEqual(self.dsts("tcp[13] = 16"), ["10.0.0.2"])
        self.assertEqual(self.dsts("tcp[tcpflags] & (tcp-rst|tcp-fin) != 0"), [])
        self.assertEqual(self.dsts("ip6 proto 6 and ip6[53] & 2 != 0"), ["2001:db8::2"])

    def test_a_wrong_filter_is_refused_with_its_column(self):
        for filt, column in (("tcp and len > 9", 9), ("ip[8] = 1", 1), ("host www.example.com", 6), ("tcp port", 9),
                             ("udp and inbound", 9)):
            with self.subTest(filt):
                done = program.fffa("replay", "--filter", filt, self.pcap)
                self.assertEqual(done.returncode, 2)
                self.assertIn(f"--filter: column {column}: ", done.stderr.splitlines()[0])
                conf = self.file("c.yaml", f"capture: {{filter: '{filt}'}}\nsinks:\n- {{name: a, type: file, "
                                           f"path: '-',\n  filter: '{filt}'}}\n")
                done = program.fffa("check", "-c", conf)
                self.assertEqual(done.returncode, 78)
                self.assertIn(f"{conf}:1: capture.filter: column {column}: ", done.stdout + done.stderr)
                self.assertIn(f"{conf}:4: sinks[0].filter: column {column}: ", done.stdout + done.stderr)

    def test_a_sink_with_a_filter_has_a_stream_of_its_own(self):
        out = {name: self.dir / name for name in ("all", "web", "dns")}
        sinks = "".join(f"- {{name: {name}, type: file, format: json, path: '{path}'{filt}}}\n" for (name, path), filt in
                        zip(out.items(), ("", ", filter: tcp port 443", ", filter: port 53")))
        conf = self.file("c.yaml", f"capture: {{filter: not icmp}}\nsinks:\n{sinks}")
        self.assertEqual(self.replay("-c", conf), [])
        self.assertEqual(self.books["filtered_packets"], 1)
        got = {name: [json.loads(line) for line in path.read_text().splitlines()] for name, path in out.items()}
        self.assertEqual([(r["seq"], r.get("stream")) for r in got["all"]], [(n, None) for n in (1, 2, 3, 4)])
        self.assertEqual([(r["seq"], r["stream"]) for r in got["web"]], [(n, "web") for n in (1, 2, 3)])
        self.assertEqual([(r["seq"], r["stream"], r["dstport"]) for r in got["dns"]], [(1, "dns", 53)])


if __name__ == "__main__":
    unittest.main()
