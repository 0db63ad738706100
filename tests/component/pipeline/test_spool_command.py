#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""`fffa spool` shows a spool that this test wrote from agent/spool/README.md alone."""
import os
import struct
import sys
import unittest

import program


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def sealed(head, size):
    head = head.ljust(size - 4, b"\0")
    return head + struct.pack("<I", crc32c(head))


def segment_head(number, epoch, name):
    return sealed(b"\xffFFFAsp\x01" + struct.pack("<QQQ16s", number, epoch, 42, name), 128)


def frame(epoch, first, lines, before, skip=None):
    """Returns a frame of records numbered from first on. before: (records, numbers, last number)."""
    body, end = b"", 0
    for i, line in enumerate(lines):
        end += len(line)
        body += struct.pack("<IIQq", end, i, 99, 1700000000000 + i)
    body += b"".join(lines)
    numbers, reason = skip or (len(lines), b"")
    head = b"\xfe\x0dFFFA\x00\x01" + struct.pack(
        "<IIIIQQQQqqqQQQQ16s64s16s32s", len(lines), end, crc32c(body), 1 if skip else 0, 42, epoch,
        first, first + len(lines) - 1, 1700000000000, 1700000000000 + len(lines) - 1, 1700000000777,
        *before, numbers, reason, b"i-1", b"123456789012", b"eu-west-1")
    return sealed(head, 256) + body


def lines_of(first, n):
    return [b'{"seq":%d}\n' % i for i in range(first, first + n)]


def two_segments():
    one = segment_head(1, 7, b"json") + frame(7, 1, lines_of(1, 3), (0, 0, 0))
    one += frame(7, 4, lines_of(4, 2), (3, 3, 3))
    two = segment_head(2, 8, b"json") + frame(8, 9, lines_of(9, 1), (0, 0, 0), (9, b"queue_full"))
    return one, two


class Spool(program.Case):
    def setUp(self):
        super().setUp()
        self.path = os.path.join(self.dir, "spool")
        os.mkdir(self.path)

    def write(self, *segments, ack=None):
        for i, data in enumerate(segments, 1):
            with open(os.path.join(self.path, f"{i:016x}.seg"), "wb") as out:
                out.write(data)
        if ack:
            with open(os.path.join(self.path, "ack"), "wb") as out:
                out.write(sealed(struct.pack("<QQQQQQ", 1, *ack), 64))

    def show(self, *args):
        done = program.fffa("spool", *args, self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_lists_and_cats(self):
        self.write(*two_segments())
        out = self.show()
        self.assertTrue(out[0].startswith("segment 0000000000000001 bytes="))
        self.assertTrue(out[0].endswith(" epoch=7 format=json"))
        self.assertEqual(out[1], "  frame at=128 epoch=7 seq=1-3 records=3 bytes=30 "
                                 "sealed_ms=1700000000777 waits")
        self.assertIn("skipdata=9 reason=queue_full waits", out[4])
        self.assertEqual(out[-1], "segments=2 frames=3 waiting_records=6 settled_records=0 "
                                  "damaged_frames=0 missing_records=0")
        self.assertEqual("".join(line + "\n" for line in self.show("--cat")).encode(),
                         b"".join(lines_of(1, 5) + lines_of(9, 1)))

    def test_settled_is_not_sent_again(self):
        one, two = two_segments()
        begin = len(one) - len(frame(7, 4, lines_of(4, 2), (3, 3, 3)))
        self.write(one, two, ack=(1, begin, 3, 3, 3))
        self.assertEqual(self.show("--cat")[0], '{"seq":4}')
        self.assertIn("waiting_records=3 settled_records=3", self.show()[-1])

    def test_what_is_missing(self):
        """Of 20 numbers 3 are settled and 4 were in frames, of which 2 are left: the next start will report the others."""
        one, two = two_segments()
        begin = len(one) - len(frame(7, 4, lines_of(4, 2), (3, 3, 3)))
        self.write(one, two)
        slot = struct.pack("<QQQQQQQQ", 1, 1, begin, 3, 3, 3, 1700000000000, 1)
        with open(os.path.join(self.path, "ack"), "wb") as out:
            out.write(sealed(slot + struct.pack("<QQQQQQQ", 7, 20, 3, 4, 3, 3, 0), 4096))
        out = self.show()
        self.assertEqual([line.rsplit(" ", 1)[1] for line in out[1:3]], ["settled", "waits"])
        self.assertIn("missing epoch=7 spool_damaged=2 unsaved=13", out)
        self.assertEqual(out[-1], "segments=2 frames=3 waiting_records=3 settled_records=3 "
                                  "damaged_frames=0 missing_records=15")

    def test_damage_and_torn_tail(self):
        one, two = two_segments()
        body = bytearray(one)
        body[128 + 256 + 80] ^= 1
        self.write(bytes(body), two[:-1])
        out = self.show()
        self.assertTrue(out[1].endswith(" damaged"))
        self.assertIn("  cut or damaged at=128", out)
        self.assertEqual(self.show("--cat"), ['{"seq":4}', '{"seq":5}'])
        head = bytearray(one)
        head[128 + 70] ^= 1
        self.write(bytes(head), two)
        self.assertIn("  damaged at=128 records=3", self.show())

    def test_a_fifo_in_place_of_a_segment(self):
        for name in ("0000000000000003.seg", "ack"):
            os.mkfifo(os.path.join(self.path, name))
            done = program.fffa("spool", self.path)
            self.assertNotEqual(done.stdout + done.stderr, "")

    def test_usage(self):
        for args, says in (((), "no directory"), (("a", "b"), "unexpected argument b"),
                           (("--bogus", "a"), "unknown option --bogus")):
            done = program.fffa("spool", *args)
            self.assertEqual(done.returncode, 2)
            self.assertTrue(done.stderr.startswith(f"fffa spool: {says}\nusage: fffa spool "))
        done = program.fffa("spool", os.path.join(self.dir, "none"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("No such file or directory", done.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--seeds"]:
        for name, data in zip(("one", "two"), two_segments()):
            with open(os.path.join(sys.argv[2], name), "wb") as seed:
                seed.write(data)
        sys.exit(0)
    unittest.main()
