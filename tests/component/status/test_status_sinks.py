#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A sink is up when its receiver took records, and /readyz says which setting stops one."""
import http.server
import threading
import time
import unittest

import agent
import namespace
import program


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b"" if self.server.status == 200 else b"nobody here"
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Sinks(program.Case):
    def serve(self, status):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Handler)
        server.status = status
        self.addCleanup(server.server_close)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.addCleanup(server.shutdown)
        return server

    def run_agent(self):
        return agent.Agent(self, "127.0.0.1:9977", sinks="[{name: h, type: http, format: json, compress: none, url: "
                           "'http://127.0.0.1:8099/v1', retry: {min: 20ms, max: 50ms}, batch: {age: 50ms}, "
                           "queue: {memory: 2MiB}}]")

    def test_a_wrong_setting_and_its_repair(self):
        for status in (404, 400):
            with self.subTest(status=status):
                server = self.serve(status)
                a = self.run_agent()
                agent.send(40000, 5)
                sink = program.await_that("a refusal", lambda: next(
                    (s for s in a.json("/status")["sinks"] if "nobody here" in s["last_error"]), None), a.process)
                self.assertIs(sink["up"], False)
                code, text = program.await_that("not ready", lambda: next(
                    ((code, text) for code, _, text in [a.get("/readyz")] if code == 503), None), a.process)
                self.assertRegex(text, f"^sink h: HTTP {status} from http://127.0.0.1:8099/v1: .*nobody here$")
                m = a.metrics()
                self.assertEqual(m.sum("fffa_sink_up", sink="h"), 0)
                self.assertEqual(m.sum("fffa_sink_last_delivery_timestamp_seconds", sink="h"), 0)
                self.assertGreater(m.sum("fffa_sink_oldest_record_age_seconds", sink="h"), 0)
                self.assertEqual(m.sum("fffa_sink_queue_capacity_bytes", sink="h"), 2 << 20)
                self.assertEqual(m.sum("fffa_sink_spool_capacity_bytes", sink="h"), 0)
                self.assertEqual(m.sum("fffa_config_last_reload_successful"), 1)
                self.assertEqual(m.sum("fffa_config_pending_restart"), 0)
                server.status = 200
                program.await_that("up", lambda: a.metrics().sum("fffa_sink_up", sink="h") == 1, a.process)
                self.assertEqual(a.get("/readyz")[0], 200)
                self.assertLess(abs(a.metrics().sum("fffa_sink_last_delivery_timestamp_seconds") - time.time()), 60)
                self.assertEqual(a.metrics().sum("fffa_sink_records_total", outcome="rejected"), 0)
                a.stop()
                self.assertEqual(len([line for line in a.log if f"HTTP {status}" in line]), 1, a.log)
                self.doCleanups()
                self.setUp()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
