#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa top: its options, what it asks the agent, and each of its keys."""
import json
import signal
import subprocess
import unittest

import program
from pages import GOOD, Server
from terminal import Terminal

ALL = "/flows?n=1000&sort=bytes&filter="
# Of the five keys that scroll a VT52 has two. The other kind moves a cursor, and has no screen nevertheless.
KINDS = r"""fffa-keys|a VT52 with more keys, use=vt52, kpp=\EP, knp=\EN, khome=\EO,
fffa-paper|a printer, hc, use=vt52,
"""
UP, DOWN, PAGE_UP, PAGE_DOWN, HOME = "\x1bA", "\x1bB", "\x1bP", "\x1bN", "\x1bO"


def flows(n):
    return json.dumps({"flows": [{"protocol": 17, "srcaddr": f"10.0.0.{i}", "srcport": 4, "dstaddr": "10.1.0.0", "dstport": 514}
                                 for i in range(1, n + 1)]}).encode()


class Options(program.Case):
    def once(self, *args, pages=GOOD):
        """Returns the paths that were asked for."""
        server = Server(self, pages)
        done = program.fffa("top", "-c", server.conf, "--once", *args)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("INTERFACE DIR PROTO", done.stdout)
        server.stop()
        return server.paths()

    def test_what_it_asks_for(self):
        few, all_ = "/flows?n=20&sort=bytes&filter=", ALL
        for args, path in (((), few), (("--sort", "bytes"), few), (("--sort", "rate"), all_), (("--sort", "age"), all_),
                           (("-s", "packets"), all_.replace("bytes", "packets")), (("--filter", "tcp port 1"), all_ + "tcp%20port%201"),
                           (("--filter", ""), few), (("-i", "0.1"), few), (("--interval", "3600"), few), (("-n",), few)):
            with self.subTest(args):
                self.assertEqual(self.once(*args), ["/status", path])

    def test_the_longest_filter(self):
        words = "ip or ip6".ljust(1024)
        self.assertEqual(self.once("--filter", words), ["/status", ALL + words.replace(" ", "%20")])
        done = program.fffa("top", "--once", "--filter", words + " ")
        self.assertEqual(done.returncode, 2)
        self.assertTrue(done.stderr.startswith("fffa top: --filter: "))

    def test_wrong_usage(self):
        for args, says in ((("--sort", "size"), "--sort size: must be bytes, packets, rate or age"),
                           (("--sort", ""), "--sort : must be bytes, packets, rate or age"),
                           *((("--interval", value), f"--interval {value}: 0.1 to 3600 seconds")
                             for value in ("", "x", "1x", "0.09", "3600.1", "-1", "nan"))):
            done = program.fffa("top", "-c", "/dev/null", "--once", *args)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(done.stderr.splitlines()[0], f"fffa top: {says}")

    def test_no_agent(self):
        for conf, says in (("status: {listen: ''}\n", "status.listen is empty: the agent does not listen"),
                           ("status: {listen: '127.0.0.1:1'}\n", "no agent answers at 127.0.0.1:1: Connection refused")):
            for more in ((), ("--once",)):
                done = program.fffa("top", "-c", self.file("fffa.yaml", conf), *more)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (1, "", f"fffa top: {says}\n"))
        done = program.fffa("top", "-c", self.file("fffa.yaml", "nonsense: 1\n"))
        self.assertEqual((done.returncode, done.stdout), (78, ""))

    def test_answers_of_others(self):
        for pages in ({**GOOD, "/status": b"{}"}, {**GOOD, "/flows": b"[]"}, {**GOOD, "/flows": 404}, {**GOOD, "/status": 404}):
            server = Server(self, pages)
            done = program.fffa("top", "-c", server.conf, "--once")
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertTrue(done.stderr.startswith(f"fffa top: {server.listen} does not answer as an agent"), done.stderr)
            server.stop()

    def test_an_output_that_is_full(self):
        server = Server(self, GOOD)
        with open("/dev/full", "wb") as full:
            for more in ((), ("--once",)):
                done = subprocess.run([program.FFFA, "top", "-c", server.conf, *more], stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=program.WAIT_S, check=False)
                self.assertEqual((done.returncode, done.stderr), (1, "fffa top: cannot write to standard output\n"))


