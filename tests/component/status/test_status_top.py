#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa top: with an agent, without one, with another server, and on a terminal."""
import http.server
import json
import os
import pty
import select
import signal
import socket
import subprocess
import termios
import threading
import time
import unittest

import agent
import namespace
import program


GOOD = {"/status": json.dumps({"ledger": {}}).encode(), "/flows": json.dumps({"flows": []}).encode()}


class Pages(http.server.BaseHTTPRequestHandler):
    """pages: {path: body}; a body of type str is the path of a redirect."""
    pages = {}

    def do_GET(self):
        body = self.pages.get(self.path.split("?")[0])
        if isinstance(body, str):
            self.send_response(302)
            self.send_header("Location", body)
            body = b""
        else:
            self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args):
        pass


class Top(program.Case):
    def top(self, *args, env=None):
        return program.fffa("top", "-c", self.dir / "fffa.yaml", *args, env=env)

    def listen_at(self, listen):
        self.file("fffa.yaml", f"status: {{listen: '{listen}'}}\n")

    def serve(self, pages, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listen_at("127.0.0.1:9977")
        server = type("Server", (http.server.HTTPServer,), {"address_family": family})(
            (address, 9977), type("Page", (Pages,), {"pages": pages}))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for step in (server.server_close, thread.join, server.shutdown):  # cleanups run in reverse order
            self.addCleanup(step)

    def test_once(self):
        for listen in ("127.0.0.1:9977", f"unix:{self.dir}/status"):
            with self.subTest(listen):
                a = agent.Agent(self, listen, flows="{idle_timeout: 60s}")
                agent.send(40123, 7)
                program.await_that("the flow", lambda: a.json("/status")["flows"]["active"], a.process)
                shown = program.await_that("the flow in top", lambda: next(
                    (line for line in self.top("--once").stdout.splitlines() if "127.0.0.1:40123" in line), None), a.process)
                self.assertEqual(shown.split()[2], "udp")
                self.assertEqual(shown.split()[5:], ["7", "700"])
                self.assertRegex(self.top("--once").stdout, "\nout              file     (up|idle) ")  # idle: nothing was delivered yet
                a.stop()

    def test_every_figure_is_within_80_columns(self):
        flow = {"interface": "a-device-of-15c", "direction": "ingress", "protocol": 6, "srcport": 40000, "dstport": 443,
                "srcaddr": "2001:db8:1111:2222:3333:4444:5555:6666", "dstaddr": "2001:db8::1", "packets": 123456789,
                "bytes": 98765432109}
        small = dict(flow, srcaddr="10.0.0.1", dstaddr="10.0.0.2", protocol=17, dstport=53, packets=999999999, bytes=10)
        sink = {"name": "a-sink-with-a-name-of-32-letters", "type": "kafka", "up": True, "delivered": 12345678901,
                "rejected": 123456789, "in_flight": 123456789, "retries": 123456789, "lost": {"queue_full": 123456789},
                "last_error": "no route to host " * 9}
        ledger = {"packets": {"seen": 10**13, "lost": {"table_full": 10**12}}, "bytes": {"seen": 10**16}, "records": 10**10}
        status = {"version": "1.0", "agent_id": "i-1234567890abcdef0", "stage": "running", "uptime_ms": 1000,
                  "ledger": ledger, "flows": {"active": 1048576, "capacity": 1048576}, "sinks": [sink]}
        self.serve({"/status": json.dumps(status).encode(), "/flows": json.dumps({"flows": [flow, small]}).encode()})

        def rows(*args):
            done = self.top("--once", *args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = done.stdout.splitlines()
            self.assertEqual([line for line in lines if len(line) > 80 and "last error" not in line], [])
            at = next(n for n, line in enumerate(lines) if line.startswith("INTERFACE"))
            return lines, [line.split()[-2:] for line in lines[at + 1:]]

        lines, flows = rows()
        self.assertEqual(flows, [["123M", "99G"], ["1000M", "10"]])
        row = next(line for line in lines if line.startswith("a-sink"))
        self.assertEqual(row.split()[2:], ["up", "12G", "123M", "123M", "123M", "123M"])
        self.assertEqual(rows("--sort", "packets")[1], [["1000M", "10"], ["123M", "99G"]])
        self.assertEqual(rows("--filter", "tcp dst port 443 and ip6")[1], [["123M", "99G"]])
        self.assertEqual(rows("--filter", "udp port 53 and host 10.0.0.1")[1], [["1000M", "10"]])
        for args, error in ((("--sort", "x"), "--sort x"), (("--filter", "len > 1"), "--filter: column 1"),
                            (("--filter", "tcp[13] = 2"), "--filter: top does not know the TCP flags")):
            done = self.top("--once", *args)
            self.assertEqual(done.returncode, 2)
            self.assertIn(error, done.stderr.splitlines()[0])

    def test_no_agent_listens(self):
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(f"{self.dir}/dead")
        for listen, why in (("127.0.0.1:9977", "Connection refused"), (f"unix:{self.dir}/dead", "Connection refused"),
                            (f"unix:{self.dir}/absent", "No such file or directory")):
            with self.subTest(listen):
                self.listen_at(listen)
                done = self.top("--once")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertEqual(done.stderr, f"fffa top: no agent answers at {listen}: {why}\n")
                self.assertEqual(self.top().returncode, 1)

    def test_an_address_for_all_interfaces_is_asked_at_loopback(self):
        for address, listen in (("127.0.0.1", "0.0.0.0:9977"), ("::1", "[::]:9977"), ("::1", "[::1]:9977")):
            with self.subTest(listen):
                self.serve(GOOD, address)
                self.listen_at(listen)
                done = self.top("--once")
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.doCleanups()
                self.setUp()

    def test_no_proxy_is_asked(self):
        self.serve(GOOD)
        done = self.top("--once", env=dict.fromkeys(("http_proxy", "all_proxy", "ALL_PROXY"), "http://127.0.0.1:1"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_a_redirect_is_not_followed(self):
        self.serve({"/status": "/moved", "/moved": GOOD["/status"], "/flows": GOOD["/flows"]})
        done = self.top("--once")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("127.0.0.1:9977 does not answer as an agent", done.stderr)

    def test_a_slow_answer_ends(self):
        """A server that sends nothing, and one that sends a byte now and then for ever."""
        over = threading.Event()
        self.addCleanup(over.set)

        def drip(listener):
            peer, _ = listener.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not over.wait(0.1):
                    try:
                        peer.sendall(b" ")
                    except OSError:
                        return

        with socket.create_server(("127.0.0.1", 9977)) as silent, socket.create_server(("127.0.0.1", 9978)) as dripping:
            thread = threading.Thread(target=drip, args=(dripping,))
            thread.start()
            self.addCleanup(thread.join)
            running = []
            for listener in (silent, dripping):
                port = listener.getsockname()[1]
                path = self.file(f"{port}.yaml", f"status: {{listen: '127.0.0.1:{port}'}}\n")
                running.append((port, subprocess.Popen([program.FFFA, "top", "-c", path, "--once"], text=True,
                                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)))
            for port, process in running:
                with process:
                    out, err = process.communicate(timeout=program.WAIT_S)
                self.assertEqual((process.returncode, out), (1, ""))
                self.assertEqual(err, f"fffa top: 127.0.0.1:{port} does not answer as an agent: Connection timed out\n")
            over.set()

    def test_an_empty_listen_address(self):
        self.listen_at("")
        done = self.top("--once")
        self.assertEqual(done.returncode, 1)
        self.assertIn("status.listen is empty", done.stderr)

    def test_usage(self):
        self.listen_at("")
        for args in (("--interval", "0"), ("--interval", "x"), ("more",), ("--what",), ("--interval",)):
            self.assertEqual(self.top(*args).returncode, 2, args)

    def test_answers_of_no_agent(self):
        good = json.dumps({"ledger": {}}).encode()
        for pages in ({}, {"/status": b"hello", "/flows": b"{}"}, {"/status": good}, {"/status": good, "/flows": b'{"flows":1}'},
                      {"/status": b"[]", "/flows": b"[]"}, {"/status": b"x" * 3000000}):
            with self.subTest(str(pages)[:60]):
                self.serve(pages)
                done = self.top("--once")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn("does not answer as an agent", done.stderr)
                if len(pages.get("/status", b"")) > 2 ** 21:
                    self.assertIn("File too large", done.stderr)
                self.doCleanups()
                self.setUp()

    def test_control_characters_are_replaced(self):
        name = "e\x1b[31m\n\u00e9"
        self.serve({"/status": json.dumps({"ledger": {}, "version": name, "sinks": [{"name": name}]}).encode(),
                    "/flows": json.dumps({"flows": [{"interface": name, "srcaddr": name}]}).encode()})
        done = self.top("--once")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(all(" " <= c <= "~" or c == "\n" for c in done.stdout), done.stdout)
        self.assertIn("e?[31m???", done.stdout)

    def test_a_terminal(self):
        for listen in ("127.0.0.1:9977", f"unix:{self.dir}/status"):
            with self.subTest(listen):
                a = agent.Agent(self, listen, flows="{idle_timeout: 60s}")
                agent.send(40123, 7)
                with Terminal(self, 24, 80) as t:
                    t.until("the flows", lambda: "IFACE" in t.row(5) and ":40123" in t.text())
                    self.assertTrue(t.row(0).startswith("fffa "), t.text())
                    self.assertIn("sinks 1, ", t.row(2))
                    for key, words in (("2", "SINK "), ("3", "PKTS IN"), ("4", "REASON"), ("\t", "IFACE"), ("\t", "SINK "), ("?", "KEYS")):
                        t.press(key)
                        t.until(words, lambda words=words: words in t.row(5))
                    t.press("p")
                    t.until("the order", lambda: "flows   sorted by packets" in t.row(4))
                    t.press("/udp and port 9\r")
                    t.until("the filter", lambda: "sorted by packets  filter: udp and port 9" in t.row(4) and ":40123" not in t.text())
                    t.press("/\x15len > 1\r")
                    t.until("what is wrong", lambda: "column 1" in t.row(23))
                    t.press("/\x15udp port 40123\r")
                    t.until("the flow", lambda: ":40123" in t.text())
                    for rows, columns in ((10, 40), (50, 132), (24, 80)):
                        t.resize(rows, columns)
                        t.until(f"{rows} rows", lambda: t.row(0).startswith("fffa ") and t.row(5).startswith("IFACE") and
                                ("q quit" in t.row(3)) == (columns >= 80))
                    t.press("q")
                    self.assertEqual(t.process.wait(program.WAIT_S), 0)
                a.stop()

    def test_the_agent_goes_and_comes_back_on_a_terminal(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        with Terminal(self, 24, 80) as t:
            t.until("a page", lambda: "fffa " in t.row(0))
            a.stop()
            t.until("the reason", lambda: "no agent answers at 127.0.0.1:9977" in t.row(23))
            agent.Agent(self, "127.0.0.1:9977")
            t.until("a page", lambda: "no agent" not in t.text() and "running" in t.row(0))
            t.process.terminate()
            self.assertEqual(t.process.wait(program.WAIT_S), 0)

    def test_a_terminal_of_no_known_kind(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        with Terminal(self, 24, 80, kind="no-such-terminal") as t:
            t.until("plain pages", lambda: t.got.count(b"INTERFACE DIR") > 1)
            self.assertNotIn(b"\x1b", t.got)
            t.process.terminate()
            self.assertEqual(t.process.wait(program.WAIT_S), 0)
        a.stop()


class Terminal:
    """fffa top on a VT52, whose screen is kept."""

    def __init__(self, case, rows, columns, kind="vt52"):
        self.ours, self.theirs = pty.openpty()  # theirs stays open, so that reading never fails
        self.got, self.rest = b"", b""
        self.cells = [[" "] * 200 for _ in range(60)]
        self.y = self.x = 0
        termios.tcsetwinsize(self.theirs, (rows, columns))
        self.process = subprocess.Popen([program.FFFA, "top", "-c", case.dir / "fffa.yaml", "--interval", "0.1"],
                                        stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
                                        env={**os.environ, "TERM": kind})

    def __enter__(self):
        return self

    def __exit__(self, *args):
        self.process.kill()
        self.process.wait()
        os.close(self.theirs)
        os.close(self.ours)

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.ours, (rows, columns))
        self.process.send_signal(signal.SIGWINCH)

    def press(self, keys):
        os.write(self.ours, keys.encode())

    def row(self, y):
        return "".join(self.cells[y]).rstrip()

    def text(self):
        return "\n".join(map(self.row, range(60)))

    def until(self, what, condition):
        end = time.monotonic() + program.WAIT_S
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"{what}: never on the screen:\n{self.text()}")
            if select.select([self.ours], [], [], 0.05)[0]:
                data = os.read(self.ours, 65536)
                self.got += data
                self.rest = self.play(self.rest + data)

    def play(self, data):
        """Writes to the screen what is complete, and returns the rest."""
        at = 0
        while at < len(data):
            c = data[at:at + 1]
            if c == b"\x1b":
                kind = data[at + 1:at + 2]
                size = 4 if kind == b"Y" else 2
                if len(data) < at + size:
                    break
                self.escape(kind, data[at + 2:at + size])
                at += size
                continue
            if c == b"\r":
                self.x = 0
            elif c == b"\n":
                self.y += 1
            elif c == b"\b":
                self.x -= 1
            elif c == b"\t":
                self.x = (self.x // 8 + 1) * 8
            elif c >= b" ":
                self.cells[self.y][self.x] = c.decode("latin-1")
                self.x += 1
            at += 1
        return data[at:]

    def escape(self, kind, place):
        if kind == b"Y":
            self.y, self.x = place[0] - 32, place[1] - 32
        elif kind == b"H":
            self.y = self.x = 0
        elif kind in b"ABCD":
            self.y += {b"A": -1, b"B": 1}.get(kind, 0)
            self.x += {b"C": 1, b"D": -1}.get(kind, 0)
        elif kind in b"JK":
            self.cells[self.y][self.x:] = [" "] * (200 - self.x)
            for y in range(self.y + 1, 60 if kind == b"J" else 0):
                self.cells[y] = [" "] * 200


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
