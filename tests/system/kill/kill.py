#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""An agent that is killed 50 times loses no record without a report: kill.py FFFA KAFKA_MOCK

A running agent with a spool for each sink is killed (SIGKILL) at random moments, with batches that are open for 40 ms
to 30 s. In the end the peers have, for each start of the agent, every number from 1 to the last, or a SKIPDATA record
that reports it. A record is repeated only with its whole batch.

Then the same with a segment of each sink damaged after each kill: 10 kills, or FFFA_STORM of them. FFFA_SEED repeats a
course.
"""

import collections
import contextlib
import json
import os
import random
import signal
import struct
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
PARTITIONS = 4  # of a topic of the broker
BUSY_S = 60  # for what takes a second: a build with a sanitizer on a busy machine is slow
SINKS = ("file", "http", "kafka")
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
shutdown_timeout: 60s
spool_dir: {dir}/spool
sinks:
  - {{name: file, type: file, format: json, path: {dir}/flows.json, rotate: {{size: 1MiB, compress: none, keep: 1000}}, batch: {{age: {age[0]}ms{bytes}}},
      queue: {queue}}}
  - {{name: http, type: http, format: json, url: "http://{peer}:8080/", compress: gzip, batch: {{age: {age[1]}ms, records: {records}{bytes}}},
      queue: {queue}, retry: {{min: 10ms, max: 100ms}}}}
  - {{name: kafka, type: kafka, format: json, brokers: ["{brokers}"], topic: flows, key: none, records_per_message: 100, batch: {{age: {age[2]}ms{bytes}}},
      queue: {queue}, retry: {{min: 10ms, max: 100ms}}}}
"""
LARGE = {"queue": "{spool: 64MiB}", "records": 200, "bytes": ""}
SMALL = {"queue": "{spool: 1MiB, memory: 256KiB}", "records": 100, "bytes": ", bytes: 64KiB"}  # several segments, which get full

# At most 5 000 flows a second, of one packet each.
SEND = """
import socket, sys, time
while True:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for port in range(9000, 9100):
            s.sendto(b"x" * 32, (sys.argv[1], port))
    time.sleep(0.02)
"""

SEGMENT_HEAD, FRAME_HEAD, INDEX = 128, 256, 24
FRAME = b"\xfe\x0dFFFA\x00\x01"


def choose_course():
    seed = int(os.environ.get("FFFA_SEED", random.randrange(1 << 32)))
    print("seed", seed, flush=True)  # also when the time is up
    return random.Random(seed)


def choose_ages(dice):
    """Milliseconds for each sink. Short ones are as probable as long ones."""
    return [int(40 * 750 ** dice.random()) for _ in SINKS]


class Damage:
    """What the segments held that were damaged."""

    def __init__(self):
        self.done = []
        self.numbers = set()  # (epoch, seq)
        self.reports = self.reported = 0  # SKIPDATA records, and numbers that they stood for

    def note(self, path):
        """See agent/spool/README.md for the layout."""
        with open(path, "rb") as f:
            data = f.read()
        at = data.find(FRAME, SEGMENT_HEAD)
        while at >= 0 and at + FRAME_HEAD <= len(data):
            records, flags = struct.unpack_from("<I8xI", data, at + 8)
            epoch, first = struct.unpack_from("<QQ", data, at + 32)
            if flags & 1:
                self.reports += 1
                self.reported += struct.unpack_from("<Q", data, at + 104)[0]
            elif at + FRAME_HEAD + records * INDEX <= len(data):
                for n in range(records):
                    self.numbers.add((epoch, first + struct.unpack_from("<I", data, at + FRAME_HEAD + n * INDEX + 4)[0]))
            at = data.find(FRAME, at + 1)

    def do(self, spool, dice):
        """Damages one segment, in one of several ways."""
        self.done.append(damage(spool, dice, self.note))


