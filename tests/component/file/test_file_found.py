#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the file sink makes of files that are there, that go away, or that another writes to."""
import shutil
import signal
import subprocess
import unittest

import flows
import program

RECORDS = 300
COLUMNS = {"default": 14, "v5": 29}


class Found(flows.Case):
    def setUp(self):
        super().setUp()
        self.folder = self.dir / "sub"
        self.folder.mkdir(mode=0o755)
        self.out = self.folder / "flows.log"
        self.pcap = self.file("flows.pcap", flows.capture(RECORDS, 30))

    def conf(self, sink, more=""):
        return self.file("fffa.yaml", f"{flows.LIMITS}{more}sinks: [{{name: out, type: file, path: {self.out}, "
                                      f"batch: {{age: 10ms}}, rotate: {{size: 0, interval: never, compress: none}}, "
                                      f"{sink}}}]\n")

    def replay(self, sink):
        """Runs to the end; returns what it logged."""
        done = program.fffa("replay", "-c", self.conf(sink), self.pcap)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, rf"records={RECORDS} delivered={RECORDS} ")
        return done.stderr

    def rotated(self):
        return sorted(path for path in self.folder.iterdir() if path != self.out)

    def test_a_text_without_newline_keeps_every_byte(self):
        for fmt in ("json", "vpc", "flowlog"):
            for text in (b"keep me", b"first\nsecond", b"\0\1\2", b"{\"a\": 1}\n{\"a\":"):
                self.out.write_bytes(text)
                said = self.replay(f"format: {fmt}")
                self.assertTrue(self.out.read_bytes().startswith(text + b"\n"), (fmt, text))
                self.assertIn("gets a newline", said)
                self.assertEqual(self.rotated(), [])

    def test_a_torn_record_of_ours_is_cut(self):
        for fmt in ("json", "vpc", "flowlog", "msgpack", "ocsf", "ecs"):
            self.out.unlink(missing_ok=True)
            self.replay(f"format: {fmt}")
            whole = self.out.read_bytes()
            self.out.write_bytes(whole[:-20])
            said = self.replay(f"format: {fmt}")
            self.assertIn("cut back by", said)
            now = self.out.read_bytes()
            self.assertEqual(len(self.rotated()), 0)
            kept = whole[:len(now) - (len(whole) - (len(whole.splitlines(True)[0]) if fmt == "vpc" else 0))]
            self.assertTrue(now.startswith(kept), fmt)
            self.assertLess(len(whole) - len(kept), 2500)
            if fmt != "msgpack":
                self.assertEqual(now.count(b"\n"), 2 * RECORDS - 1 + (fmt == "vpc"))

    def test_other_fields_or_format_are_rotated(self):
        steps = ["format: vpc", "format: vpc, fields: v5", "format: json", "format: json, fields: [srcaddr, seq]",
                 "format: flowlog", "format: msgpack", "format: ocsf", "format: vpc, header: false", "format: ecs"]
        for i, sink in enumerate(steps):
            said = self.replay(sink)
            self.assertEqual(len(self.rotated()), i, sink)
            self.assertEqual("it was rotated" in said, i > 0)
        lines = self.rotated()[1].read_text().splitlines()
        self.assertEqual({len(line.split()) for line in lines}, {COLUMNS["v5"]})

    def test_the_same_fields_are_not_rotated(self):
        for sink in ("format: vpc", "format: json", "format: msgpack", "format: ocsf"):
            self.out.unlink(missing_ok=True)
            self.replay(sink)
            size = self.out.stat().st_size
            said = self.replay(sink)
            self.assertNotIn(" warn ", said)
            self.assertEqual(self.rotated(), [])
            self.assertGreater(self.out.stat().st_size, size)

    def test_a_removed_file_and_folder_come_again(self):
        def remove_folder():
            """Under another name nobody makes a file in it meanwhile."""
            shutil.rmtree(self.folder.rename(self.dir / "going"))

        running = self.start(self.conf("format: vpc"), "--speed", "5", self.pcap)
        for remove in (self.out.unlink, remove_folder):
            program.await_that("records", lambda: self.out.exists() and self.out.stat().st_size > 2000, running)
            remove()
            program.await_that("a new file", self.out.exists, running)
        self.ends_well(running, RECORDS)
        self.assertTrue(self.out.read_text().startswith("version account-id "))
        self.assertEqual(self.said().count("was removed; it is made anew"), 2)

    def test_copytruncate_brings_the_header_again(self):
        running = self.start(self.conf("format: vpc"), "--speed", "5", self.pcap)
        for _ in range(5):
            program.await_that("records", lambda: self.out.exists() and self.out.stat().st_size > 2000, running)
            with self.out.open("r+b") as out:
                out.truncate(0)
        self.ends_well(running, RECORDS)
        lines = self.out.read_text().splitlines()
        self.assertTrue(lines[0].startswith("version account-id "))
        self.assertEqual(sum(line.startswith("version") for line in lines), 1)

    def test_a_second_writer_is_refused(self):
        running = self.start(self.conf("format: json"), "--speed", "5", self.pcap)
        program.await_that("records", lambda: self.out.exists() and self.out.stat().st_size > 2000, running)
        self.assertTrue(self.stop(running))  # it has the file until the second one has asked for it
        link = self.dir / "link"
        link.symlink_to(self.out)
        second = self.file("second.yaml", f"sinks: [{{name: two, type: file, format: json, path: {link}}}]\n")
        done = program.fffa("replay", "-c", second, self.pcap)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("another process or sink writes to", done.stderr)
        running.send_signal(signal.SIGCONT)
        self.ends_well(running, RECORDS)
        self.expect_once([self.out], RECORDS)

    def test_two_sinks_on_one_file_are_a_mistake(self):
        (self.dir / "alias").symlink_to(self.folder)
        sinks = [f"{{name: s{i}, type: file, format: json, path: {path}}}"
                 for i, path in enumerate((self.out, self.dir / "alias" / "flows.log"))]
        conf = self.file("two.yaml", f"sinks: [{', '.join(sinks)}]\n")
        for args in (("check", "-c", conf), ("run", "-c", conf), ("replay", "-c", conf, self.pcap)):
            done = program.fffa(*args)
            self.assertEqual(done.returncode, 78, args)
            self.assertIn("sinks[1].path", done.stdout + done.stderr)

    def test_devices_are_refused(self):
        conf = self.file("device.yaml", "sinks: [{name: d, type: file, format: json, path: /dev/full}]\n")
        done = program.fffa("replay", "-c", conf, self.pcap)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is a device", done.stderr)
        read_by = subprocess.run([program.FFFA, "replay", "-c", self.file("out.yaml", conf.read_text().replace("full", "stdout")),
                                  self.pcap], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(read_by.returncode, 0, read_by.stderr)
        self.assertEqual(read_by.stdout.count(b"\n"), RECORDS)


if __name__ == "__main__":
    unittest.main()