class Plain(program.Case):
    """Without a terminal: page after page."""

    def start(self, server, *args, **more):
        p = subprocess.Popen([program.FFFA, "top", "-c", server.conf, *args], text=True, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, **{"stdin": subprocess.DEVNULL, **more})
        self.addCleanup(p.communicate)
        self.addCleanup(p.kill)
        return p

    def page(self, p):
        """Reads until the heading of a page. Returns all its lines."""
        lines = []
        while not lines or not lines[-1].startswith("INTERFACE DIR"):
            lines.append(p.stdout.readline())
            self.assertTrue(lines[-1], lines)
        return lines

    def test_pages_come_at_their_interval(self):
        for args, seconds in ((("--interval", "0.3"), 0.3), ((), 1.0)):
            server = Server(self, GOOD)
            p = self.start(server, *args)
            for _ in range(3):
                self.assertEqual(self.page(p)[0], "fffa       up 0 s\n")
            p.terminate()
            self.assertEqual(p.wait(program.WAIT_S), 0)
            server.stop()
            self.assertEqual(server.paths()[:4], ["/status", "/flows?n=20&sort=bytes&filter="] * 2)
            for (_, before), (_, after) in zip(server.asked[1:4:2], server.asked[2:5:2]):
                self.assertGreaterEqual(after - before, seconds)

    def test_a_standard_input_without_a_writer(self):
        """It is no terminal, so it is not looked at."""
        p = self.start(Server(self, GOOD), "--interval", "0.1", stdin=subprocess.PIPE)
        p.stdin.close()
        p.stdin = None
        for _ in range(3):
            self.page(p)
        p.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(program.WAIT_S), 0)

    def test_the_agent_goes_and_comes_back(self):
        server = Server(self, GOOD)
        p = self.start(server, "--interval", "0.1")
        self.page(p)
        server.stop()
        for _ in range(2):
            while p.stdout.readline() != f"no agent answers at {server.listen}: Connection refused\n":
                self.assertIsNone(p.poll())
        Server(self, GOOD, server.port)
        self.page(p)
        p.terminate()
        self.assertEqual(p.wait(program.WAIT_S), 0)

    def test_the_reader_goes(self):
        p = self.start(Server(self, GOOD), "--interval", "0.1", restore_signals=False)  # SIGPIPE is ignored
        self.page(p)
        p.stdout.close()
        p.stdout = None
        self.assertEqual(p.wait(program.WAIT_S), 1)
        self.assertEqual(p.stderr.read(), "fffa top: cannot write to standard output\n")


