#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Rotation by the real program: all files together have each record once; compression; retention."""
import os
import re
import unittest

import flows
import program

RECORDS = 20000
ROTATED = re.compile(r"flows\.log\.\d{8}T\d{6}Z(-\d+)?(\.zst|\.gz)?$")


class Rotation(flows.Case):
    def conf(self, rotate, more="", kind="json"):
        return self.file("fffa.yaml", f"{flows.LIMITS}sinks: [{{name: out, type: file, format: {kind}, "
                                      f"path: {self.dir}/out/flows.log, rotate: {rotate}{more}}}]\n")

    def setUp(self):
        super().setUp()
        (self.dir / "out").mkdir()
        self.pcap = self.file("flows.pcap", flows.capture(RECORDS, 100))

    def files(self):
        return sorted((self.dir / "out").iterdir())

    def replay(self, conf):
        done = program.fffa("replay", "-c", conf, self.pcap)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, rf"delivered={RECORDS} rejected=0 .*lost=0 balance=ok")
        self.assertNotIn(" warn ", done.stderr)

    def run_of(self, kind, ending):
        self.replay(self.conf(f"{{size: 1MiB, keep: 0, compress: {kind}}}"))
        files = self.files()
        self.assertGreater(len(files), 3)
        for path in files:
            self.assertTrue(path.name == "flows.log" or ROTATED.fullmatch(path.name), path.name)
            self.assertLessEqual(len(flows.text(path)), 1 << 20)
        self.expect_once(files, RECORDS)
        return [one for one in files if one.suffix == ending]

    def test_every_record_once(self):
        for kind, ending in (("zstd", ".zst"), ("gzip", ".gz"), ("none", ".none")):
            with self.subTest(kind):
                for path in self.files():
                    path.unlink()
                self.run_of(kind, ending)

    def test_the_next_start_packs_what_was_left(self):
        """The first run leaves plain files, like one that was killed; the second has time to compress them."""
        self.run_of("none", "")
        plain = len(self.files()) - 1
        (self.dir / "out" / "flows.log.20200101T000000Z.zst.tmp").write_text("half")
        (self.dir / "out" / "flows.log.1").write_text("logrotate's own")
        conf = self.conf("{size: 1GiB, keep: 0, compress: zstd}")
        with open(self.pcap, "rb") as whole:
            one = self.file("one.pcap", whole.read(24 + 16 + 42))
        running = self.start(conf, "--speed", "0.0001", one, self.pcap)  # it does not end by itself
        program.await_that("all packed", lambda: len(list((self.dir / "out").glob("*Z*.zst"))) == plain
                           and not list((self.dir / "out").glob("*.tmp")), running)
        program.await_that("the sources gone", lambda: len(self.files()) == plain + 2, running)
        running.kill()
        running.wait()
        self.assertEqual((self.dir / "out" / "flows.log.1").read_text(), "logrotate's own")
        (self.dir / "out" / "flows.log.1").unlink()
        self.expect_once(self.files(), RECORDS)

    def test_keep_is_kept(self):
        self.replay(self.conf("{size: 64KiB, keep: 3, compress: none}"))
        self.replay(self.conf("{size: 64KiB, keep: 3, compress: none}"))
        # The end of a run does not wait for the retention of its last rotation; the next start does it.
        self.replay(self.conf("{size: 1GiB, keep: 3, compress: none}"))
        files = self.files()
        self.assertEqual(len(files), 4)
        kept = flows.seqs(files[1:])
        self.expect_once(files[1:], len(kept))
        self.assertGreater(len(kept), 100)

    def test_each_file_has_the_header(self):
        self.replay(self.conf("{size: 256KiB, keep: 0, compress: none}", kind="vpc"))
        seen = set()
        for path in self.files():
            head, *lines = flows.text(path).splitlines()
            self.assertTrue(head.startswith("version account-id interface-id srcaddr"))
            for line in lines:
                self.assertEqual(len(line.split(" ")), 14)
                seen.add(line.split(" ")[3])
        self.assertEqual(len(seen), RECORDS)

    def test_off(self):
        self.replay(self.conf("{size: 0, interval: never}"))
        self.assertEqual([one.name for one in self.files()], ["flows.log"])

    def test_mode_and_owner(self):
        if os.geteuid():
            self.skipTest("only root gives files away")
        self.replay(self.conf("{size: 1MiB, keep: 0, compress: none}", ', mode: "0604", owner: "1234:5678"'))
        self.assertGreater(len(self.files()), 3)
        for path in self.files():
            st = path.stat()
            self.assertEqual((st.st_mode & 0o7777, st.st_uid, st.st_gid), (0o604, 1234, 5678))

    def test_check_says_what_is_wrong(self):
        for more, word in ((', mode: "9"', "mode: 9: must be octal"), (", owner: nobody-such", "no user nobody-such"),
                           (", layout: aws, flow_log_id: x", "flow_log_id: x: must be fl-")):
            done = program.fffa("check", "-c", self.conf("{size: 1MiB}", more))
            self.assertEqual(done.returncode, 78)
            self.assertIn(word, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
