#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Slow, silent, wrong and too many clients lose their connections; the agent goes on."""
import os
import pathlib
import socket
import threading
import time
import unittest

import agent
import namespace
import program

ADDRESS = ("127.0.0.1", 9977)
PORTS = range(41000, 41003)
PROMPT_S = 3  # who waits for a place waits until others are dropped, 5 s after they came (agent/status/status.c)


class Clients(program.Case):
    def setUp(self):
        super().setUp()
        self.agent = agent.Agent(self, "127.0.0.1:9977")
        self.sockets = []
        self.addCleanup(self.drop)

    def drop(self):
        while self.sockets:
            self.sockets.pop().close()

    def open(self, text=b"", blocking=True):
        s = socket.socket()
        self.sockets.append(s)
        s.settimeout(program.WAIT_S)
        if blocking:
            s.connect(ADDRESS)
            s.sendall(text)
        else:
            s.setblocking(False)
            s.connect_ex(ADDRESS)
        return s

    def open_sockets(self):
        """Files come and go with the threads of the sinks."""
        found = 0
        for fd in pathlib.Path(f"/proc/{self.agent.process.pid}/fd").iterdir():
            try:
                found += os.readlink(fd).startswith("socket:")
            except FileNotFoundError:
                pass
        return found

    def rss_bytes(self):
        text = pathlib.Path(f"/proc/{self.agent.process.pid}/status").read_text()
        return int(text.split("VmRSS:")[1].split()[0]) * 1024

    def records_flow(self):
        """The agent still makes records, one flow after the other."""
        for port in PORTS:
            have = len(self.agent.records(port))
            agent.send(port)
            program.await_that(f"records of port {port}", lambda: len(self.agent.records(port)) >= have + 2,
                               self.agent.process)

    def answers_again(self):
        self.drop()

        def healthy():
            try:
                return self.agent.get("/healthz")[0] == 200
            except OSError:
                return False  # the kernel still has the closed connections

        program.await_that("an answer", healthy, self.agent.process)
        self.agent.stop()

    def test_half_a_request(self):
        for text in (b"", b"G", b"GET /metrics", b"GET /metrics HTTP/1.1\r\n", b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"):
            self.open(text)
        # Other clients are answered meanwhile, and no client waits for ever.
        self.assertEqual(self.agent.get("/healthz")[0], 200)
        self.records_flow()
        for s in self.sockets:
            self.assertIn(s.recv(1000)[:12], (b"", b"HTTP/1.1 408"))
        self.answers_again()

    def test_a_header_byte_by_byte(self):
        s = self.open(b"GET /metrics HTTP/1.1\r\nX: ")
        over = threading.Event()

        def drip():
            try:
                while not over.is_set():
                    s.sendall(b"x")
                    over.wait(0.01)
            except OSError:
                pass  # dropped

        t = threading.Thread(target=drip)
        t.start()
        self.records_flow()
        over.set()
        t.join()
        self.answers_again()

    def test_a_huge_header(self):
        for text in (b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 1000000, b"GET /" + b"x" * 1000000,
                     b"GET /metrics HTTP/1.1\r\n" + b"X: y\r\n" * 100000):
            s = self.open()
            try:
                s.sendall(text)
                got = s.recv(1000)
            except (ConnectionResetError, BrokenPipeError):
                got = b""
            self.assertIn(got[:12], (b"", b"HTTP/1.1 413", b"HTTP/1.1 414", b"HTTP/1.1 431"))
        self.records_flow()
        self.answers_again()

    def test_what_is_no_http(self):
        for text in (b"\x16\x03\x01\x02\x00" + bytes(500), b"\r\n\r\n\r\n", b"GET\r\n\r\n", b"\x00" * 1000,
                     b"GET /flows?n=%ff%fe HTTP/1.1\r\nHost: localhost\r\n\r\n", b"GET /%2e%2e/etc HTTP/1.0\r\n\r\n"):
            s = self.open(text)
            s.shutdown(socket.SHUT_WR)
            try:
                got = s.recv(1000)
            except ConnectionResetError:
                got = b""
            self.assertNotIn(b" 200 ", got[:16])
        self.answers_again()

    def test_dripping_clients_keep_nobody_out(self):
        """More clients than places, each of which sends a byte now and then: others are answered at once."""
        over = threading.Event()

        def drip():
            while not over.wait(0.3):
                for s in list(drips):
                    try:
                        s.sendall(b"x")
                    except OSError:
                        drips.remove(s)

        drips = [self.open(b"GET /metrics HTTP/1.1\r\nX: ") for _ in range(40)]
        t = threading.Thread(target=drip)
        t.start()
        try:
            for _ in range(20):
                begun = time.monotonic()
                self.assertEqual(self.agent.get("/healthz")[0], 200)
                self.assertLess(time.monotonic() - begun, PROMPT_S)
            program.await_that("all slow ones dropped", lambda: not drips, self.agent.process)
        finally:
            over.set()
            t.join()
        self.answers_again()

    def test_two_hundred_connections(self):
        before = self.rss_bytes()
        for _ in range(200):
            self.open(blocking=False)
        self.records_flow()
        self.assertLess(self.rss_bytes() - before, 16 << 20)
        self.answers_again()

    def test_full_then_empty(self):
        """After all others have closed at once, a new client is accepted."""
        before = self.open_sockets()
        for _ in range(20):
            for _ in range(40):
                self.open(blocking=False)
            program.await_that("its places taken", lambda: self.open_sockets() >= before + 16, self.agent.process)
            self.drop()
            program.await_that("all places free", lambda: self.open_sockets() <= before, self.agent.process)
            self.assertEqual(self.agent.get("/healthz")[0], 200)
        self.agent.stop()

    def test_readers_of_records_leave_their_places(self):
        """Those that wait for a record in vain are dropped for others, and their connections are closed."""
        fds = pathlib.Path(f"/proc/{self.agent.process.pid}/fd")
        self.records_flow()  # so the sink's file is open
        before = len(list(fds.iterdir()))
        readers = [self.open(b"GET /records?filter=port+1 HTTP/1.1\r\nHost: localhost\r\n\r\n") for _ in range(8)]
        for s in readers:
            self.assertIn(b" 200 ", s.recv(1000))
        for n in range(24):  # each from an address of its own: the readers' has the most connections
            s = socket.socket()
            self.sockets.append(s)
            s.bind((f"127.0.1.{n + 1}", 0))
            s.connect(ADDRESS)
        for s in readers:
            while s.recv(1000):
                pass
        self.drop()
        program.await_that("all places free", lambda: len(list(fds.iterdir())) <= before, self.agent.process)
        self.answers_again()

    def test_one_client_has_all_readers(self):
        """Another one gets a place; one more of its own is refused."""
        request = b"GET /records?filter=port+1 HTTP/1.1\r\nHost: localhost\r\n\r\n"

        def read_from(address):
            s = socket.socket()
            self.sockets.append(s)
            s.settimeout(program.WAIT_S)
            s.bind((address, 0))
            s.connect(ADDRESS)
            s.sendall(request)
            return s, s.recv(12)

        first = [read_from("127.0.1.1") for _ in range(8)]
        self.assertEqual({status for _, status in first}, {b"HTTP/1.1 200"})
        self.assertEqual(read_from("127.0.1.1")[1], b"HTTP/1.1 503")
        self.assertEqual(read_from("127.0.1.2")[1], b"HTTP/1.1 200")
        while first[0][0].recv(1000):
            pass
        self.answers_again()

    def test_answers_that_nobody_reads(self):
        before = self.rss_bytes()
        for port in range(1, 1500):
            agent.send(port)
        for _ in range(30):
            s = self.open()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.sendall(b"GET /flows?n=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
        self.records_flow()
        self.assertLess(self.rss_bytes() - before, 32 << 20)
        self.answers_again()

    def test_gone_before_the_answer(self):
        for _ in range(50):
            self.open(b"GET /flows?n=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.drop()
        self.records_flow()
        self.answers_again()

    def test_stopping_with_requests_open(self):
        for _ in range(10):
            self.open(b"GET /flows HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.open(b"GET /metr")
        self.agent.stop()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
