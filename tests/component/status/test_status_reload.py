#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HUP adds, changes and removes sinks of a running agent; the others lose and repeat nothing."""
import http.server
import json
import os
import signal
import threading
import time
import unittest

import agent
import namespace
import program


class Collector(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, token=None):
        self.lines, self.lock, self.token = [], threading.Lock(), token
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.server.token in (None, self.headers["Authorization"])
        with self.server.lock:
            if good:
                self.server.lines += body.splitlines()
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


class Reload(program.Case):
    def sink(self, name, more=""):
        return f"{{name: {name}, type: file, format: json, path: {self.dir}/{name}.json, batch: {{age: 50ms}}{more}}}"

    def start(self, sinks):
        self.agent = agent.Agent(self, "127.0.0.1:9977", sinks=sinks, flows="{idle_timeout: 200ms, active_timeout: 1s, nodata: false}")
        self.sinks, self.ended = sinks, threading.Event()
        self.traffic = threading.Thread(target=self.send)
        self.traffic.start()
        self.addCleanup(self.traffic.join)
        self.addCleanup(self.ended.set)

    def send(self):
        port = 0
        while not self.ended.is_set():
            agent.send(20000 + port % 20000)
            port += 1
            time.sleep(0.002)

    def hup(self, sinks):
        """Writes the new sinks and waits until the agent has read them."""
        conf = self.dir / "fffa.yaml"
        text = conf.read_text()
        self.assertEqual(text.count(self.sinks), 1)
        conf.write_text(text.replace(self.sinks, sinks))
        self.sinks = sinks
        before = self.agent.metrics().sum("fffa_config_reloads_total")
        self.agent.process.send_signal(signal.SIGHUP)
        program.await_that("the reload", lambda: self.agent.metrics().sum("fffa_config_reloads_total") > before, self.agent.process)

    def names(self):
        return [s["name"] for s in self.agent.json("/status")["sinks"]]

    def seqs(self, name):
        path = self.dir / f"{name}.json"
        return [json.loads(line)["seq"] for line in path.read_text().splitlines()] if path.exists() else []

    def whole(self, seqs):
        """Each number once, without a hole."""
        self.assertEqual(len(seqs), len(set(seqs)), "a record was repeated")
        self.assertEqual(sorted(seqs), list(range(min(seqs), max(seqs) + 1)), "a record is missing")

    def test_added_changed_removed(self):
        a = self.sink("a")
        self.start(f"[{a}]")
        program.await_that("records", lambda: self.seqs("a"), self.agent.process)
        self.hup(f"[{a}, {self.sink('b')}]")
        self.assertEqual(self.names(), ["a", "b"])
        program.await_that("records of b", lambda: self.seqs("b"), self.agent.process)
        # b writes smaller batches, to another file; it keeps its numbers.
        changed = self.sink("b").replace("b.json", "c.json").replace("age: 50ms", "age: 50ms, records: 3")
        self.hup(f"[{a}, {changed}]")
        program.await_that("records of c", lambda: len(self.seqs("c")) > 20, self.agent.process)
        self.hup(f"[{a}]")
        self.assertEqual(self.names(), ["a"])
        self.agent.logged("sink b is removed: ")
        self.whole(self.seqs("b") + self.seqs("c"))
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_what_needs_a_restart_is_named(self):
        a = self.sink("a")
        self.start(f"[{a}]")
        self.hup(f"[{a.replace('format: json', 'format: flowlog')}]")
        self.agent.logged("sinks[a].format: the new value needs a restart")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 1)
        self.hup(f"[{a}]")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_a_secret_is_changed(self):
        """The collector's token was rotated: what is refused waits for the new one, which needs no HUP."""
        server = Collector(8098, "Bearer old")
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        token = self.file("token", "old")
        h = f"{{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8098/', auth: {{bearer_file: {token}}}, " \
            "retry: {min: 20ms, max: 50ms}, batch: {age: 50ms}}"
        self.start(f"[{h}]")
        program.await_that("records", lambda: server.lines, self.agent.process)
        server.token = "Bearer new"
        self.agent.logged("HTTP 401")
        self.file("token", "new")
        n = len(server.lines)
        program.await_that("records again", lambda: len(server.lines) > n + 50, self.agent.process)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole([json.loads(line)["seq"] for line in server.lines])

    def test_a_storm(self):
        """Sinks come, change and go all the time under load."""
        a, server = self.sink("a"), Collector(8097)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        h = "{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8097/%d', batch: {age: 20ms}}"
        self.start(f"[{a}]")
        before = len(os.listdir(f"/proc/{self.agent.process.pid}/fd"))
        for i in range(100):
            self.hup({0: f"[{a}, {self.sink('b')}]", 1: f"[{h % 1}, {a}]", 2: f"[{a}, {h % 2}]", 3: f"[{a}]"}[i % 4])
            for port in range(30000, 30020):
                agent.send(port)
        self.hup(f"[{a}]")
        program.await_that("descriptors", lambda: len(os.listdir(f"/proc/{self.agent.process.pid}/fd")) <= before + 2, self.agent.process)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))
        for seqs in (self.seqs("b"), [json.loads(line)["seq"] for line in server.lines]):
            self.assertEqual(len(seqs), len(set(seqs)))
        removed = [line for line in self.agent.log if "is removed: " in line]
        self.assertEqual(len(removed), 50)
        self.assertEqual([line for line in removed if not line.endswith(" lost=0\n")], [])


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
