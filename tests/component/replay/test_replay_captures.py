#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay makes of each capture in tests/data/captures the records of expected.tsv, and no others."""
import csv
import gzip
import json
import pathlib
import shutil
import struct
import subprocess
import unittest

import frames as f
import program

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "data" / "captures"
S = 10**9
T0 = 1_700_000_000
CONF = """flows: {idle_timeout: 1h, active_timeout: 1h}
metadata: {imds: {enabled: off}}
sinks: [{name: out, type: file, path: "-", format: json}]
"""
with open(FOLDER / "expected.tsv", newline="", encoding="ascii") as table:
    ROWS = list(csv.DictReader(table, delimiter="\t"))
FIELDS = [name for name in ROWS[0] if name != "file"]
PACKET = f.eth(f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(1111, 2222, bytes(30))))


def expected(*names):
    return sorted(tuple(row[name] for name in FIELDS) for row in ROWS if row["file"] in names)


class Captures(program.Case):
    def setUp(self):
        super().setUp()
        self.conf = self.file("fffa.yaml", CONF)

    def replay(self, *args, **more):
        """Returns the records; the ledger and standard error are kept."""
        done = program.fffa("replay", "-c", self.conf, *args, **more)
        out, self.stderr = (one if isinstance(one, str) else one.decode() for one in (done.stdout, done.stderr))
        self.assertEqual(done.returncode, 0, self.stderr)
        self.ledger = program.ledger(self.stderr)
        self.assertEqual(self.ledger["balance"], "ok")
        return [json.loads(line) for line in out.splitlines()]

    def rows(self, *args, **more):
        return sorted(tuple(str(r.get(name, "")) for name in FIELDS) for r in self.replay(*args, **more))

    def warned(self):
        return [line for line in self.stderr.splitlines() if " warn " in line]

    def test_each_file(self):
        names = sorted({row["file"] for row in ROWS})
        self.assertGreater(len(names), 25)
        for name in names:
            with self.subTest(name):
                self.assertEqual(self.rows(FOLDER / name), expected(name))
                self.assertEqual(self.ledger["lost_packets"], 0)

    def test_each_file_compressed(self):
        for name in ("reorder.pcap", "ng_two_types.pcapng"):
            data = (FOLDER / name).read_bytes()
            with self.subTest(name):
                self.assertEqual(self.rows(self.file("a.gz", gzip.compress(data))), expected(name))
                halves = gzip.compress(data[:50]) + gzip.compress(data[50:])
                self.assertEqual(self.rows("-", input=halves, text=False), expected(name))
                if shutil.which("zstd"):
                    packed = subprocess.run(["zstd", "-q", "-c", FOLDER / name], check=True, capture_output=True)
                    self.assertEqual(self.rows(self.file("a.zst", packed.stdout)), expected(name))

    def test_large_and_compressed(self):
        """More than any buffer of the reader, well compressible."""
        data = f.pcap([((T0 + i) * S, PACKET) for i in range(3000)] * 20)
        got = self.rows(self.file("a.pcap.gz", gzip.compress(data)))
        self.assertEqual(sum(int(row[FIELDS.index("packets")]) for row in got), 60000)

    def test_damaged_compression(self):
        data = gzip.compress(f.pcap([(T0 * S, PACKET)] * 3))
        for name, bad in (("cut", data[:-12]), ("changed", data[:40] + bytes([data[40] ^ 0xFF]) + data[41:])):
            with self.subTest(name):
                path = self.file(name, bad)
                self.one_error(program.fffa("replay", "-c", self.conf, path), path)

    def test_rotated_files_in_the_order_of_the_shell(self):
        names = sorted(path.name for path in FOLDER.glob("rotated.*"))
        self.assertEqual(len(names), 3)
        self.assertEqual(self.rows(*(FOLDER / name for name in names)), expected(*names))

    def test_a_length_above_the_frame(self):
        self.assertEqual([r for r in self.replay(FOLDER / "iplen65535.pcap") if r["log_status"] == "OK"], [])
        self.assertEqual((self.ledger["lost_malformed"], self.ledger["lost_bytes"]), (3, 3 * 58))

    def test_an_inner_length_above_the_frame(self):
        inner = bytearray(f.ip("192.168.0.1", "192.168.0.2", 17, f.udp(1, 2, bytes(10))))
        inner[2:4] = b"\xff\xff"
        outer = f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(60000, 6081, f.geneve(bytes(inner), b"", 7)))
        got = self.replay(self.file("a.pcap", f.pcap([(T0 * S, f.eth(outer))])))
        self.assertEqual([(r["pkt_srcaddr"], r["bytes"], r["encapsulated"]) for r in got],
                         [("10.0.0.1", len(outer), False)])

    def test_packets_without_a_time(self):
        got = self.replay(FOLDER / "ng_spb.pcapng")
        self.assertEqual([(r["packets"], r["bytes"]) for r in got], [(2, 116)])
        for name in ("start", "end", "start_ms", "end_ms"):
            self.assertNotIn(name, got[0])
        self.assertEqual(len([line for line in self.warned() if "without a time" in line]), 1)
        self.file("fffa.yaml", CONF.replace("format: json", 'format: vpc, fields: "${packets} ${start} ${end}"'))
        done = program.fffa("replay", "-c", self.conf, FOLDER / "ng_spb.pcapng")
        self.assertEqual(done.stdout.splitlines()[1:], ["2 - -"])

    def test_super_packets_are_told_once(self):
        self.replay(FOLDER / "tso6_len0.pcap", FOLDER / "tso6_len0.pcap")
        self.assertEqual(len([line for line in self.warned() if "merged" in line]), 1)
        self.replay(FOLDER / "reorder.pcap")
        self.assertEqual(self.warned(), [])

    def test_the_direction_in_the_capture(self):
        way = {r["pkt_srcaddr"]: r["flow_direction"] for r in self.replay(FOLDER / "ng_dir.pcapng")}
        self.assertEqual(way, {"10.0.0.1": "egress", "10.0.0.2": "ingress"})
        way = {r["pkt_srcaddr"]: r["flow_direction"]
               for r in self.replay("--local", "10.0.0.2", FOLDER / "ng_dir.pcapng")}
        self.assertEqual(way, {"10.0.0.1": "ingress", "10.0.0.2": "egress"})
        self.assertEqual([r["flow_direction"] for r in self.replay(FOLDER / "lt_sll.pcap")], ["egress"])

    def test_nanoseconds_and_the_other_byte_order(self):
        for order, magic, part in (("<", 0xA1B23C4D, 5 * 10**6), (">", 0xA1B2C3D4, 5000), (">", 0xA1B23C4D, 5 * 10**6)):
            head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, 1)
            data = head + struct.pack(order + "IIII", T0, part, len(PACKET), len(PACKET)) + PACKET
            with self.subTest(order=order, magic=magic):
                self.assertEqual([r["start_ms"] for r in self.replay(self.file("a.pcap", data))], [T0 * 1000 + 5])

    def test_link_types_that_are_refused_are_named(self):
        for number, name in ((189, "USB_LINUX (189)"), (40000, "unknown (40000)")):
            path = self.file("a.pcap", f.pcap([(T0 * S, PACKET)], number))
            self.one_error(program.fffa("replay", "-c", self.conf, path), path, name, "not supported")

    def test_an_interface_of_a_refused_link_type_is_passed_over(self):
        data = bytearray((FOLDER / "ng_two_types.pcapng").read_bytes())
        self.assertEqual(data[56:58], b"\x65\x00")  # the second interface's
        data[56:58] = struct.pack("<H", 189)
        got = self.replay(self.file("a.pcapng", bytes(data)))
        self.assertEqual([(r["pkt_srcaddr"], r["packets"]) for r in got], [("10.0.0.1", 2)])
        self.assertEqual(len([line for line in self.warned() if "USB_LINUX (189)" in line]), 1)
        self.assertEqual(self.ledger["not_ip_frames"], 1)

    def test_what_is_not_ip_is_told_by_ether_type(self):
        arp, lldp = f.ETHER + b"\x08\x06" + bytes(46), f.ETHER + b"\x88\xcc" + bytes(46)
        bpdu = f.ETHER + b"\x00\x26\x42\x42\x03" + bytes(35)
        self.replay(self.file("a.pcap", f.pcap([(T0 * S, one) for one in (arp, arp, lldp, bpdu, PACKET)])))
        self.assertEqual(self.ledger["not_ip_frames"], 4)
        told = {name: n for name, n in self.ledger.items() if name.startswith("not_ip_") and name != "not_ip_frames"}
        self.assertEqual(told, {"not_ip_0x0806": 2, "not_ip_0x88cc": 1, "not_ip_llc": 1})

    def test_a_damaged_pcapng_is_one_error(self):
        good = (FOLDER / "ng_two_types.pcapng").read_bytes()
        for name, at, value in (("block length", 32, 0xFFFFFFF0), ("odd block length", 32, 21), ("interface", 76, 9),
                                ("captured length", 88, 0x00FFFFFF)):
            bad = bytearray(good)
            bad[at:at + 4] = struct.pack("<I", value)
            with self.subTest(name):
                path = self.file("bad.pcapng", bytes(bad))
                self.one_error(program.fffa("replay", "-c", self.conf, path), path)


if __name__ == "__main__":
    unittest.main()
