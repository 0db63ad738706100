#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The folder of layout aws is a bucket of VPC Flow Logs, also after a kill -9 during a write."""
import collections
import datetime
import re
import signal
import subprocess
import unittest

import flows
import program

RECORDS = 20000
NAME = re.compile(r"AWSLogs/(?:123456789012/vpcflowlogs/eu-west-1/(\d{4})/(\d\d)/(\d\d)"
                  r"|aws-account-id=123456789012/aws-service=vpcflowlogs/aws-region=eu-west-1/"
                  r"year=(\d{4})/month=(\d\d)/day=(\d\d))"
                  r"/123456789012_vpcflowlogs_eu-west-1_fl-[0-9a-f]{17}_(\d{8}T\d{4}Z)_[0-9a-f]+\.log\.gz")


class Bucket(flows.Case):
    def setUp(self):
        super().setUp()
        self.pcap = self.file("flows.pcap", flows.capture(RECORDS, 900))
        self.bucket = self.dir / "new" / "bucket"

    def conf(self, more="", layout="aws"):
        return self.file("fffa.yaml", f"{flows.LIMITS}"
                         "metadata: {static: {account_id: '123456789012', region: eu-west-1}}\n"
                         f"sinks: [{{name: out, type: file, layout: {layout}, path: {self.bucket}{more}}}]\n")

    def read(self):
        """Checks all objects. Returns how often each source address occurs, and the files."""
        seen = collections.Counter()
        files = [path for path in self.bucket.rglob("*") if path.is_file()]
        for path in files:
            match = NAME.fullmatch(str(path.relative_to(self.bucket)))
            self.assertTrue(match, path)
            stamp = match[7]
            slot = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%z").timestamp()
            self.assertEqual(slot % 300, 0)
            self.assertEqual("".join(match.group(1, 2, 3) if match[1] else match.group(4, 5, 6)), stamp[:8])
            subprocess.run(["gzip", "-t", path], check=True)
            head, *lines = flows.text(path).splitlines()
            self.assertEqual(head.split(" ")[10:12], ["start", "end"])
            self.assertTrue(lines, path)
            for line in lines:
                values = line.split(" ")
                self.assertEqual(len(values), 14, line)
                self.assertTrue(slot <= int(values[11]) < slot + 300, line)
                seen[values[3]] += 1
        return seen, files

    def replay(self, conf):
        done = program.fffa("replay", "-c", conf, self.pcap)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(" warn ", done.stderr)
        self.assertNotIn(" error ", done.stderr)

    def test_objects(self):
        for layout in ("aws", "aws_hive"):
            with self.subTest(layout):
                self.bucket = self.dir / layout
                self.replay(self.conf(layout=layout))
                seen, files = self.read()
                self.assertEqual((len(seen), sum(seen.values())), (RECORDS, RECORDS))
                self.assertEqual(len(files), 3)  # 900 s

    def test_full_objects(self):
        self.replay(self.conf(", batch: {records: 100}, rotate: {size: 20KiB}"))
        seen, files = self.read()
        self.assertEqual((len(seen), sum(seen.values())), (RECORDS, RECORDS))
        self.assertGreater(len(files), 3)
        for path in files:
            self.assertLessEqual(path.stat().st_size, 20 << 10)

    def on_the_way(self, running, size):
        """Stops it. Returns true when its parts have so many bytes; else it goes on."""
        if self.stop(running):
            if sum(path.stat().st_size for path in self.bucket.glob(".part/*")) >= size:
                return True
            running.send_signal(signal.SIGCONT)
        return False

    def test_kill_9(self):
        conf = self.conf(", batch: {records: 200, age: 10ms}")
        for size in (1, 4000, 20000, 50000):
            running = self.start(conf, "--speed", "200", self.pcap)
            program.await_that(f"{size} bytes on the way", lambda s=size: self.on_the_way(running, s), running)
            running.kill()
            running.wait()
            self.assertTrue(list(self.bucket.glob(".part/*")))
        self.replay(conf)
        self.assertEqual(list(self.bucket.glob(".part/*")), [])
        seen, _ = self.read()
        self.assertEqual(len(seen), RECORDS)
        self.assertGreater(sum(seen.values()), RECORDS)  # the killed agents had written some
        self.assertLessEqual(max(seen.values()), 5)  # no run has written a record twice


if __name__ == "__main__":
    unittest.main()
