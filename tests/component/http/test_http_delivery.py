#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay to a scripted collector: what a request looks like, and what each answer does."""
import email.utils
import gzip
import resource
import signal
import socket
import struct
import threading
import time
import unittest

import collector as c
import namespace
import program
import http_fixture


class Requests(http_fixture.Case):
    def collector(self, *script, **more):
        server = c.Collector(script, **more)
        self.addCleanup(server.close)
        return server

    def test_what_is_sent(self):
        server = self.collector()
        books = self.replay(self.conf(server.url, headers="{X-Team: net, X-Empty: ''}"), 120)
        self.all_delivered(books, 120)
        self.arrived(server, 120)
        numbers = set()
        for post in server.posts:
            records = post.records
            first, last = records[0]["seq"], records[-1]["seq"]
            self.assertEqual(post.path, "/v1/flows")
            self.assertEqual(post.batch.rsplit("-", 3)[1:], [str(records[0]["epoch"]), str(first), str(last)])
            self.assertEqual(post.headers["Content-Type"], "application/x-ndjson")
            self.assertEqual(post.headers["Content-Encoding"], "zstd")
            self.assertRegex(post.headers["User-Agent"], r"^fffa/\d")
            self.assertEqual((post.headers["X-Team"], post.headers["X-Empty"]), ("net", ""))
            self.assertIsNone(post.headers["Expect"])
            self.assertIsNone(post.headers["Authorization"])
            numbers.add(post.batch)
        self.assertEqual(len(numbers), len(server.posts))

    def test_every_encoding_holds_the_same(self):
        bodies = {}
        for compress in ("zstd", "gzip", "none"):
            server = self.collector()
            self.all_delivered(self.replay(self.conf(server.url, compress=compress, requests=1), 130), 130)
            self.assertEqual({p.headers["Content-Encoding"] for p in server.posts},
                             {None if compress == "none" else compress})
            bodies[compress] = sorted(http_fixture.seen(r) for p in server.posts for r in p.records)
        self.assertEqual(len(bodies["none"]), 130)
        self.assertEqual(bodies["zstd"], bodies["none"])
        self.assertEqual(bodies["gzip"], bodies["none"])

    def test_text_formats(self):
        for fmt in ("vpc", "flowlog"):
            server = self.collector()
            self.all_delivered(self.replay(self.conf(server.url, format=fmt, compress="gzip"), 60), 60)
            self.assertEqual(server.posts[0].headers["Content-Type"].split(";")[0], "text/plain")
            lines = b"".join(p.body for p in server.posts).splitlines()
            self.assertEqual(len(lines), 60)
            self.assertTrue(all(line.startswith(b"2 " if fmt == "vpc" else b"flowlog ") for line in lines))

    def test_msgpack(self):
        try:
            import msgpack
        except ImportError:
            self.skipTest("python3-msgpack is not installed")
        server = self.collector()
        self.all_delivered(self.replay(self.conf(server.url, format="msgpack"), 60), 60)
        self.assertEqual({p.headers["Content-Type"] for p in server.posts}, {"application/msgpack"})
        numbers = set()
        for post in server.posts:
            reader = msgpack.Unpacker()
            reader.feed(post.body)
            numbers |= {record["seq"] for record in reader}
        self.assertEqual(len(numbers), 60)

    def test_a_connection_is_kept(self):
        server = self.collector()
        self.all_delivered(self.replay(self.conf(server.url, requests=1), 1000), 1000)
        self.assertGreaterEqual(len(server.posts), 20)
        self.assertEqual(server.connections, 1)

    def test_a_busy_connection_ends(self):
        """There is no moment without a request on some connection. Each ends all the same: its name may have moved."""
        server = self.collector(*[c.Answer(before=lambda: time.sleep(0.05)) for _ in range(200)])
        began = time.monotonic()
        self.all_delivered(self.replay(self.conf(server.url, connection_lifetime="1s", batch="{records: 10, age: 50ms}"), 2000), 2000)
        seconds = time.monotonic() - began
        self.arrived(server, 2000)
        self.assertGreaterEqual(server.connections, 8)  # four at a time
        self.assertLessEqual(server.connections, 4 * (seconds + 1))

    def test_several_in_flight(self):
        together = threading.Barrier(4, timeout=program.WAIT_S)
        server = self.collector(*[c.Answer(before=together.wait) for _ in range(4)])
        self.all_delivered(self.replay(self.conf(server.url), 1000), 1000)  # answers when all four are there
        self.assertFalse(together.broken)
        self.arrived(server, 1000)
        self.assertEqual(server.connections, 4)

    def test_never_more_than_asked_for(self):
        held, most, lock = [0], [0], threading.Lock()
        together = threading.Barrier(2, timeout=program.WAIT_S)

        def count(waits):
            with lock:
                held[0] += 1
                most[0] = max(most[0], held[0])
            waits()
            with lock:
                held[0] -= 1
            return c.Answer()

        # The first two wait for each other, and more than two would show in the others.
        server = self.collector(*[lambda _: count(together.wait)] * 2, *[lambda _: count(lambda: time.sleep(0.005))] * 38)
        self.all_delivered(self.replay(self.conf(server.url, requests=2), 2000), 2000)
        self.assertEqual(most[0], 2)

    def test_authentication(self):
        token = self.file("token", "s3cr3t-token\n")
        for auth, header in ((f"{{bearer_file: {token}}}", "Bearer s3cr3t-token"),
                             ("{user: me, password: s3cr3t-pass}", "Basic bWU6czNjcjN0LXBhc3M=")):
            server = self.collector(c.Answer(401), c.Answer(503))
            conf = self.conf(server.url, auth=auth)
            self.all_delivered(self.replay(conf, 10), 10)
            self.assertEqual({p.headers["Authorization"] for p in server.posts}, {header})
            shown = program.fffa("config", "-c", conf)
            for text in (self.said, shown.stdout, shown.stderr):
                self.assertNotIn("s3cr3t", text)
                self.assertNotIn("bWU6", text)

    def test_an_environment_without_a_say(self):
        server = self.collector()
        books = self.replay(self.conf(server.url), 10, env={"http_proxy": "http://127.0.0.1:1", "ALL_PROXY": "http://127.0.0.1:1"})
        self.all_delivered(books, 10)