class Keys(program.Case):
    def setUp(self):
        super().setUp()
        subprocess.run(["tic", "-x", "-o", self.dir, self.file("kinds.ti", KINDS)], check=True)
        self.pages = dict(GOOD, **{"/flows": flows(40)})
        self.server = Server(self, self.pages)

    def open(self, rows=24, columns=80, **more):
        t = Terminal(self.server.conf, rows, columns, kind="fffa-keys", env={"TERMINFO": str(self.dir)}, **more)
        self.addCleanup(t.__exit__)
        t.until("a page", lambda: t.row(0).startswith("fffa") and t.row(5))
        return t

    def ends(self, t, code=0):
        self.assertEqual(t.process.wait(program.WAIT_S), code)

    def press(self, t, keys, want, row=5):
        t.press(keys)
        t.until(f"{want!r} after {keys!r}", lambda: t.row(row).startswith(want))

    def settles(self, t, keys, *rows):
        """After the keys and a redraw of all: (row, text). What comes from before the keys does not count."""
        t.got = b""
        t.press(keys + "\f")
        t.until(f"a redraw after {keys!r}", lambda: b"seen 0 packets/s" in t.got)
        for row, want in rows:
            t.until(f"{want!r} after {keys!r}", lambda row=row, want=want: t.row(row).startswith(want))

    def test_a_printer(self):
        t = Terminal(self.server.conf, 24, 80, kind="fffa-paper", env={"TERMINFO": str(self.dir)})
        self.addCleanup(t.__exit__)
        t.until("plain pages", lambda: t.got.count(b"INTERFACE DIR") > 1)
        self.assertNotIn(b"\x1b", t.got)
        t.press("\x03")
        self.ends(t)

    def test_panes(self):
        t = self.open()
        for keys, want in (("2", "SINK "), ("3", "INTERFACE       "), ("4", "WHERE "), ("1", "IFACE "), ("?", "KEYS"), ("\t", "IFACE "),
                           ("\t", "SINK "), ("\t", "INTERFACE       "), ("\t", "WHERE "), ("\t", "IFACE "), ("h", "KEYS")):
            self.press(t, keys, want)
        self.press(t, "2", "SINK ")
        for keys in ("5", "0", "x", "N", "\x01"):
            self.settles(t, keys, (5, "SINK "), (4, "sinks   sorted by bytes"))
        t.press("q")
        self.ends(t)

    def test_orders(self):
        t = self.open()
        for key, name, asked in (("p", "packets", "packets"), ("r", "rate", "bytes"), ("a", "age", "bytes"), ("b", "bytes", "bytes")):
            self.press(t, "2", "SINK ")
            self.press(t, key, f"flows   sorted by {name}", row=4)
            del self.server.asked[:]
            self.press(t, "1", "IFACE ")
            program.await_that("a question", lambda: len(self.server.asked) > 4, t.process)
            self.assertEqual(set(self.server.paths()), {"/status", ALL.replace("bytes", asked)})

    def test_ports(self):
        t = self.open()
        for key, end in (("n", ":514 "), ("n", ":syslog "), ("n", ":514 ")):
            t.press(key)
            t.until(end, lambda end=end: end in t.row(6) + " ")

    def test_scrolling(self):
        """A pane of 41 lines, of which the heading is one; a page has 16."""
        def top(n):
            return f"       in  udp  10.0.0.{n}:4 " if n else "IFACE "

        t = self.open()
        for keys, n in ((DOWN, 1), (DOWN, 2), (UP, 1), (UP, 0), (UP, 0), (PAGE_DOWN, 16), (PAGE_DOWN, 32), (DOWN, 33), (PAGE_UP, 17),
                        (PAGE_UP, 1), (PAGE_UP, 0), (PAGE_DOWN + PAGE_UP, 0), (PAGE_UP, 0), (PAGE_DOWN, 16), (HOME, 0),
                        (PAGE_DOWN * 2 + DOWN * 8, 40), (DOWN, 40), (UP, 39), (PAGE_DOWN, 40)):
            self.settles(t, keys, (5, top(n)))
        self.assertEqual(t.row(6), "")
        self.settles(t, "1", (5, top(0)))  # another pane, or the same again, begins at its top
        self.settles(t, DOWN, (5, top(1)))
        self.settles(t, "p", (5, top(0)))
        self.settles(t, PAGE_DOWN * 2, (5, top(32)))
        self.pages["/flows"] = flows(3)  # the pane gets shorter
        t.until("the last line", lambda: t.row(5).startswith(top(3)) and not t.row(6))
        self.pages["/flows"] = flows(40)
        self.settles(t, UP, (5, top(2)), (6, top(3)))

    def test_a_page_of_small_terminals(self):
        for rows, step in ((7, 1), (8, 1), (9, 1), (10, 2), (11, 3)):
            t = self.open(rows=rows)
            self.settles(t, PAGE_DOWN, (5, f"       in  udp  10.0.0.{step}:4 "))
            t.press("q")
            self.ends(t)

    def test_a_message_goes_with_the_next_key(self):
        t = self.open()
        self.press(t, "/len > 1\r", "column 1", row=23)
        self.press(t, "2", "SINK ")
        t.until("no message", lambda: not t.row(23))
        t.got, pages = b"", len(self.server.asked) + 6  # a page is drawn before its message, so look at some more
        t.until("more pages", lambda: len(self.server.asked) > pages)
        self.assertNotIn(b"column 1", t.got)
        self.assertEqual(t.row(4), "sinks   sorted by bytes")
        self.press(t, "/udp\r", "flows   sorted by bytes  filter: udp", row=4)
        t.until("the pane below", lambda: "10.0.0.18:" in t.row(23))
        program.await_that("the question", lambda: ALL + "udp" in self.server.paths(), t.process)

    def test_what_is_typed(self):
        t = self.open()
        t.press("/" + "a" * 70)
        t.until("the longest that has room", lambda: t.row(23) == f"filter: {'a' * 70}_")
        t.press("b")
        t.until("its end", lambda: t.row(23) == f"filter:~{'a' * 69}b_")
        t.press("\x7f\x7f ~\x7f\x80\xff\x1f")
        t.until("spaces and signs", lambda: t.row(23) == f"filter: {'a' * 69} _")
        t.press("\x15" + "a" * 1024 + "bc\x7fd")  # b and c have no room
        t.until("no more", lambda: t.row(23).endswith("aad_"))
        t.press("\x15\x15\x7f\bip\n")
        t.until("the filter", lambda: t.row(4) == "flows   sorted by bytes  filter: ip")

    def test_typing_on_small_terminals(self):
        for columns, shown in ((10, "filter:~_"), (11, "filter:~c_"), (12, "filter:~bc_"), (13, "filter: abc_")):
            t = self.open(columns=columns)
            t.press("/abc")
            t.until(shown, lambda t=t, shown=shown: t.row(23) == shown)
            t.press("\x1b")
            t.until("the end", lambda t=t: "filter" not in t.row(23))
            t.press("q")
            self.ends(t)

    def test_what_stands_there_is_not_sent_again(self):
        t = self.open()
        program.await_that("some pages", lambda: len(self.server.asked) > 8, t.process)
        t.until("all", lambda: "10.0.0.18:" in t.row(23))
        self.assertEqual(t.got.count(b"seen 0 packets/s"), 1)
        t.press("\f")
        t.until("all again", lambda: t.got.count(b"seen 0 packets/s") == 2)

    def test_its_ends(self):
        for keys in ("q", "\x03"):
            t = self.open()
            t.press(keys)
            self.ends(t)
        for keys, shown in (("2", "SINK "), ("/", "IFACE ")):
            for end in ("a signal", "no terminal"):
                with self.subTest(keys=keys, end=end):
                    t = self.open(owned=end == "a signal", more=("--interval", "3600"))
                    self.press(t, keys, shown)
                    if keys == "/":
                        t.until("a line", lambda t=t: t.row(23) == "filter: _")
                    if end == "a signal":
                        t.process.terminate()
                    else:
                        t.hang_up()
                    self.ends(t)


if __name__ == "__main__":
    unittest.main()
