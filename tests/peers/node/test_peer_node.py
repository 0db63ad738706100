#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A collector on Node's http server with a limit for bodies: what it refuses comes again in smaller batches, once."""
import json
import pathlib
import shutil
import subprocess
import unittest
import urllib.request

import frames as f
import peer
import program

LIMIT = 20_000
RECORDS = 3000


class Node(program.Case):
    def setUp(self):
        super().setUp()
        script = pathlib.Path(__file__).with_name("collector.js")
        self.server = subprocess.Popen(["node", script, str(LIMIT)], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (self.server.kill(), self.server.wait(), self.server.stdout.close()))
        self.url = f"http://127.0.0.1:{int(self.server.stdout.readline())}"

    def kept(self):
        with urllib.request.urlopen(self.url + "/bodies", timeout=program.WAIT_S) as answer:
            return json.load(answer)

    def deliver(self, path):
        packets = [(peer.T0 * 10**9 + i, f.eth(f.ip(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", "10.9.9.9", 17, f.udp(1, 2))))
                   for i in range(RECORDS)]
        capture = self.file("flows.pcap", f.pcap(packets))
        conf = self.file("fffa.yaml", f"sinks: [{{name: out, type: http, format: json, url: '{self.url}{path}', compress: none, "
                                      "batch: {records: 400}, retry: {min: 20ms, max: 100ms}}]\n")
        done = program.fffa("replay", "-c", conf, capture)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, rf"sink=out .*\bdelivered={RECORDS} rejected=0 ")
        return done.stderr

    def whole(self, path):
        self.deliver(path)
        kept = self.kept()
        self.assertGreater(kept["refusals"][path], 3)
        self.assertLessEqual(max(map(len, kept["bodies"])), LIMIT)
        numbers = [json.loads(line)["seq"] for body in kept["bodies"] for line in body.splitlines()]
        self.assertEqual(sorted(numbers), list(range(min(numbers), min(numbers) + RECORDS)), "each record once")

    def test_a_limit_for_the_announced_length(self):
        self.whole("/announced")

    def test_a_limit_for_the_bytes_that_came(self):
        self.whole("/counted")

    def test_a_connection_that_ends_behind_the_answer(self):
        self.whole("/cut")


if __name__ == "__main__":
    if not shutil.which("node"):
        program.skip_all("node is not installed")
    unittest.main()
