#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that is killed 50 times loses no accepted record: kill.py FFFA KAFKA_MOCK

A running agent with a spool for each sink is killed (SIGKILL) at random moments. In the end the peers have, for each
start of the agent, every number from 1 to the last. A record is repeated only with its whole batch.
"""

import json
import os
import random
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "netns", "views")]
import netns_fixture  # noqa: E402  first: it says where the others lie
import books  # noqa: E402
import lab as L  # noqa: E402
from collector import Collector  # noqa: E402

FFFA = MOCK = ""
KILLS = int(os.environ.get("FFFA_KILLS", "50"))
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
spool_dir: {dir}/spool
sinks:
  - {{name: file, type: file, format: json, path: {dir}/flows.json, rotate: {{size: 1MiB, compress: none, keep: 1000}}, batch: {{age: 50ms}},
      queue: {{spool: 64MiB}}}}
  - {{name: http, type: http, format: json, url: "http://{peer}:8080/", compress: gzip, batch: {{age: 30ms, records: 200}},
      queue: {{spool: 64MiB}}, retry: {{min: 10ms, max: 100ms}}}}
  - {{name: kafka, type: kafka, format: json, brokers: ["{brokers}"], topic: flows, key: none, records_per_message: 100, batch: {{age: 40ms}},
      queue: {{spool: 64MiB}}, retry: {{min: 10ms, max: 100ms}}}}
"""

SEND = """
import socket, sys, time
s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(8)]
while True:
    for i, x in enumerate(s):
        for port in range(9000, 9100):
            x.sendto(b"x" * 32, (sys.argv[1], port))
        time.sleep(0.01)
    s[0].close()
    s = s[1:] + [socket.socket(socket.AF_INET, socket.SOCK_DGRAM)]
"""


class Kill(unittest.TestCase):
    def test_nothing_is_missing(self):
        seed = random.randrange(1 << 32)
        print("seed", seed)
        dice = random.Random(seed)
        with L.Lab(offloads=False) as lab:
            netns_fixture.quiet(lab)
            os.mkdir(lab.file("spool"))
            collector = Collector((L.PEER4, 8080), lambda n: dice.choice([None] * 8 + ["store", 429]), lab.peer)
            self.addCleanup(collector.close)
            brokers = self.start_kafka(lab)
            lab.start(lab.host, "sender", "/usr/bin/python3", "-c", SEND, L.PEER4)
            config = lab.file("fffa.yaml", CONFIG.format(dir=lab.dir, peer=L.PEER4, brokers=brokers))
            for n in range(KILLS):
                agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
                agent.await_line("kernel table ready")
                # A random time, so that the kill comes at any point of its work.
                time.sleep(dice.uniform(0, 0.5))
                agent.end(signal.SIGKILL)
            last = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
            before = len(collector.records())
            L.await_true("records of the last agent", lambda: len(collector.records()) > before + 100)
            self.assertEqual(last.end(signal.SIGTERM), 0, last.text(last.err))
            says = last.text(last.err)
            for sink in ("file", "http", "kafka"):
                line = [x for x in says.splitlines() if f"ledger: sink={sink} " in x][-1]
                self.assertRegex(line, r" in_flight=0 .*balance=ok")
            http = books.no_holes(self, collector.records(), once=True)
            self.assertEqual(collector.different, [])
            file = books.no_holes(self, self.written(lab), once=False)
            kafka = self.read_kafka(lab, says)
            for by_epoch in (http, file, kafka):
                self.assertGreater(len(by_epoch), KILLS // 2)
            print(f"{KILLS} kills; http: {sum(map(len, http.values()))} records, {collector.repeats} batches twice; "
                  f"file: {sum(map(len, file.values()))} records, {sum(sum(c.values()) - len(c) for c in file.values())} twice; "
                  f"kafka: {sum(map(len, kafka.values()))} records, {sum(sum(c.values()) - len(c) for c in kafka.values())} twice")

    def start_kafka(self, lab):
        """A broker, and a consumer that reads the whole topic after the agent has ended."""
        mock = lab.start(lab.host, "mock", "/bin/sh", "-c", 'tail -f /dev/null | exec "$0"', MOCK)
        brokers = mock.await_line(r"127\.0\.0\.1:\d+").group(0)
        # The topic exists before its consumer.
        lab.run(lab.host, "sh", "-c", f"echo {{}} | kcat -P -b {brokers} -t flows")
        lab.start(lab.host, "consumer", "kcat", "-C", "-u", "-q", "-b", brokers, "-t", "flows", "-o", "beginning")
        return brokers

    def read_kafka(self, lab, says):
        def records():
            with open(lab.file("consumer.out")) as f:
                lines = [json.loads(line) for line in f if line.endswith("\n") and line != "\n"]
            return [r for r in lines if r]
        # The consumer must have what the last agent reported as delivered.
        line = [x for x in says.splitlines() if "ledger: sink=kafka " in x][-1]
        delivered = int(L.re.search(r" delivered=(\d+)", line).group(1))
        epoch = max(r["epoch"] for r in self.written(lab))
        resumed = int((L.re.search(r" resumed=(\d+)", line) or [0, 0])[1])
        L.await_true("the consumer", lambda: sum(r["epoch"] == epoch for r in records()) >= delivered - resumed)
        return books.no_holes(self, records(), once=False)

    def written(self, lab):
        records = []
        for name in sorted(os.listdir(lab.dir)):
            if name.startswith("flows.json"):
                with open(os.path.join(lab.dir, name)) as f:
                    records += [json.loads(line) for line in f]
        return records


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA, MOCK = map(os.path.abspath, sys.argv[1:3])
    unittest.main(argv=sys.argv[:1], verbosity=2)
