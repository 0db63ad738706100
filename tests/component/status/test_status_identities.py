#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The ledgers balance on each page of /metrics and /status while traffic flows, and the packets seen agree with the
device's own counters."""
import pathlib
import random
import socket
import threading
import unittest

import agent
import namespace
import program

SCRAPES = 150


class Traffic(threading.Thread):
    """Sends UDP to changing ports and opens short TCP connections until it is stopped."""

    def __init__(self):
        super().__init__()
        self.over = threading.Event()
        self.server = socket.create_server(("127.0.0.1", 0))

    def connection(self):
        with socket.create_connection(self.server.getsockname()) as c:
            s, _ = self.server.accept()
            with s:
                c.sendall(b"question")
                s.recv(100)
                s.sendall(b"answer")
                c.recv(100)

    def run(self):
        out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        while not self.over.is_set():
            for _ in range(50):
                out.sendto(bytes(random.randrange(1400)), ("127.0.0.1", random.randrange(20000, 20300)))
            self.connection()
            self.over.wait(0.002)
        out.close()
        self.server.close()

    def stop(self):
        self.over.set()
        self.join()


def device():
    """Returns the packets that lo counts: received, sent."""
    numbers = next(line for line in pathlib.Path("/proc/net/dev").read_text().splitlines()
                   if line.strip().startswith("lo:")).split(":")[1].split()
    return int(numbers[1]), int(numbers[9])


class Case(program.Case):
    more = {}

    def setUp(self):
        super().setUp()
        # A unix socket, because requests over it make no packets.
        self.agent = agent.Agent(self, f"unix:{self.dir}/status", **self.more)
        self.connection = self.agent.connect()
        self.addCleanup(self.connection.close)


