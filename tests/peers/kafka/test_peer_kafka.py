#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay sends to a real, current Kafka broker; kcat reads the topic."""
import collections
import json
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

import broker as kafka
import frames as f
import program

T0 = 1_700_000_000
STEP_NS = 5_000_000  # of the captures' clock, from packet to packet


def packets(first, n):
    """Writes a capture of connections with one packet each way, each with its own ports."""
    out = []
    for i in range(first, first + n):
        near, far = f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}", "192.0.2.1"
        way = (near, 40000, far, 443) if i % 2 == 0 else (far, 443, f"10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 254}", 40000)
        out.append((T0 * 10**9 + i * STEP_NS, f.eth(f.ip(way[0], way[2], 17, f.udp(way[1], way[3])))))
    return out


class Kafka(program.Case):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="fffa-kafka-", dir=kafka.JARS.parent)
        cls.addClassCleanup(folder.cleanup)
        cls.broker = kafka.Broker(pathlib.Path(folder.name))
        cls.addClassCleanup(lambda: cls.broker.process and cls.broker.kill())
        cls.broker.start()

    # The queue has room for all that a test sends while the broker is away, because a replay waits for room.
    def conf(self, topic, brokers=None, more="", properties=None, fmt="json"):
        fast = {"reconnect.backoff.max.ms": "200", "topic.metadata.refresh.interval.ms": "300",
                "topic.metadata.propagation.max.ms": "500", **(properties or {})}
        return self.file("fffa.yaml", "log: {level: info}\nflows: {idle_timeout: 5s}\nshutdown_timeout: 2s\n"
                         f"sinks:\n- {{name: out, type: kafka, format: {fmt}, brokers: [\"{brokers or self.broker.plain}\"], "
                         f"topic: {topic}, queue: {{memory: 256MiB}}, retry: {{min: 100ms, max: 300ms}}, properties: {json.dumps(fast)}{more}}}\n")

    def begin(self, conf, *captures):
        """The running program. Its log is a file; "-" is its standard input."""
        self.log = self.dir / "log"
        with self.log.open("wb") as out:
            p = subprocess.Popen((program.FFFA, "replay", "-c", conf, *captures), stdin=subprocess.PIPE, stderr=out,
                                 stdout=out)
        self.addCleanup(lambda: (p.kill(), p.wait(), p.stdin.close()))
        return p

    def end(self, p, code=0):
        p.stdin.close()
        p.wait(timeout=60)
        self.assertEqual(p.returncode, code, self.log.read_text())

    def said(self, text):
        return self.log.read_text().count(text)

    def await_said(self, text, p):
        program.await_that(text, lambda: self.said(text), p)

    def settled(self):
        """Returns the numbers of the last line of the sink's ledger."""
        line = [line for line in self.log.read_text().splitlines() if "delivered=" in line][-1]
        return collections.defaultdict(int, {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)})

    def replay(self, conf, n):
        capture = self.file("all.pcap", f.pcap(packets(0, n)))
        p = self.begin(conf, capture)
        self.end(p)
        self.assertEqual(self.settled()["delivered"], n)

    def expect_all(self, topic, n):
        """Checks that every number is there once. With the faults of these tests an idempotent producer repeats nothing."""
        seqs = [json.loads(line)["seq"] for line in self.broker.messages(topic) if line]
        self.assertEqual(len(seqs), len(set(seqs)), "a record was written twice")
        self.assertEqual(sorted(seqs), list(range(min(seqs), min(seqs) + n)))

    def test_content_keys_headers(self):
        self.broker.topic("content", 3)
        self.replay(self.conf("content", fmt="vpc", more=", message_headers: true"), 2000)
        rows = [row.split("|") for row in self.broker.messages("content", "%p|%k|%h|%s")]
        self.assertEqual(len(rows), 2000)
        self.assertEqual({row[2] for row in rows}, {"content-type=text/plain,fffa-schema=1"})
        places = collections.defaultdict(set)
        for partition, key, _, line in rows:
            words = line.split(" ")
            self.assertRegex(key, "^[0-9a-f]{16}$")
            places[frozenset(words[3:5])].add((partition, key))
        self.assertEqual(len(places), 1000)
        self.assertEqual({len(place) for place in places.values()}, {1})  # both directions in one partition, by one key
        self.assertEqual({place[0] for one in places.values() for place in one}, {"0", "1", "2"})
        file = self.file("file.yaml", "flows: {idle_timeout: 5s}\nsinks: [{name: out, type: file, path: \"-\", "
                         "header: false}]\n")
        done = program.fffa("replay", "-c", file, self.dir / "all.pcap")
        self.assertEqual(sorted(row[3] for row in rows), sorted(done.stdout.splitlines()))

    def test_many_records_in_a_message(self):
        self.broker.topic("many")
        self.replay(self.conf("many", more=", key: instance, records_per_message: 500",
                              properties={"compression.type": "zstd"}), 20000)
        self.expect_all("many", 20000)
        self.assertLess(self.broker.count("many"), 1000)

    def in_two_halves(self, topic, meanwhile, more=""):
        """Delivers one half, at least in part; then meanwhile(rest) calls rest to send the other half."""
        half = 20000
        self.broker.topic(topic)
        p = self.begin(self.conf(topic, more=more), "-")
        p.stdin.write(f.pcap(packets(0, half)))
        p.stdin.flush()
        program.await_that("the first records", lambda: self.broker.count(topic) > 0, p)

        def rest():
            p.stdin.write(f.pcap(packets(half, half))[24:])
            p.stdin.close()  # while it waits for input, a replay does nothing else

        meanwhile(p, rest)
        self.end(p)
        self.assertEqual(self.settled()["delivered"], 2 * half)
        self.expect_all(topic, 2 * half)

    def test_killed_and_started_again(self):
        def meanwhile(p, rest):
            self.broker.kill()
            rest()
            self.await_said("no broker can be reached", p)
            self.broker.start()

        self.in_two_halves("killed", meanwhile)
        self.assertEqual(self.said("no broker can be reached"), 1)
        self.assertEqual(self.said("delivers again"), 1)

    def test_frozen(self):
        def meanwhile(p, rest):
            self.broker.freeze()
            try:
                rest()
                time.sleep(1)  # frozen for a second
                self.assertIsNone(p.poll())
            finally:
                self.broker.thaw()

        self.in_two_halves("frozen", meanwhile)

    def test_topic_made_later(self):
        p = self.begin(self.conf("later"), self.file("a.pcap", f.pcap(packets(0, 1000))))
        self.await_said("topic later: unknown to the brokers", p)
        self.broker.topic("later")
        self.end(p)
        self.assertEqual(self.said("topic later: unknown to the brokers"), 1)
        self.expect_all("later", 1000)

    def fails_with(self, text, **conf):
        """Checks that it logs the text, waits, and ends in time with everything counted as lost."""
        p = self.begin(self.conf(**conf), self.file("a.pcap", f.pcap(packets(0, 100))))
        self.await_said(text, p)
        began = time.monotonic()
        p.terminate()
        p.stdin.close()
        p.wait(timeout=30)
        self.assertLess(time.monotonic() - began, 10)
        self.assertEqual(self.said(text), 1, self.log.read_text())
        self.assertEqual(self.settled()["delivered"], 0)
        for secret in (kafka.ADMIN, kafka.WRITER, "wrong-pass-word"):
            self.assertNotIn(secret, self.log.read_text())

    def login(self, user, password):
        return {"security.protocol": "sasl_plaintext", "sasl.mechanism": "PLAIN", "sasl.username": user,
                "sasl.password": password}

    def test_login(self):
        self.broker.topic("login")
        self.replay(self.conf("login", brokers=self.broker.sasl, properties=self.login("admin", kafka.ADMIN)), 100)
        self.expect_all("login", 100)

    def test_wrong_password(self):
        self.fails_with("authentication failed", topic="login", brokers=self.broker.sasl,
                        properties=self.login("admin", "wrong-pass-word"))

    def test_no_permission(self):
        self.broker.topic("denied")
        self.fails_with("no permission to write", topic="denied", brokers=self.broker.sasl,
                        properties=self.login("writer", kafka.WRITER))

    def tls(self, authority):
        return {"security.protocol": "ssl", "ssl.ca.location": str(self.broker.dir / authority)}

    def test_tls(self):
        self.broker.topic("tls")
        self.replay(self.conf("tls", brokers=self.broker.tls, properties=self.tls("ca.pem")), 1000)
        self.expect_all("tls", 1000)

    def test_tls_of_another_authority(self):
        self.fails_with("TLS failed", topic="tls", brokers=self.broker.tls, properties=self.tls("other.pem"))

    def test_smaller_messages_where_the_topic_wants_them(self):
        for name, more in (("small-many", ", key: none, records_per_message: 1000"), ("small-one", "")):
            self.broker.topic(name, 1, "max.message.bytes=20000")
            self.replay(self.conf(name, more=more), 5000)
            self.assertGreater(self.said("the brokers refuse batches"), 0)
            self.expect_all(name, 5000)


if __name__ == "__main__":
    kafka.fetch_jars()
    unittest.main(verbosity=2)
