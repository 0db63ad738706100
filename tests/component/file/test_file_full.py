#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A disk is full or read-only for a while; afterwards every record is in the files once."""
import os
import signal
import subprocess
import unittest

import flows
import namespace
import program

RECORDS = 12000


def mount(*args):
    subprocess.run(["mount", *map(str, args)], check=True)


class Full(flows.Case):
    def setUp(self):
        super().setUp()
        self.disk = self.dir / "disk"
        self.disk.mkdir()
        mount("-t", "tmpfs", "-o", "size=1m", "fffa-test", self.disk)
        self.addCleanup(subprocess.run, ["umount", "-l", self.disk], check=True)
        self.pcap = self.file("flows.pcap", flows.capture(RECORDS, 300))

    def conf(self, more, name="flows.log"):
        return self.file("fffa.yaml", f"{flows.LIMITS}sinks: [{{name: out, type: file, format: json, "
                                      f"path: {self.disk}/{name}, retry: {{min: 10ms, max: 50ms}}{more}}}]\n")

    def full_then_not(self, conf):
        running = self.start(conf, self.pcap)
        program.await_that("no room", lambda: "No space left on device" in self.said(), running)
        mount("-o", "remount,size=64m", self.disk)
        self.ends_well(running, RECORDS)

    def test_full(self):
        self.full_then_not(self.conf(", rotate: {size: 0, interval: never}"))
        self.expect_once(self.disk.iterdir(), RECORDS)

    def test_full_with_rotation(self):
        self.full_then_not(self.conf(", rotate: {size: 200KiB, keep: 0, compress: gzip}"))
        self.expect_once(self.disk.iterdir(), RECORDS)

    def test_full_with_objects(self):
        mount("-o", "remount,size=16k", self.disk)
        conf = self.conf(", layout: aws", "bucket")
        conf.write_text(conf.read_text().replace("json", "vpc"))
        self.full_then_not(conf)
        seen = []
        for path in self.disk.rglob("*.log.gz"):
            self.assertIn("AWSLogs", str(path))
            seen += [line.split(" ")[3] for line in flows.text(path).splitlines()[1:]]
        self.assertEqual((len(seen), len(set(seen))), (RECORDS, RECORDS))

    def test_read_only(self):
        """A read-only file system covers the folder for a while, so neither HUP nor rotation can create a file."""
        mount("-o", "remount,size=64m", self.disk)
        running = self.start(self.conf(", batch: {age: 10ms}, rotate: {size: 100KiB, keep: 0, compress: none}"),
                             "--speed", "50", self.pcap)
        program.await_that("some records", lambda: list(self.disk.glob("flows.log*")), running)
        mount("-t", "tmpfs", "-o", "ro", "fffa-test", self.disk)
        program.await_that("rotation fails", lambda: "cannot rotate the file" in self.said(), running)
        running.send_signal(signal.SIGHUP)
        program.await_that("HUP fails", lambda: "the old file stays in use" in self.said(), running)
        self.assertIn("read-only file system", self.said())
        subprocess.run(["umount", self.disk], check=True)
        self.ends_well(running, RECORDS)
        self.expect_once(self.disk.iterdir(), RECORDS)


if __name__ == "__main__":
    if os.geteuid():
        program.skip_all("needs root: a small file system of its own")
    if reason := namespace.enter_mounts():
        program.skip_all(reason)
    unittest.main()