def damage(spool, dice, note):
    """Returns how. note(PATH) is called before."""
    segments = [name for name in sorted(os.listdir(spool)) if name.endswith(".seg")] if os.path.isdir(spool) else []
    if not segments:
        return "none"
    path = os.path.join(spool, dice.choice(segments))
    if os.path.islink(path) or not os.path.isfile(path):
        return "none"
    note(path)
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
    def begin(self, lab, fail):
        """Starts all peers and the traffic."""
        netns_fixture.quiet(lab)
        os.mkdir(lab.file("spool"))
        # Whoever was killed with a folder of the same number, which is free again, left this.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.page(lab))
        self.sent = {}  # epoch: the last number given out
        self.collector = Collector((L.PEER4, 8080), fail, lab.peer)
        self.addCleanup(self.collector.close)
        self.start_kafka(lab)
        lab.start(lab.host, "sender", "/usr/bin/python3", "-c", SEND, L.PEER4)

    def test_nothing_is_missing(self):
        dice = choose_course()
        with L.Lab(offloads=False) as lab:
            self.begin(lab, lambda n: dice.choice([None] * 8 + ["store", 429]))
            for n in range(KILLS):
                self.start_and_kill(lab, LARGE, dice, n)
            self.run_to_the_end(lab, LARGE)
            self.assertEqual(self.collector.different, [])
            for name, records in self.arrived(lab).items():
                found = books.no_holes(self, records, once=name == "http")
                self.assertGreater(len(found), KILLS // 2)
                lost, _ = self.check_reports(name, records, Damage())
                twice = sum(sum(c.values()) - len(c) for c in found.values())
                print(f"{KILLS} kills; {name}: {sum(self.sent.values())} records, {lost} reported as lost, {twice} twice")
            print(f"http: {self.collector.repeats} batches came twice")

    def test_damage_is_reported(self):
        dice = choose_course()
        with L.Lab(offloads=False) as lab:
            down = [True]
            self.begin(lab, lambda n: 503 if down[0] else None)
            damages = {name: Damage() for name in SINKS}
            for n in range(STORM):
                # Most of the time both peers are down, so that their spools get full.
                down[0] = n % 4 != 3
                self.mock.p.send_signal(signal.SIGSTOP if down[0] else signal.SIGCONT)
                self.start_and_kill(lab, SMALL, dice, n)
                for name in SINKS:
                    damages[name].do(lab.file(f"spool/{name}"), dice)
            down[0] = False
            self.mock.p.send_signal(signal.SIGCONT)
            self.run_to_the_end(lab, SMALL)
            total = 0
            for name, records in self.arrived(lab).items():
                lost, both = self.check_reports(name, records, damages[name])
                total += lost
                print(f"{STORM} kills; {name}: {sum(self.sent.values())} records, {lost} reported as lost, {both} of them have "
                      f"arrived; damage: {' '.join(damages[name].done)}")
            self.assertGreater(total, 0)

    def check_reports(self, name, records, damages):
        """
        Each number that was given out is in a record or reported. What arrived right before a kill is reported, too,
        if the segment was damaged that still had it. Returns how many were reported and how many of them arrived.
        """
        have = {(r["epoch"], r["seq"]) for r in records if not r.get("lost_records")}
        reports = {(r["epoch"], r["seq"], r["lost_records"], r["lost_reason"]) for r in records if r.get("lost_records")}
        numbers = collections.Counter(epoch for epoch, _ in have)
        told = collections.Counter()
        for epoch, _, lost, _ in reports:
            told[epoch] += lost
        self.assertLessEqual(numbers.keys() | told.keys(), self.sent.keys())
        for epoch, sent in self.sent.items():
            self.assertGreaterEqual(numbers[epoch] + told[epoch], sent, f"{name}, epoch {epoch}: {numbers[epoch]} records, "
                                    f"{told[epoch]} reported of {sent}; {damages.done}")
        both = numbers.total() + told.total() - sum(self.sent.values())
        self.assertLessEqual(both, len(damages.numbers & have) + damages.reported, f"{name}: {damages.done}")
        # A report has a number of its own, unless it arrived and was made again.
        same = collections.Counter((epoch, seq) for epoch, seq, _, _ in reports)
        self.assertLessEqual(len(reports) - len(same), damages.reports,
                             f"{name}: {[r for r in sorted(reports) if same[r[:2]] > 1]}; {damages.done}")
        return told.total(), both

    def start(self, lab, sizes, age):
        config = CONFIG.format(dir=lab.dir, peer=L.PEER4, brokers=self.brokers, age=age, **sizes)
        return lab.start(lab.host, "agent", FFFA, "run", "-c", lab.file("fffa.yaml", config))

    def start_and_kill(self, lab, sizes, dice, n):
        agent = self.start(lab, sizes, choose_ages(dice))
        # A random time, so that the kill comes at any point of its work: one while it starts, one after that, and six
        # when there are records.
        if n % 8:
            agent.await_line("kernel table ready", BUSY_S)
        if n % 4:
            L.await_true("a record", lambda: agent.p.poll() is not None or self.given_out(lab).keys() - self.sent.keys(), BUSY_S)
        time.sleep(dice.uniform(0, 0.5))
        self.assertEqual(agent.end(signal.SIGKILL), -signal.SIGKILL, agent.text(agent.err))
        self.assertNotIn("Sanitizer", agent.text(agent.err))
        self.sent |= self.given_out(lab)

    def page(self, lab):
        st = os.stat(lab.file("spool"))
        return f"/dev/shm/fffa-{st.st_dev:x}-{st.st_ino:x}"

    def given_out(self, lab):
        """{epoch: the last number}, from the page that outlives the agent."""
        page = self.page(lab)
        if not os.path.exists(page):
            return {}  # it was killed before it made one
        with open(page, "rb") as f:
            magic, epoch, seq = struct.unpack("<8sQQ", f.read(24))
        return {epoch: seq} if magic == b"fffafms1" and seq else {}

    def run_to_the_end(self, lab, sizes):
        last = self.start(lab, sizes, [40] * len(SINKS))
        last.await_line("kernel table ready", BUSY_S)
        before = self.collector.stored
        L.await_true("records of the last agent", lambda: self.collector.stored > before + 100, BUSY_S)
        self.assertEqual(last.end(signal.SIGTERM, 90), 0, last.text(last.err))
        says = last.text(last.err)
        self.assertNotIn("Sanitizer", says)
        for name in SINKS:
            self.assertRegex(says, rf"ledger: sink={name} .* in_flight=0 .*balance=ok")

    def arrived(self, lab):
        """What each peer has."""
        found = {"file": self.written(lab), "http": self.collector.records(), "kafka": self.read_kafka(lab)}
        # Of the agent that was not killed no page is left.
        last = max(r["epoch"] for records in found.values() for r in records)
        self.sent.setdefault(last, max(r["seq"] for records in found.values() for r in records if r["epoch"] == last))
        return found

    def start_kafka(self, lab):
        """A broker, and a consumer that reads the whole topic meanwhile: the broker keeps 5 MiB of each partition."""
        # It ends when its input does. A FIFO that is open for reading and writing never ends.
        os.mkfifo(lab.file("mock.in"))
        self.mock = lab.start(lab.host, "mock", "/bin/sh", "-c", 'exec "$0" <>"$1"', MOCK, lab.file("mock.in"))
        self.brokers = self.mock.await_line(r"127\.0\.0\.1:\d+").group(0)
        # The topic exists before its consumer.
        self.produce(lab, 0)
        self.consumer = lab.start(lab.host, "consumer", "kcat", "-C", "-m", "60", "-u", "-q", "-b", self.brokers, "-t", "flows", "-o", "beginning")
        # It ends when the broker does not answer its first question, so there must be no load before.
        self.consumer.await_line(r"\{\}", BUSY_S)

    def produce(self, lab, partition):
        """An empty record."""
        lab.run(lab.host, "sh", "-c", f"echo {{}} | kcat -P -m 60 -b {self.brokers} -t flows -p {partition}")

    def read_kafka(self, lab):
        # The consumer has read a partition when it has a record that was produced after all others.
        begin = os.path.getsize(self.consumer.out)
        for partition in range(PARTITIONS):
            self.produce(lab, partition)

        def marks():
            with open(self.consumer.out) as f:
                f.seek(begin)
                return f.read().splitlines().count("{}")
        L.await_true("the consumer", lambda: self.consumer.p.poll() is not None or marks() == PARTITIONS, BUSY_S)
        self.assertIsNone(self.consumer.p.poll(), self.consumer.text(self.consumer.err))
        lines = self.consumer.text(self.consumer.out).splitlines()
        return [json.loads(line) for line in lines if line not in ("", "{}")]

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