class Answers(http_fixture.Case):
    def collector(self, *script, **more):
        server = c.Collector(script, **more)
        self.addCleanup(server.close)
        return server

    def retried(self, *script, **conf):
        """Sends one batch. The collector gives the answers, then 200, and must get the same request each time."""
        server = self.collector(*script)
        books = self.replay(self.conf(server.url, **conf), 20)
        self.all_delivered(books, 20)
        self.assertEqual(len(server.posts), len(script) + 1)
        self.assertEqual(len({(p.batch, p.raw) for p in server.posts}), 1)
        return server

    def test_statuses_that_are_retried(self):
        self.retried(*[c.Answer(status) for status in (408, 423, 424, 425, 429, 444, 460, 499, 500, 502, 503, 504, 599)])

    def test_retry_after_in_seconds(self):
        server = self.retried(c.Answer(429, {"Retry-After": "1"}))
        self.assertGreaterEqual(server.posts[1].at - server.posts[0].at, 0.95)

    def test_retry_after_as_a_date(self):
        def later(_):
            return c.Answer(503, {"Retry-After": email.utils.formatdate(int(time.time()) + 3, usegmt=True)})

        server = self.retried(later)
        self.assertGreaterEqual(server.posts[1].at - server.posts[0].at, 1.9)  # a date has whole seconds

    def test_credentials_are_repaired(self):
        self.retried(*[c.Answer(status) for status in (401, 401, 401, 403, 403, 404, 407)])
        for status, times in ((401, 1), (403, 1), (404, 1), (407, 1)):
            said = [line for line in self.said.splitlines() if f"HTTP {status}" in line and " error " in line]
            self.assertEqual(len(said), times, self.said)

    def test_a_redirect_is_not_followed(self):
        other = self.collector()
        token = self.file("token", "s3cr3t")
        self.retried(*[c.Answer(status, {"Location": other.url}) for status in (301, 302, 303, 307, 308)],
                     auth=f"{{bearer_file: {token}}}")
        self.assertEqual((other.posts, other.connections), ([], 0))
        self.assertIn("redirects are not followed", self.said)

    def test_wrong_settings_cost_no_records(self):
        """What a person can repair is kept; the log says once what the server said, with the URL and its body."""
        statuses = (402, 405, 406, 410, 411, 412, 414, 415, 417, 421, 426, 428, 431, 451)
        self.retried(*[c.Answer(status, body=b"no\x1b[31m\nPOST here") for status in statuses for _ in range(2)])
        for status in statuses:
            said = [line for line in self.said.splitlines() if f"HTTP {status}" in line]
            self.assertEqual(len(said), 1, self.said)
            self.assertRegex(said[0], r" error sink.out: deliveries fail, will retry: HTTP \d+ from "
                             r"http://127.0.0.1:\d+/v1/flows: .*; it said: no\\x1b\[31m\\x0aPOST here$")
        self.assertEqual(self.said.count("delivers again"), 1)

    def test_rejected(self):
        """A refused batch is rejected when the next one passes."""
        for status in (400, 409, 422):
            server = self.collector(c.Answer(status, body=b"bad line 7"))
            books = self.replay(self.conf(server.url, batch="{records: 10, age: 50ms}", requests=1), 30)
            self.assertEqual((books["delivered"], books["rejected"]), (20, 10), self.said)
            self.assertEqual(self.code, 1)
            self.assertEqual(len(server.posts), 3)
            self.assertEqual([line for line in self.said.splitlines() if "bad line 7" in line and "rejected" not in line], [])
            self.assertRegex(self.said, f"records are rejected: HTTP {status} .*bad line 7: records=10")

    def test_a_refusal_of_all_rejects_nothing(self):
        """A wrong token in the body, say: everything gets 400 until somebody repairs it."""
        wrong = [True]
        server = self.collector(*[lambda _: c.Answer(400 if wrong[0] else 200, body=b"who are you?")] * 10000)
        conf = self.conf(server.url, batch="{records: 10, age: 50ms}")
        replay = self.start(conf, self.pcap(200))
        program.await_that("many refusals", lambda: len(server.posts) > 30, replay)
        wrong[0] = False
        self.all_delivered(self.end(replay), 200)
        self.arrived(server, 200)
        self.assertEqual(self.said.count("who are you?"), 1, self.said)

    def test_a_refused_batch_is_found_behind_a_refusal_of_all(self):
        wrong = [True]

        def answer(post):
            return c.Answer(400 if wrong[0] or post.records[0]["dstport"] == 2 and post.records[0]["srcaddr"] == "10.0.0.20" else 200)

        server = self.collector(*[answer] * 10000)
        replay = self.start(self.conf(server.url, batch="{records: 10, age: 50ms}"), self.pcap(50))
        program.await_that("many refusals", lambda: len(server.posts) > 10, replay)
        wrong[0] = False
        books = self.end(replay)
        self.assertEqual((books["delivered"], books["rejected"]), (40, 10), self.said)

    def test_an_answer_and_a_reset(self):
        """The answer is read although the connection was reset behind it, while the agent was busy."""
        started = threading.Event()  # replay is the one that asks

        def answer(status):
            def act(handler):
                started.wait()
                replay.send_signal(signal.SIGSTOP)
                handler.wfile.write(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % status)
                time.sleep(0.01)  # the answer arrives before the reset
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                handler.connection.close()
                handler.close_connection = True
                replay.send_signal(signal.SIGCONT)
            return act

        server = self.collector(*[c.Answer(act=answer(200))] * 5)
        replay = self.start(self.conf(server.url, batch="{records: 10, age: 50ms}", requests=1), self.pcap(50))
        started.set()
        self.all_delivered(self.end(replay), 50)
        self.assertEqual(len(server.posts), 5, "a batch was sent again")
        started.clear()
        server = self.collector(c.Answer(act=answer(413)))
        replay = self.start(self.conf(server.url, batch="{records: 10, age: 50ms}", requests=1), self.pcap(10))
        started.set()
        self.all_delivered(self.end(replay), 10)
        self.assertEqual([len(p.records) for p in server.posts], [10, 5, 5])

    def test_a_compressed_answer(self):
        body = gzip.compress(b"read the manual")
        server = self.retried(c.Answer(404, {"Content-Encoding": "gzip"}, body))
        self.assertEqual(server.posts[0].headers["Accept-Encoding"], "identity")
        self.assertIn("it said: read the manual", self.said)

    def split(self, refusal):
        def most(n):
            return lambda post: refusal if len(post.records) > n else c.Answer()

        server = self.collector(*[most(7)] * 1000)
        books = self.replay(self.conf(server.url), 200)
        self.all_delivered(books, 200)
        self.arrived(server, 200)
        self.assertTrue(all(len(p.records) <= 7 for p in server.delivered()))
        self.assertEqual(len({p.batch for p in server.posts}), len(server.posts))  # other records, so another name

    def test_too_big_is_split(self):
        self.split(c.Answer(413))

    def test_too_big_in_the_words_of_a_body(self):
        """As the OpenTelemetry Collector says it."""
        self.split(c.Answer(400, {}, b'{"code":3, "message":"http: request body too large"}'))

    def test_refused_before_the_body_is_read(self):
        """413 and a closed connection while the body is still coming: the answer counts, not the reset."""
        server = self.collector()

        def refuse(handler):
            handler.send_response(413)
            handler.send_header("Content-Length", "0")
            handler.send_header("Connection", "close")
            handler.end_headers()
            handler.close_connection = True

        server.early = lambda handler: refuse if int(handler.headers["Content-Length"]) > 500000 else None
        conf = self.conf(server.url, compress="none", fields="all", batch="{records: 4000, bytes: 4MiB, age: 1s}")
        self.all_delivered(self.replay(conf, 4000), 4000)
        self.arrived(server, 4000)
        self.assertTrue(server.posts)

    def test_resets(self):
        server = self.collector(c.Answer(act=c.reset))
        turns = [c.reset, None, c.reset]
        server.early = lambda handler: turns.pop(0) if turns else None
        self.all_delivered(self.replay(self.conf(server.url), 20), 20)
        self.arrived(server, 20)

    def test_half_an_answer(self):
        """2xx confirms; the rest of the answer is not needed, and it is not waited for until the timeout."""
        gone = threading.Event()
        self.addCleanup(gone.set)

        def half(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            handler.close_connection = True

        def hang(handler):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            gone.wait()

        for act in (half, hang):
            server = self.collector(*[c.Answer(act=act)] * 10)
            begin = time.monotonic()
            self.all_delivered(self.replay(self.conf(server.url, timeout="1m"), 20), 20)
            self.assertEqual(len(server.posts), 1)
            self.assertLess(time.monotonic() - begin, 30)

    def test_nonsense_for_an_answer(self):
        def nonsense(handler):
            handler.wfile.write(b"\x00\xff" * 1000 + b"\r\n\r\n")
            handler.close_connection = True

        self.retried(c.Answer(act=nonsense))

    def test_no_answer(self):
        gone = threading.Event()
        self.addCleanup(gone.set)
        begin = time.monotonic()
        self.retried(c.Answer(act=lambda handler: gone.wait()), timeout="300ms")
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertRegex(self.said, "deliveries fail, will retry: .*timed out")

    def test_a_slow_reader(self):
        """The collector reads the body slowly; within the timeout that is no failure."""
        server = self.collector()

        def slowly(handler):
            left = int(handler.headers["Content-Length"])
            while left:
                left -= len(handler.rfile.read(min(left, 65536)))
                time.sleep(0.001)
            handler.send_response(200)
            handler.send_header("Content-Length", "0")
            handler.end_headers()

        server.early = lambda handler: slowly
        conf = self.conf(server.url, compress="none", batch="{records: 20000, bytes: 8MiB, age: 1s}")
        self.all_delivered(self.replay(conf, 8000), 8000)

    def test_a_huge_answer(self):
        self.retried(c.Answer(503, body=b"x" * 20_000_000), c.Answer(429, body=b"y" * 20_000_000))

    def test_an_endless_answer(self):
        """What nobody reads is bounded: each connection is closed soon, and the loop is not kept busy."""
        sent = []

        def act(status, head, more):
            def endless(handler):
                handler.close_connection = True
                total = 0
                try:
                    handler.wfile.write(b"HTTP/1.1 %d X\r\n" % status + head)
                    while total < 1 << 30:
                        total += handler.connection.send(more)
                except OSError:
                    pass  # the agent has closed it
                sent.append(total)
            return endless

        body = b"x" * 65536
        for sink, status, head, more in (
                ({}, 200, b"\r\n", body), ({}, 503, b"\r\n", body), ({}, 200, b"", b"X: y\r\n" * 1000),
                ({}, 100, b"\r\n", b"HTTP/1.1 100 X\r\n\r\n" * 1000),
                ({"shape": "elasticsearch", "compress": "none", "index": "flows"}, 200, b"\r\n", body)):
            server = self.collector(*[c.Answer(act=act(status, head, more))] * 2)
            before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
            del sent[:]
            conf = self.conf(server.url, timeout="5s", batch="{records: 100, age: 50ms}", **sink)
            replay = self.start(conf, self.pcap(200))
            program.await_that("two answers ended", lambda: len(sent) >= 2)
            self.assertLess(max(sent), 64 << 20)
            if not sink:
                self.all_delivered(self.end(replay), 200)
                self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before, 2)
            else:
                replay.kill()
                replay.wait()

    def test_nobody_there_at_first(self):
        server = self.collector()
        url, port = server.url, server.port
        server.close()
        replay = self.start(self.conf(url), self.pcap(200))
        line = program.await_that("a word of it", replay.stderr.readline, replay)
        while "deliveries fail, will retry" not in line:
            line = program.await_that("a word of it", replay.stderr.readline, replay)
        server = self.collector(port=port)
        self.all_delivered(self.end(replay), 200)
        self.arrived(server, 200)

    def test_term_while_nobody_answers(self):
        gone = threading.Event()
        self.addCleanup(gone.set)
        server = self.collector(*[c.Answer(act=lambda handler: gone.wait())] * 8)
        replay = self.start(self.conf(server.url), self.pcap(1000))
        program.await_that("four requests", lambda: len(server.posts) == 4, replay)
        books = self.term(replay)
        self.assertEqual((books["delivered"], books["rejected"], books["lost_shutdown"]), (0, 0, 1000), self.said)
        self.assertRegex(self.said, r" warn +ledger: sink \w+: 1000 records lost: shutdown=1000\n")


if __name__ == "__main__":
    namespace.enter()  # if it may: there nobody else takes a port that is free for a moment
    unittest.main()
