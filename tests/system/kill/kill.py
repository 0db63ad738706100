#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that is killed 50 times loses no record without a report: kill.py FFFA KAFKA_MOCK

A running agent with a spool for each sink is killed (SIGKILL) at random moments, with batches that are open for 30 ms
to 30 s. In the end the peers have, for each start of the agent, every number from 1 to the last, or a SKIPDATA record
that reports it. A record is repeated only with its whole batch.

Then the same with one sink, whose segments are damaged now and then while no agent runs: 10 kills, or FFFA_STORM of
them. FFFA_SEED repeats a course.
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
STORM = int(os.environ.get("FFFA_STORM", "10"))
AGES = ["40ms", "40ms", "1s", "30s"]
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
spool_dir: {dir}/spool
sinks:
  - {{name: file, type: file, format: json, path: {dir}/flows.json, rotate: {{size: 1MiB, compress: none, keep: 1000}}, batch: {{age: {age}}},
      queue: {{spool: 64MiB}}}}
  - {{name: http, type: http, format: json, url: "http://{peer}:8080/", compress: gzip, batch: {{age: {age}, records: 200}},
      queue: {{spool: 64MiB}}, retry: {{min: 10ms, max: 100ms}}}}
  - {{name: kafka, type: kafka, format: json, brokers: ["{brokers}"], topic: flows, key: none, records_per_message: 100, batch: {{age: {age}}},
      queue: {{spool: 64MiB}}, retry: {{min: 10ms, max: 100ms}}}}
"""

STORM_CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
spool_dir: {dir}/spool
sinks:
  - {{name: http, type: http, format: json, url: "http://{peer}:8080/", compress: gzip, batch: {{age: {age}, records: 100, bytes: 64KiB}},
      queue: {{spool: 1MiB, memory: 256KiB}}, retry: {{min: 10ms, max: 100ms}}}}
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


def choose_course():
    seed = int(os.environ.get("FFFA_SEED", random.randrange(1 << 32)))
    print("seed", seed)
    return random.Random(seed)


def damage(spool, dice):
    """Damages one segment, in one of several ways. Returns which."""
    segments = [name for name in sorted(os.listdir(spool)) if name.endswith(".seg")]
    if not segments:
        return "none"
    path = os.path.join(spool, dice.choice(segments))
    if os.path.islink(path) or not os.path.isfile(path):
        return "none"
    how = dice.choice(["removed", "cut", "folder", "link", "renumbered", "overwritten"])
    if how == "removed":
        os.unlink(path)
    elif how == "cut":
        os.truncate(path, dice.randrange(os.path.getsize(path) + 1))
    elif how == "overwritten":
        with open(path, "r+b") as f:
            f.seek(dice.randrange(os.path.getsize(path) + 1))
            f.write(dice.randbytes(500))
    elif how == "renumbered":
        os.rename(path, os.path.join(spool, f"{dice.randrange(1, 1 << 20):016x}.seg"))
    else:
        os.rename(path, path + ".away")
        if how == "folder":
            os.mkdir(path)
        else:
            os.symlink(path + ".away", path)
    return how


class Kill(unittest.TestCase):
    def test_nothing_is_missing(self):
        dice = choose_course()
        with L.Lab(offloads=False) as lab:
            netns_fixture.quiet(lab)
            os.mkdir(lab.file("spool"))
            collector = Collector((L.PEER4, 8080), lambda n: dice.choice([None] * 8 + ["store", 429]), lab.peer)
            self.addCleanup(collector.close)
            brokers = self.start_kafka(lab)
            lab.start(lab.host, "sender", "/usr/bin/python3", "-c", SEND, L.PEER4)
            for _ in range(KILLS):
                config = self.configure(lab, CONFIG, age=dice.choice(AGES), brokers=brokers)
                self.start_and_kill(lab, config, dice)
            says = self.run_to_the_end(lab, self.configure(lab, CONFIG, age="40ms", brokers=brokers), collector)
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

    def test_damage_is_reported(self):
        dice = choose_course()
        with L.Lab(offloads=False) as lab:
            netns_fixture.quiet(lab)
            os.mkdir(lab.file("spool"))
            down = [True]
            collector = Collector((L.PEER4, 8080), lambda n: 503 if down[0] else None, lab.peer)
            self.addCleanup(collector.close)
            lab.start(lab.host, "sender", "/usr/bin/python3", "-c", SEND, L.PEER4)
            done = []
            for n in range(STORM):
                down[0] = n % 4 != 3
                config = self.configure(lab, STORM_CONFIG, age=dice.choice(AGES))
                self.start_and_kill(lab, config, dice)
                if n % 4 != 3:  # after a kill in the middle of deliveries nobody knows what arrived
                    done.append(damage(lab.file("spool/http"), dice))
            down[0] = False
            says = self.run_to_the_end(lab, self.configure(lab, STORM_CONFIG, age="40ms"), collector)
            self.assertRegex(says, r"ledger: sink=http .* in_flight=0 .*balance=ok")
            self.check_reports(collector.records(), done)

    def check_reports(self, records, done):
        """Each number is in a record or reported. What arrived right before a kill may be reported, too."""
        reported = {}
        for r in records:
            reported.setdefault(r["epoch"], {})[r["seq"], r.get("lost_records", 0)] = r.get("lost_records", 0)
        lost = 0
        for epoch, lines in reported.items():
            have = {seq for (seq, n) in lines if not n}
            told = sum(lines.values())
            last = max(seq for seq, _ in lines)
            self.assertGreaterEqual(len(have) + told, last, f"epoch {epoch}: {len(have)} records, {told} reported of {last}; {done}")
            lost += told
        self.assertGreater(lost, 0)
        print(f"{STORM} kills; {len(records)} records, {lost} reported as lost; damage: {' '.join(done)}")

    def configure(self, lab, text, **values):
        return lab.file("fffa.yaml", text.format(dir=lab.dir, peer=L.PEER4, **values))

    def start_and_kill(self, lab, config, dice):
        agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        # A random time, so that the kill comes at any point of its work.
        time.sleep(dice.uniform(0, 0.5))
        agent.end(signal.SIGKILL)

    def run_to_the_end(self, lab, config, collector):
        last = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
        before = len(collector.records())
        L.await_true("records of the last agent", lambda: len(collector.records()) > before + 100)
        self.assertEqual(last.end(signal.SIGTERM), 0, last.text(last.err))
        return last.text(last.err)

    def start_kafka(self, lab):
        """A broker, and a consumer that reads the whole topic after the agent has ended."""
        # It ends when its input does. A FIFO that is open for reading and writing never ends.
        os.mkfifo(lab.file("mock.in"))
        mock = lab.start(lab.host, "mock", "/bin/sh", "-c", 'exec "$0" <>"$1"', MOCK, lab.file("mock.in"))
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
