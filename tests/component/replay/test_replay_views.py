#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay with capture.tunnel_view, capture.parity_filter and capture.sample."""
import json
import unittest

import frames as f
import program

T0 = 1_700_000_000 * 10**9
GWLB = f.gwlb(1, 2, 0xC00C1E)
INNER = f.ip("192.168.1.10", "192.168.1.20", 6, f.tcp(8080, 443, 0x02, 20))
PLAIN = f.ip("10.0.1.100", "10.0.1.200", 17, f.udp(1, 2, bytes(5)))
OUTER_BYTES, INNER_BYTES, PLAIN_BYTES = 20 + 8 + 8 + 32 + 60, 60, 33


def tunnelled(inner=INNER):
    return f.ip("10.0.1.100", "10.0.1.200", 17, f.udp(60000, 6081, f.geneve(inner, GWLB, 7)))


class Views(program.Case):
    def records(self, capture, packets, *args):
        conf = self.file("fffa.yaml", f'capture: {capture}\nsinks: [{{name: out, type: file, path: "-", format: json}}]\n')
        path = self.file("a.pcap", f.pcap([(T0 + i, f.eth(p)) for i, p in enumerate(packets)]))
        done = program.fffa("replay", "-c", conf, *args, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.ledger = program.ledger(done.stderr)
        self.assertEqual(self.ledger["balance"], "ok")
        records = [json.loads(line) for line in done.stdout.splitlines()]
        for unit in ("packets", "bytes"):
            self.assertEqual(self.ledger["recorded_" + unit], sum(r.get(unit, 0) for r in records))
            self.assertEqual(self.ledger["seen_" + unit], self.ledger["recorded_" + unit]
                             + self.ledger["lost_" + unit] + self.ledger.get("filtered_" + unit, 0))
        return sorted(records, key=lambda r: (r["srcaddr"], r["dstport"]))

    def expect_outer(self, r, packets):
        want = {"srcaddr": "10.0.1.100", "dstaddr": "10.0.1.200", "srcport": 60000, "dstport": 6081, "protocol": 17,
                "packets": packets, "bytes": packets * OUTER_BYTES, "encapsulated": False}
        self.assertEqual({name: r.get(name) for name in want}, want)
        for name in ("tunnel", "tunnel_src", "tunnel_dst", "vni", "gwlbe_id", "gwlb_flow_cookie"):
            self.assertNotIn(name, r)

    def expect_inner(self, r, packets):
        want = {"srcaddr": "192.168.1.10", "dstaddr": "192.168.1.20", "srcport": 8080, "dstport": 443, "protocol": 6,
                "packets": packets, "bytes": packets * INNER_BYTES, "encapsulated": True, "tunnel": "geneve",
                "tunnel_src": "10.0.1.100", "vni": 7, "gwlb_flow_cookie": 0xC00C1E}
        self.assertEqual({name: r.get(name) for name in want}, want)

    def expect_plain(self, r):
        self.assertEqual((r["dstport"], r["packets"], r["bytes"], r["encapsulated"]), (2, 1, PLAIN_BYTES, False))

    def seen(self, packets, size):
        self.assertEqual((self.ledger["seen_packets"], self.ledger["seen_bytes"]), (packets, size))

    def test_the_outer_packet_has_mapped_addresses(self):
        """An IPv6 packet around the tunnel whose addresses look like IPv4."""
        outer = f.ip("::ffff:10.0.1.100", "::ffff:10.0.1.200", 17, f.udp(60000, 4789, f.vxlan(f.eth(INNER), 7)))
        path = self.file("a.pcap", f.pcap([(T0, f.eth(outer)), (T0 + 1, f.eth(f.ip("10.0.1.100", "10.0.1.200", 17, f.udp(
            60000, 4789, f.vxlan(f.eth(INNER), 7)))))]))
        done = program.fffa("replay", "--format", "json", path)
        self.assertEqual(sorted(json.loads(line)["tunnel_src"] for line in done.stdout.splitlines()),
                         ["10.0.1.100", "::ffff:10.0.1.100"], done.stderr)
        done = program.fffa("replay", "--format", "flowlog", path)
        self.assertIn(" src=[::ffff:10.0.1.100]:8080 ", done.stdout)

    def test_tunnel_ids_come_back(self):
        """17 000 tunnels at once, and as many again when the flows of the first are over."""
        def inner(vni):
            return f.eth(f.ip("10.0.1.100", "10.0.1.200", 17, f.udp(60000, 6081, f.geneve(INNER, b"", vni))))
        burst = [(T0 + i, inner(i)) for i in range(17000)]
        later = [(T0 + 200 * 10**9 + i, inner(100000 + i)) for i in range(16384)]
        path = self.file("a.pcap", f.pcap(burst + later))
        done = program.fffa("replay", "--format", "json", path)
        self.assertEqual(done.returncode, 0, done.stderr)
        ledger, records = program.ledger(done.stderr), [json.loads(line) for line in done.stdout.splitlines()]
        flows = [r for r in records if r["log_status"] == "OK"]
        self.assertEqual({r["vni"] for r in flows if r["protocol"] == 6},
                         {i for i in range(16384)} | {100000 + i for i in range(16384)})
        outer = [r for r in flows if r["protocol"] == 17]
        self.assertEqual((len(outer), outer[0]["dstport"], outer[0]["packets"]), (1, 6081, 616))
        self.assertEqual((ledger["lost_packets"], ledger["no_tunnel_id"], ledger["balance"]), (0, 616, "ok"))
        skips = [(r["lost_reason"], r.get("lost_packets")) for r in records if r["log_status"] == "SKIPDATA"]
        self.assertEqual(skips, [("no_tunnel_id", None)])
        self.assertEqual(done.stderr.count("no tunnel id is free"), 1)

    def test_inner(self):
        plain, inner = self.records("{tunnel_view: inner}", [tunnelled(), PLAIN, tunnelled()])
        self.expect_plain(plain)
        self.expect_inner(inner, 2)
        self.seen(3, 2 * INNER_BYTES + PLAIN_BYTES)

    def test_outer(self):
        plain, outer = self.records("{tunnel_view: outer}", [tunnelled(), PLAIN, tunnelled()])
        self.expect_plain(plain)
        self.expect_outer(outer, 2)
        self.seen(3, 2 * OUTER_BYTES + PLAIN_BYTES)

    def test_both_count_both(self):
        plain, outer, inner = self.records("{tunnel_view: both}", [tunnelled(), PLAIN, tunnelled()])
        self.expect_plain(plain)
        self.expect_outer(outer, 2)
        self.expect_inner(inner, 2)
        self.seen(5, 2 * (INNER_BYTES + OUTER_BYTES) + PLAIN_BYTES)

    def test_both_have_the_direction_of_the_wire(self):
        for local, direction in (("10.0.1.100", "egress"), ("10.0.1.200", "ingress")):
            got = self.records("{tunnel_view: both}", [tunnelled()], "--local", local)
            self.assertEqual([r["flow_direction"] for r in got], [direction] * 2)

    def test_both_of_nested_tunnels_are_the_outermost_and_the_innermost(self):
        vxlan = bytes((8, 0, 0, 0)) + (99 << 8).to_bytes(4, "big") + f.eth(PLAIN)
        mid = f.ip("172.16.0.1", "172.16.0.2", 17, f.udp(60001, 4789, vxlan))
        inner, outer = self.records("{tunnel_view: both}", [tunnelled(mid)])
        self.assertEqual((outer["dstport"], outer["bytes"]), (6081, OUTER_BYTES - INNER_BYTES + len(mid)))
        self.assertEqual((inner["dstport"], inner["bytes"], inner["tunnel"], inner["vni"], inner["tunnel_src"],
                          inner["gwlb_flow_cookie"]), (2, PLAIN_BYTES, "vxlan", 99, "172.16.0.1", 0xC00C1E))
        self.seen(2, outer["bytes"] + PLAIN_BYTES)

    def test_both_with_vxlan_outermost(self):
        vxlan = bytes((8, 0, 0, 0)) + (99 << 8).to_bytes(4, "big") + f.eth(tunnelled(PLAIN))
        packet = f.ip("172.16.0.1", "172.16.0.2", 17, f.udp(60001, 4789, vxlan))
        inner, outer = self.records("{tunnel_view: both}", [packet])
        self.assertEqual((outer["srcaddr"], outer["dstport"], outer["bytes"], outer["encapsulated"]),
                         ("172.16.0.1", 4789, len(packet), False))
        self.assertEqual((inner["dstport"], inner["bytes"], inner["tunnel"], inner["vni"], inner["tunnel_src"],
                          inner["gwlb_flow_cookie"]), (2, PLAIN_BYTES, "geneve", 7, "10.0.1.100", 0xC00C1E))
        self.seen(2, len(packet) + PLAIN_BYTES)

    def test_both_of_a_cut_tunnel_are_one(self):
        conf = "{tunnel_view: both}"
        cut = tunnelled(b"\x45" + bytes(3))  # less than an IP header behind the options
        outer, = self.records(conf, [cut])
        self.assertEqual((outer["dstport"], outer["bytes"], outer["encapsulated"]), (6081, len(cut), False))
        self.seen(1, len(cut))

    def test_sampling_is_for_hooks_only(self):
        record, = self.records("{sample: 10}", [PLAIN] * 1000)
        self.assertEqual((record["packets"], record["bytes"]), (1000, 1000 * PLAIN_BYTES))
        self.assertNotIn("sampled", record)
        self.assertNotIn("not_sampled", self.ledger)

    def test_parity_leaves_out_what_aws_leaves_out(self):
        out = [f.ip(a, b, proto, f.udp(s, d, bytes(4))) for a, b, proto, s, d in (
            ("0.0.0.0", "255.255.255.255", 17, 68, 67), ("10.0.0.1", "10.0.0.9", 17, 67, 68),
            ("fe80::1", "ff02::1:2", 17, 546, 547), ("fe80::2", "fe80::1", 17, 547, 546),
            ("10.0.0.9", "169.254.169.254", 17, 40000, 80), ("169.254.169.254", "10.0.0.9", 17, 80, 40000),
            ("10.0.0.9", "169.254.169.253", 17, 40000, 53), ("10.0.0.9", "169.254.169.123", 17, 123, 123),
            ("10.0.0.9", "169.254.169.250", 17, 40000, 1688), ("10.0.0.9", "169.254.169.251", 17, 40000, 1688),
            ("fd00::9", "fd00:ec2::254", 17, 40000, 80), ("fd00:ec2::253", "fd00::9", 17, 53, 40000),
            ("fd00::9", "fd00:ec2::123", 17, 123, 123))]
        out.append(f.ip("10.0.0.9", "169.254.169.254", 6, f.tcp(40001, 80, 0x02)))
        kept = [f.ip(a, b, proto, f.udp(s, d, bytes(12))) for a, b, proto, s, d in (
            ("10.0.0.9", "169.254.169.252", 17, 40000, 80), ("10.0.0.9", "169.254.168.254", 17, 40000, 80),
            ("10.0.0.9", "10.0.0.2", 17, 123, 123), ("10.0.0.9", "10.0.0.2", 17, 40000, 53),
            ("10.0.0.9", "10.0.0.2", 17, 67, 67), ("10.0.0.9", "10.0.0.2", 17, 68, 547),
            ("10.0.0.9", "10.0.0.2", 132, 68, 67), ("fd00::9", "fd00:ec2::252", 17, 40000, 80),
            ("fd00::9", "fd00:ec3::254", 17, 40000, 80))]
        records = self.records("{parity_filter: true}", out + kept)
        self.assertEqual(len(records), len(kept))
        self.assertEqual({(r["dstaddr"], r["srcport"], r["dstport"], r["protocol"]) for r in records},
                         {("169.254.169.252", 40000, 80, 17), ("169.254.168.254", 40000, 80, 17),
                          ("10.0.0.2", 123, 123, 17), ("10.0.0.2", 40000, 53, 17), ("10.0.0.2", 67, 67, 17),
                          ("10.0.0.2", 68, 547, 17), ("10.0.0.2", 68, 67, 132), ("fd00:ec2::252", 40000, 80, 17),
                          ("fd00:ec3::254", 40000, 80, 17)})
        self.assertEqual(self.ledger["filtered_packets"], len(out))
        self.assertEqual(self.ledger["filtered_bytes"], sum(map(len, out)))
        self.seen(len(out) + len(kept), sum(map(len, out + kept)))
        self.assertEqual(self.ledger["lost_packets"], 0)
        self.assertEqual(len(self.records("{parity_filter: false}", out + kept)), len(out) + len(kept))
        self.assertNotIn("filtered_packets", self.ledger)

    def test_parity_looks_at_the_packet_recorded(self):
        metadata = f.ip("192.168.1.10", "169.254.169.254", 6, f.tcp(8080, 80, 0x02))
        outer, = self.records("{parity_filter: true, tunnel_view: both}", [tunnelled(metadata)])
        self.assertEqual(outer["dstport"], 6081)
        self.assertEqual((self.ledger["filtered_packets"], self.ledger["filtered_bytes"]), (1, 40))


if __name__ == "__main__":
    unittest.main()
