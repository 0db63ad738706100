#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa top: against an agent, against nobody, against what is no agent, and on a terminal."""
import http.server
import json
import os
import pty
import subprocess
import threading
import unittest

import agent
import namespace
import program


class Far(http.server.BaseHTTPRequestHandler):
    pages = {}

    def do_GET(self):
        body = self.pages.get(self.path.split("?")[0])
        self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args):
        pass


class Top(program.Case):
    def top(self, *args):
        return program.fffa("top", "-c", self.dir / "fffa.yaml", *args)

    def serve(self, pages):
        self.file("fffa.yaml", "status: {listen: '127.0.0.1:9977'}\n")
        server = http.server.HTTPServer(("127.0.0.1", 9977), type("Page", (Far,), {"pages": pages}))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for step in (server.server_close, thread.join, server.shutdown):  # in the other order
            self.addCleanup(step)

    def test_one_look(self):
        for listen in ("127.0.0.1:9977", f"unix:{self.dir}/status"):
            with self.subTest(listen):
                a = agent.Agent(self, listen, flows="{idle_timeout: 60s}")
                agent.send(40123, 7)
                program.await_that("the flow", lambda: a.json("/status")["flows"]["active"], a.process)
                shown = program.await_that("the flow in top", lambda: next(
                    (line for line in self.top("--once").stdout.splitlines() if "127.0.0.1:40123" in line), None), a.process)
                self.assertEqual(shown.split()[2], "udp")
                self.assertEqual(shown.split()[5:], ["7", "700"])
                self.assertIn("\nout              file     up ", self.top("--once").stdout)
                a.stop()

    def test_nobody_there(self):
        self.file("fffa.yaml", "status: {listen: '127.0.0.1:9977'}\n")
        done = self.top("--once")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("no agent answers at 127.0.0.1:9977", done.stderr)
        self.assertEqual(self.top().returncode, 1)

    def test_off(self):
        self.file("fffa.yaml", "status: {listen: ''}\n")
        done = self.top("--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn("status.listen is empty", done.stderr)

    def test_usage(self):
        self.file("fffa.yaml", "status: {listen: ''}\n")
        for args in (("--interval", "0"), ("--interval", "x"), ("more",), ("--what",), ("--interval",)):
            self.assertEqual(self.top(*args).returncode, 2, args)

    def test_what_is_no_agent(self):
        good = json.dumps({"ledger": {}}).encode()
        for pages in ({}, {"/status": b"hello", "/flows": b"{}"}, {"/status": good}, {"/status": good, "/flows": b'{"flows":1}'},
                      {"/status": b"[]", "/flows": b"[]"}, {"/status": b"x" * 3000000}):
            with self.subTest(str(pages)[:60]):
                self.serve(pages)
                done = self.top("--once")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("does not answer as an agent", done.stderr)
                self.doCleanups()
                self.setUp()

    def test_what_would_steer_the_terminal(self):
        name = "e\x1b[31m\n\u00e9"
        self.serve({"/status": json.dumps({"ledger": {}, "version": name, "sinks": [{"name": name}]}).encode(),
                    "/flows": json.dumps({"flows": [{"interface": name, "srcaddr": name}]}).encode()})
        done = self.top("--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(all(" " <= c <= "~" or c == "\n" for c in done.stdout), done.stdout)
        self.assertIn("e?[31m???", done.stdout)

    def test_a_terminal(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        ours, theirs = pty.openpty()
        with subprocess.Popen([program.FFFA, "top", "-c", self.dir / "fffa.yaml", "--interval", "0.1"], stdin=theirs,
                              stdout=theirs, stderr=theirs) as p:
            os.close(theirs)
            text = b""
            while text.count(b"\x1b[2J") < 3:  # it is drawn again and again
                text += os.read(ours, 65536)
            os.write(ours, b"q")
            try:
                while os.read(ours, 65536):
                    pass
            except OSError:
                pass  # the other side is closed
            self.assertEqual(p.wait(program.WAIT_S), 0)
        os.close(ours)
        self.assertIn(b"INTERFACE", text)
        a.stop()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
