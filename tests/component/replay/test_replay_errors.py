#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay on files that it cannot read: one clear line, status 1, and no complete packet is lost."""
import os
import struct
import unittest

import frames as f
import program

NS = 1_700_000_000 * 10**9
PACKET = f.eth(f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(1, 2, bytes(100))))


class Errors(program.Case):
    def setUp(self):
        super().setUp()
        self.conf = self.file("fffa.yaml", "log: {level: info}\n")

    def replay(self, *args, **more):
        return program.fffa("replay", "-c", self.conf, *args, **more)

    def records(self, done):
        return [one for one in done.stdout.splitlines() if not one.startswith("version")]

    def expect_whole_ones(self, data, packets):
        path = self.file("cut", data)
        done = self.replay(path)
        self.one_error(done, path)
        self.assertEqual(len(self.records(done)), 1)
        books = program.ledger(done.stderr)
        self.assertEqual((books["recorded_packets"], books["recorded_bytes"], books["balance"]),
                         (packets, packets * 128, "ok"))

    def test_pcap_cut_in_a_packet(self):
        data = f.pcap([(NS, PACKET)] * 3)
        for cut in (1, 50, len(PACKET), len(PACKET) + 8):
            with self.subTest(cut=cut):
                self.expect_whole_ones(data[:-cut], 2)

    def test_pcapng_cut_in_a_packet(self):
        self.expect_whole_ones(f.pcapng([(NS, PACKET)] * 3)[:-20], 2)

    def test_a_bad_file_after_a_good_one(self):
        good, bad = self.file("good", f.pcap([(NS, PACKET)])), self.dir / "absent"
        done = self.replay(good, bad)
        self.one_error(done, bad, "No such file")
        self.assertEqual(len(self.records(done)), 1)
        self.assertEqual(program.ledger(done.stderr)["balance"], "ok")

    def test_a_missing_file(self):
        path = self.dir / "absent.pcap"
        done = self.replay(path)
        self.one_error(done, f"{path}: No such file or directory")
        self.assertEqual(done.stderr.count(str(path)), 1)
        self.assertEqual(self.records(done), [])

    def test_not_a_capture(self):
        for name, data in (("text", b"a text, not a capture: it has no magic number\n"), ("empty", b""),
                           ("short", f.pcap([])[:10])):
            with self.subTest(name):
                path = self.file(name, data)
                self.one_error(self.replay(path), path)
        self.one_error(self.replay(self.dir), self.dir)

    def test_not_a_capture_from_a_pipe(self):
        self.one_error(self.replay("-", input="text"), "-: ")

    def test_a_link_type_that_is_not_supported(self):
        path = self.file("usb.pcap", f.pcap([(NS, PACKET)], 189))
        self.one_error(self.replay(path), path, "USB_LINUX (189)", "not supported")

    def test_a_frame_longer_than_any(self):
        head = struct.pack("<IIII", 0, 0, 0x7FFFFFFF, 0x7FFFFFFF)
        self.expect_whole_ones(f.pcap([(NS, PACKET)]) + head + bytes(100), 1)

    def test_no_permission(self):
        path = self.file("secret", f.pcap([]))
        path.chmod(0)
        drop = ("setpriv", "--bounding-set=-all") if os.geteuid() == 0 else ()
        self.one_error(self.replay(path, prefix=drop), path, "Permission denied")


if __name__ == "__main__":
    unittest.main()