class Identities(Case):

    def start_traffic(self):
        traffic = Traffic()
        traffic.start()
        self.addCleanup(traffic.stop)
        return traffic

    def packets_identity(self, m, unit):
        seen, held = m.sum(f"fffa_{unit}_seen_total"), m.sum(f"fffa_{unit}_held")
        self.assertEqual(seen, m.sum(f"fffa_{unit}_recorded_total") + held + m.sum(f"fffa_{unit}_lost_total")
                         + m.sum(f"fffa_{unit}_filtered_total") + m.sum(f"fffa_{unit}_not_on_wire_total"))
        # The sum over the interfaces is all that was seen, without what the kernel holds.
        self.assertEqual(seen, m.sum(f"fffa_{unit}_total") + m.sum(f"fffa_{unit}_held", where="kernel"))

    def sink_identity(self, m):
        offered = m.sum("fffa_sink_records_offered_total", sink="out")
        self.assertEqual(offered, m.sum("fffa_sink_records_total", sink="out")
                         + m.sum("fffa_records_lost_total", sink="out") + m.sum("fffa_sink_in_flight_records", sink="out"))
        self.assertEqual(offered, m.sum("fffa_records_total"))

    def histograms(self, m):
        for name in (n for n, kind in m.types.items() if kind == "histogram"):
            buckets = sorted((float(dict(k[1])["le"]), v) for k, v in m.items() if k[0] == name + "_bucket")
            counts = [v for _, v in buckets]
            if not buckets:
                continue  # this sink has no histogram
            self.assertEqual(counts, sorted(counts))
            self.assertEqual(buckets[-1], (float("inf"), m.sum(name + "_count")))

    def test_metrics_while_traffic_flows(self):
        traffic, before, in_kernel = self.start_traffic(), {}, 0
        for _ in range(SCRAPES):
            m = self.agent.metrics(self.connection)
            for unit in ("packets", "bytes"):
                self.packets_identity(m, unit)
            self.sink_identity(m)
            self.histograms(m)
            for key, value in m.counters():
                self.assertGreaterEqual(value, before.get(key, 0), key)
            self.assertLessEqual(set(before), {key for key, _ in m.counters()})
            before = dict(m.counters())
            in_kernel += m.sum("fffa_packets_held", where="kernel") > 0
            traffic.over.wait(0.02)
        # The test means something only if records left and pages saw packets between kernel and agent.
        self.assertGreater(m.sum("fffa_sink_records_total", outcome="delivered"), 100)
        self.assertGreater(in_kernel, SCRAPES // 4)
        traffic.stop()
        self.agent.stop()

    def test_status_while_traffic_flows(self):
        traffic = self.start_traffic()
        for _ in range(SCRAPES):
            s = self.agent.json("/status", self.connection)
            for unit in ("packets", "bytes"):
                book = s["ledger"][unit]
                self.assertEqual(book["seen"], book["recorded"] + book["held"] + book["filtered"] + book["not_on_wire"]
                                 + sum(book["lost"].values()))
            for sink in s["sinks"]:
                self.assertEqual(sink["records"], sink["delivered"] + sink["rejected"] + sink["in_flight"]
                                 + sum(sink["lost"].values()))
            self.assertEqual([s["ledger"]["balance"]] + [x["balance"] for x in s["sinks"]], ["ok", "ok"])
            traffic.over.wait(0.01)
        self.assertGreater(s["ledger"]["packets"]["recorded"], 0)
        traffic.stop()
        self.agent.stop()

    def test_seen_is_what_passed(self):
        rx, tx = device()
        base = self.agent.metrics(self.connection)
        traffic = self.start_traffic()
        traffic.over.wait(1)
        traffic.stop()

        def settled():
            m = self.agent.metrics(self.connection)
            return m if m.sum("fffa_packets_held") == 0 else None

        m = program.await_that("all in records", settled, self.agent.process)
        now = device()
        for direction, count in (("ingress", now[0] - rx), ("egress", now[1] - tx)):
            for name in ("fffa_packets_seen_total", "fffa_packets_total"):
                self.assertEqual(m.sum(name, direction=direction) - base.sum(name, direction=direction), count)
        self.assertEqual(m.sum("fffa_packets_total", interface="lo"), m.sum("fffa_packets_seen_total"))
        self.assertEqual(m.sum("fffa_flows_active"), 0)
        self.assertEqual(self.agent.stop()["seen_packets"], m.sum("fffa_packets_seen_total"))


class Flows(Case):
    more = {"flows": "{idle_timeout: 1h}"}  # they stay until the test has seen them

    def test_flows(self):
        sent = (30001, 30), (30002, 20), (30003, 10)
        for port, count in sent:
            agent.send(port, count)

        def all_there():
            """A drain may have come while they were sent: then their last packets are there after the next one."""
            got = [f for f in self.agent.json("/flows?n=20", self.connection)["flows"]
                   if f.get("dstport") in range(30001, 30004)]
            return got if sum(f["packets"] for f in got) >= 2 * sum(n for _, n in sent) else None

        got = program.await_that("three flows, both ways", all_there, self.agent.process)
        self.assertEqual([(f["dstport"], f["packets"], f["bytes"]) for f in got],
                         [(port, n, 100 * n) for port, n in sent for _ in (0, 1)])
        for f in got:
            self.assertEqual((f["srcaddr"], f["dstaddr"], f["protocol"], f["interface"]),
                             ("127.0.0.1", "127.0.0.1", 17, "lo"))
            self.assertLessEqual(f["start_ms"], f["end_ms"])
        self.assertEqual({f["direction"] for f in got}, {"ingress", "egress"})

    def test_flows_n(self):
        for query, code in (("?n=1", 200), ("?n=1000", 200), ("?n=99999999999", 200), ("", 200), ("?n=0", 400), ("?n=", 400),
                            ("?n=x", 400), ("?n=-1", 400), ("?n=1%20", 400), ("?m=1", 200)):
            with self.subTest(query):
                self.assertEqual(self.agent.get("/flows" + query)[0], code)


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
