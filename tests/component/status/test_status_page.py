#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The page at /, /history, and the arguments of /flows, as an agent answers them. tests/page has a real browser."""
import base64
import hashlib
import json
import re
import socket
import unittest
import urllib.parse

import agent
import namespace
import program

PAGE = program.ROOT / "agent/status/page"
BYTES_MAX = 200 * 1000
# What the scripts call the objects of the answers, and where those are.
OBJECTS = {"status": "/status", "ledger": "/status ledger", "sink": "/status sinks 0", "hook": "/status hooks 0",
           "device": "/status interfaces 0", "metadata": "/status metadata", "kernel": "/status kernel",
           "program": "/status kernel programs 0", "reloads": "/status config_reloads", "history": "/history"}
MADE = {"flow": {"key", "rate", "age"}, "history": {"replaceState"}}  # not of an answer
ABSENT = {"metadata": {"age_ms"}}  # only when the metadata service has answered


class Page(program.Case):
    def test_all_of_one_agent(self):
        self.agent = agent.Agent(self, "127.0.0.1:9977", flows="{idle_timeout: 60s}")
        for check in (self.check_the_answer, self.check_the_policy_lets_nothing_else_in, self.check_the_page_refers_to_nothing_outside,
                      self.check_flows_by_filter_and_order, self.check_each_field_that_the_page_reads_is_there,
                      self.check_history, self.check_an_end_with_filters_that_wait):
            with self.subTest(check.__name__):
                check()

    def ask(self, path, method="GET", **headers):
        c = self.agent.connect()
        c.request(method, path, headers=headers)
        answer = c.getresponse()
        body = answer.read()
        c.close()
        return answer, body

    def check_the_answer(self):
        answer, body = self.ask("/")
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        self.assertLess(len(body), BYTES_MAX)
        for name, value in (("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"),
                            ("Cross-Origin-Opener-Policy", "same-origin"), ("Cross-Origin-Resource-Policy", "same-origin")):
            self.assertEqual(answer.headers[name], value, name)
        head, nothing = self.ask("/", "HEAD")
        self.assertEqual((head.status, head.headers["Content-Length"], nothing), (200, str(len(body)), b""))
        tag = answer.headers["ETag"]
        self.assertRegex(tag, '^"[0-9a-f]{32}"$')
        for known in (tag, f'"x", W/{tag}', "*"):
            same, nothing = self.ask("/", **{"If-None-Match": known})
            self.assertEqual((same.status, nothing, same.headers["ETag"]), (304, b"", tag), known)
            self.assertIn(same.headers["Content-Length"], (None, "0", str(len(body))), known)
        self.assertEqual(self.ask("/", **{"If-None-Match": '"x"'})[0].status, 200)
        self.assertEqual(self.ask("/", Host="evil.example")[0].status, 421)
        self.assertEqual(self.ask("/", "POST")[0].status, 405)
        self.assertEqual(self.ask("/index.html")[0].status, 404)
        self.assertEqual(self.ask("/?filter=tcp")[0].status, 200)  # the page reads its own arguments

    def check_the_policy_lets_nothing_else_in(self):
        answer, body = self.ask("/")
        rules = dict(rule.strip().split(" ", 1) for rule in answer.headers["Content-Security-Policy"].split(";"))
        self.assertEqual(rules["default-src"], "'none'")
        self.assertEqual(rules["connect-src"], "'self'")
        for name, rule in (("img-src", "data:"), ("base-uri", "'none'"), ("form-action", "'none'"), ("frame-ancestors", "'none'"),
                           ("require-trusted-types-for", "'script'")):
            self.assertEqual(rules[name], rule, name)
        self.assertNotIn("unsafe", str(rules))
        for tag, rule in ((b"script", "script-src"), (b"style", "style-src")):
            found = re.findall(b"<%s[^>]*>(.*?)</%s>" % (tag, tag), body, re.S)
            self.assertEqual(len(found), 1)
            digest = base64.b64encode(hashlib.sha256(found[0]).digest()).decode()
            self.assertEqual(rules[rule], f"'sha256-{digest}'")

    def check_the_page_refers_to_nothing_outside(self):
        text = self.ask("/")[1].decode()
        self.assertEqual(re.findall(r"\son\w+\s*=|\sstyle\s*=\s*[\"']", text.split("<script>")[0]), [])
        for word in ("@import", "url(", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(",
                     "XMLHttpRequest", "WebSocket", "import(", "@STYLE@", "@SCRIPT@"):
            self.assertNotIn(word, text)
        for target in re.findall(r"(?:href|src|action)\s*=\s*[\"']([^\"']*)", text):
            self.assertRegex(target, r"^(#|data:image/svg|/\w)", target)
        self.assertEqual(set(re.findall(r"https?://[^\"'\s<>)]+", text)), {"http://www.w3.org/2000/svg"})

    def check_each_field_that_the_page_reads_is_there(self):
        with socket.socket() as tcp:
            self.assertNotEqual(tcp.connect_ex(("127.0.0.1", 40123)), 0)
        agent.send(40124)  # nobody listens, so there is ICMP too
        flows = program.await_that("flows of each kind", lambda: (lambda list: list if {one["protocol"] for one in list} >= {1, 6, 17}
                                                                  else None)(self.agent.json("/flows")["flows"]), self.agent.process)
        answers = {"/status": self.agent.json("/status"), "/history": self.agent.json("/history")}
        known = {"flow": set().union(*flows)}
        for name, place in OBJECTS.items():
            where = answers
            for step in place.split(" "):
                where = where[int(step) if step.isdigit() else step]
            known[name] = set(where)
        read = {name: set() for name in known}
        for path in PAGE.glob("*.js"):
            text = path.read_text()
            for name in known:
                read[name] |= set(re.findall(rf"(?<![\w.]){name}\??\.(\w+)", text))
        for name in known:
            if name not in ("reloads", "program"):
                self.assertGreater(len(read[name] - MADE.get(name, set())), 2, name)
            self.assertEqual(read[name] - known[name] - MADE.get(name, set()) - ABSENT.get(name, set()), set(), name)
        lists = re.search(r"const LISTS = (\[.*?\]);", (PAGE / "rates.js").read_text(), re.S).group(1)
        self.assertLessEqual(set(json.loads(lists)), known["history"])

    def check_history(self):
        def grown():
            history = self.agent.json("/history")
            return history if len(history["uptime_ms"]) > 1 and history["ingress_packets"][-1] > 7 else None

        agent.send(40123, 7)
        history = program.await_that("a second sample", grown, self.agent.process)
        status = self.agent.json("/status")
        self.assertEqual(history["start_ms"], status["start_ms"])
        self.assertLessEqual(history["uptime_ms"][-1], status["uptime_ms"])
        lists = {len(value) for value in history.values() if isinstance(value, list)}
        self.assertEqual(len(lists), 1, history)
        since = self.agent.json(f"/history?since={history['uptime_ms'][0]}")
        self.assertEqual(since["uptime_ms"][:len(history["uptime_ms"]) - 1], history["uptime_ms"][1:])
        for wrong in ("", "x", "-1", "9999999999999999"):
            self.assertEqual(self.ask(f"/history?since={wrong}")[0].status, 400, wrong)

    def check_flows_by_filter_and_order(self):
        for port, count in ((40001, 1), (40002, 5), (40003, 3)):
            agent.send(port, count)

        def flows(**words):
            answer, body = self.ask("/flows?" + urllib.parse.urlencode(words))
            self.assertEqual(answer.status, 200, body)
            return [flow for flow in json.loads(body)["flows"] if flow["direction"] == "ingress"]

        def ports(**words):
            return [flow["dstport"] for flow in flows(**words)]

        # A drain may come while they are sent.
        program.await_that("all packets", lambda: sum(flow["packets"] for flow in flows(filter="udp dst portrange 40001-40003")) == 9,
                           self.agent.process)
        self.assertEqual(ports(filter="udp dst portrange 40001-40003", sort="packets"), [40002, 40003, 40001])
        self.assertEqual(ports(filter="udp dst portrange 40001-40003", sort="bytes"), [40002, 40003, 40001])
        self.assertEqual(ports(filter="dst port 40003", n=1000), [40003])
        self.assertEqual(ports(filter="dst port 9 and udp"), [])
        for words, why in (({"filter": "len > 1"}, "filter: column 1"), ({"filter": "tcp port 80 and"}, "filter: column"),
                           ({"filter": "x" * 1500}, "filter: column 1025: the text is too long"), ({"sort": "age"}, "sort: allowed"),
                           ({"n": "0"}, "n: allowed")):
            answer, body = self.ask("/flows?" + urllib.parse.urlencode(words))
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (400, "text/plain; charset=utf-8"))
            self.assertTrue(body.decode().startswith(why), body)
        self.assertEqual(self.ask("/records?filter=len+%3E+1")[0].status, 400)

    def check_an_end_with_filters_that_wait(self):
        """Requests that wait for their filter or their flows do not hold up the end."""
        connections = [self.agent.connect() for _ in range(10)]
        for at, c in enumerate(connections):
            c.request("GET", "/flows?" + urllib.parse.urlencode({"filter": " or ".join(f"host 10.{at}.0.{i}" for i in range(60))}))
        self.agent.stop()
        for c in connections:
            c.close()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
