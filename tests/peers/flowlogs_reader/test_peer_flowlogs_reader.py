#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""flowlogs-reader reads our files as objects in S3 and our lines as CloudWatch events."""
import json
import os
import pathlib
import shutil
import sys
import unittest

import peer
import program

HERE = pathlib.Path(__file__).parent
VENV = peer.PEERS / "flowlogs_reader"
# It knows versions 2 to 5.
KNOWN = 29


def install():
    done = VENV / "requirements.txt"
    wanted = (HERE / "requirements.txt").read_text()
    if done.exists() and done.read_text() == wanted:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    peer.fetch("a virtual environment", sys.executable, "-m", "venv", VENV)
    peer.fetch("flowlogs-reader", VENV / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps",
               "-r", HERE / "requirements.txt")
    done.write_text(wanted)


class FlowlogsReader(peer.Case):
    def read(self, way, path):
        env = {**os.environ, "AWS_EC2_METADATA_DISABLED": "true"}
        out = peer.run(VENV / "bin/python", "-W", "ignore", HERE / "read.py", way, path, env=env)
        return [json.loads(line) for line in out.splitlines()]

    def same(self, path, got, want):
        self.assertEqual(len(got), len(want), path)
        for record, line in zip(got, want):
            known = dict(list(line.items())[:KNOWN])
            self.assertEqual(record, {name: value for name, value in known.items() if value is not None})

    def test_objects(self):
        for path, want in self.vpc_files("vpc-default.log", "vpc-v5.log", "vpc-all.log"):
            self.same(path, self.read("s3", path), want)

    def test_events(self):
        for path, want in self.vpc_files("vpc-default.log"):
            self.same(path, self.read("cwl", path), want)


if __name__ == "__main__":
    if sys.version_info < (3, 10):
        program.skip_all("Python is older than 3.10")
    install()
    unittest.main()
