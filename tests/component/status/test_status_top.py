#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa top: with an agent, without one, with another server, and on a terminal."""
import http.server
import json
import re
import socket
import subprocess
import threading
import unittest

import agent
import namespace
import program
from pages import GOOD, Pages
from terminal import Terminal


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
                # A drain may come between its packets.
                shown = program.await_that("the flow in top", lambda: next(
                    (line.split() for line in self.top("--once").stdout.splitlines() if "127.0.0.1:40123" in line
                     and line.split()[5:] == ["7", "700"]), None), a.process)
                self.assertEqual(shown[2], "udp")
                self.assertRegex(self.top("--once").stdout, "\nout              file     (up|idle) ")  # idle: nothing was delivered yet
                a.stop()

    def test_a_filter_sees_all_that_it_sees_elsewhere(self):
        """ICMP types stand in /flows apart from ports, and what top shows is what the agent chose."""
        a = agent.Agent(self, "127.0.0.1:9977", flows="{idle_timeout: 60s}")
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as s:
            s.sendto(bytes.fromhex("0800 f7ff 0000 0000"), ("127.0.0.1", 0))  # an echo request, which is answered

        def count(expr):
            done = self.top("--once", "--filter", expr)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout.count(" icmp ")

        program.await_that("both, in and out", lambda: count("icmp") == 4, a.process)
        self.assertEqual([count(f"icmp[icmptype] {words}") for words in ("= icmp-echo", "= icmp-echoreply", "= 3", "!= 3")],
                         [2, 2, 0, 4])
        self.assertEqual(count("icmp[icmpcode] = 0 and src host 127.0.0.1"), 4)
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
        chosen = {None: [flow, small], "tcp dst port 443 and ip6": [flow], "udp": [small]}

        def choose(query):
            return json.dumps({"flows": chosen[query.get("filter")]}).encode()

        self.serve({"/status": json.dumps(status).encode(), "/flows": choose})

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
        for numeric, port in (((), "domain"), (("-n",), "53"), (("--numeric",), "53")):
            self.assertEqual([line.split()[4] for line in rows("--filter", "udp", *numeric)[0][-1:]], [f"10.0.0.2:{port}"])
        for args, error in ((("--sort", "x"), "--sort x"), (("--filter", "len > 1"), "--filter: column 1"),
                            (("--filter", "tcp[12] = 2"), "--filter: column 1: ")):
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
                with Terminal(self.dir / "fffa.yaml", 24, 80) as t:
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
                    words = " or ".join(f"udp port {n}" for n in range(2000, 2020))
                    t.press(f"/\x15{words}")  # longer than the row, which shows its end
                    t.until("what is being typed", lambda: t.row(23) == f"filter:~{words[-70:]}_")
                    t.press("\x15udp port 40123\r")
                    t.until("the flow", lambda: ":40123" in t.text())
                    agent.send(514)
                    t.press("/\x15udp port 514\r")
                    t.until("the name of the port", lambda: "127.0.0.1:syslog " in t.row(6))
                    t.press("n")
                    t.until("its number", lambda: "127.0.0.1:514 " in t.row(6))
                    t.press("n")
                    t.until("its name again", lambda: "127.0.0.1:syslog " in t.row(6))
                    for rows, columns in ((10, 40), (50, 132), (24, 80)):
                        t.resize(rows, columns)
                        t.until(f"{rows} rows", lambda: t.row(0).startswith("fffa ") and t.row(5).startswith("IFACE") and
                                ("q quit" in t.row(3)) == (columns >= 80))
                    t.press("q")
                    self.assertEqual(t.process.wait(program.WAIT_S), 0)
                a.stop()

    def test_the_agent_goes_and_comes_back_on_a_terminal(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        with Terminal(self.dir / "fffa.yaml", 24, 80) as t:
            t.until("a page", lambda: "fffa " in t.row(0))
            a.stop()
            t.until("the reason", lambda: "no agent answers at 127.0.0.1:9977" in t.row(23))
            agent.Agent(self, "127.0.0.1:9977")
            t.until("a page", lambda: "no agent" not in t.text() and "running" in t.row(0))
            t.process.terminate()
            self.assertEqual(t.process.wait(program.WAIT_S), 0)

    def test_the_filter_is_edited(self):
        """Letters are taken back, all of them or one; Escape leaves the filter as it was."""
        self.serve(GOOD)
        with Terminal(self.dir / "fffa.yaml", 24, 80) as t:
            t.until("a page", lambda: "fffa " in t.row(0))
            for keys, shown in (("/", "filter: _"), ("udp port 53", "filter: udp port 53_"), ("\x7f\b", "filter: udp port _"),
                                ("\x15", "filter: _"), ("\x7f", "filter: _"), ("udp\x01", "filter: udp_")):
                t.press(keys)
                t.until(shown, lambda shown=shown: t.row(23) == shown)
            t.press("\r")
            t.until("the filter", lambda: t.row(4) == "flows   sorted by bytes  filter: udp" and not t.row(23))
            t.press("/")
            t.until("what it was", lambda: t.row(23) == "filter: udp_")
            t.press(" port 53\x1b")
            t.until("the end", lambda: not t.row(23))
            t.press("p")
            t.until("the filter of before", lambda: t.row(4) == "flows   sorted by packets  filter: udp")
            t.press("q")
            self.assertEqual(t.process.wait(program.WAIT_S), 0)

    def test_colors_and_styles(self):
        """What is wrong is red and bold, or bold alone; the keys are reversed, and no cursor is in the way."""
        self.serve({"/status": json.dumps({"ledger": {"packets": {"lost": {"ring": 1}}}}).encode(), "/flows": GOOD["/flows"]})
        for kind, alarm in (("xterm", rb"\x1b\[[0-9;]*31m[^\x1b]*sinks 0, "), ("vt100", rb"\x1b\[[0-9;]*1m[^\x1b]*sinks 0, ")):
            with self.subTest(kind), Terminal(self.dir / "fffa.yaml", 24, 80, kind=kind) as t:
                t.until("an alarm", lambda t=t, alarm=alarm: re.search(alarm, t.got))
                t.until("a heading", lambda t=t: re.search(rb"\x1b\[[0-9;]*7m[^\x1b]*1 flows", t.got))
                if kind == "xterm":
                    self.assertRegex(t.got, rb"\x1b\[1m|\x1b\[[0-9;]*1;")
                    self.assertIn(b"\x1b[?25l", t.got)
                else:
                    self.assertNotIn(b"31m", t.got)
                t.press("q")
                self.assertEqual(t.process.wait(program.WAIT_S), 0)

    def test_a_terminal_without_a_screen(self):
        """It is of no known kind, or of one whose cursor does not move."""
        a = agent.Agent(self, "127.0.0.1:9977")
        for kind in ("no-such-terminal", "dumb"):
            with self.subTest(kind), Terminal(self.dir / "fffa.yaml", 24, 80, kind=kind) as t:
                t.until("plain pages", lambda: t.got.count(b"INTERFACE DIR") > 1)
                self.assertNotIn(b"\x1b", t.got)
                t.process.terminate()
                self.assertEqual(t.process.wait(program.WAIT_S), 0)
        a.stop()

    def test_the_agent_goes_without_a_screen(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        with Terminal(self.dir / "fffa.yaml", 24, 80, kind="no-such-terminal") as t:
            t.until("a page", lambda: b"INTERFACE DIR" in t.got)
            a.stop()
            t.until("the reason", lambda: b"no agent answers at 127.0.0.1:9977: Connection refused" in t.got)
            t.process.terminate()
            self.assertEqual(t.process.wait(program.WAIT_S), 0)


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
