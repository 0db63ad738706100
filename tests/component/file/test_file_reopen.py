#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""logrotate with mv and HUP, or with copytruncate, loses and repeats no record of a running agent."""
import signal
import unittest

import flows
import program

RECORDS = 3000


class Reopen(flows.Case):
    def setUp(self):
        super().setUp()
        self.out = self.dir / "flows.log"
        self.conf = self.file("fffa.yaml", f"{flows.LIMITS}sinks: [{{name: out, type: file, format: json, "
                                           f"path: {self.out}, batch: {{age: 10ms}}, "
                                           "rotate: {size: 0, interval: never}}]\n")
        pcap = self.file("flows.pcap", flows.capture(RECORDS, 300))
        self.running = self.start(self.conf, "--speed", "40", pcap)

    def has(self, path, size=1):
        return lambda: path.exists() and path.stat().st_size >= size

    def test_mv_and_hup(self):
        moved = [self.dir / f"flows.log.{i}" for i in range(3)]
        for path in moved:
            program.await_that("some records", self.has(self.out, 20000), self.running)
            self.out.rename(path)
            before = path.stat().st_size
            program.await_that("it goes on in the moved file", self.has(path, before + 1), self.running)
            self.assertFalse(self.out.exists())
            self.running.send_signal(signal.SIGHUP)
            program.await_that("a new file", self.has(self.out), self.running)
        self.ends_well(self.running, RECORDS)
        self.expect_once([self.out, *moved], RECORDS)

    def test_copytruncate(self):
        """The file has no hole. (Every program loses what it writes between copy and truncate.)"""
        program.await_that("some records", self.has(self.out, 20000), self.running)
        self.assertTrue(self.stop(self.running))
        copy = self.file("copy", self.out.read_bytes())
        with self.out.open("r+b") as out:
            out.truncate(0)
        self.running.send_signal(signal.SIGCONT)
        self.ends_well(self.running, RECORDS)
        self.assertNotIn(b"\0", self.out.read_bytes())
        # The stop may have come during the write of a batch, so its end may be in either file.
        both = self.file("both", copy.read_bytes() + self.out.read_bytes())
        self.expect_once([both], RECORDS)


if __name__ == "__main__":
    unittest.main()
