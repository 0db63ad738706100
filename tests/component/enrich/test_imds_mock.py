#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The mock itself answers as AWS documents IMDSv2."""

import http.client
import json
import os
import subprocess
import sys
import unittest

MOCK = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "stubs", "imds", "imds_mock.py")
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"


class Mock(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([sys.executable, MOCK, "--port", "0", "--control-port", "0"],
                                       stdout=subprocess.PIPE, text=True)
        _, port, control = cls.process.stdout.readline().split()
        cls.port, cls.control_port = int(port), int(control)

    @classmethod
    def tearDownClass(cls):
        cls.process.kill()
        cls.process.wait()
        cls.process.stdout.close()

    def setUp(self):
        self.control("PUT", "/faults", [])

    def control(self, method, path, value=None):
        c = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=60)
        c.request(method, path, json.dumps(value))
        answer = json.loads(c.getresponse().read())
        c.close()
        return answer

    def ask(self, method, path, headers=None):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        c.request(method, path, headers=headers or {})
        r = c.getresponse()
        answer = r.status, r.read().decode("latin-1"), r
        c.close()
        return answer

    def token(self, ttl="60"):
        status, token, reply = self.ask("PUT", "/latest/api/token", {TTL: ttl})
        self.assertEqual((status, reply.getheader(TTL)), (200, ttl))
        return token

    def get(self, path, method="GET"):
        return self.ask(method, path, {TOKEN: self.token()})[:2]

    def test_token_and_its_life(self):
        for ttl in ("1", "21600"):
            self.assertTrue(self.token(ttl))
        for ttl in ("0", "21601", "-1", "", "x", "99999999999999"):
            self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: ttl})[0], 400, ttl)
        self.assertEqual(self.ask("PUT", "/latest/api/token")[0], 400)

    def test_many_tokens_live_at_once(self):
        first, second = self.token(), self.token()
        self.assertNotEqual(first, second)
        for token in (first, second):
            self.assertEqual(self.ask("GET", "/latest/meta-data/mac", {TOKEN: token})[0], 200)

    def test_only_latest_gives_tokens(self):
        self.assertEqual(self.ask("PUT", "/2021-01-03/api/token", {TTL: "60"})[0], 403)
        self.assertEqual(self.ask("PUT", "/latest/meta-data/mac", {TTL: "60"})[0], 405)

    def test_forwarded_requests_are_refused(self):
        self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: "60", "X-Forwarded-For": "192.0.2.1"})[0], 403)
        self.control("PUT", "/faults", [{"kind": "forwarded"}])
        self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: "60"})[0], 403)

    def test_without_a_living_token(self):
        self.assertEqual(self.ask("GET", "/latest/meta-data/mac")[0], 401)
        self.assertEqual(self.ask("GET", "/latest/meta-data/mac", {TOKEN: "made-up"})[0], 401)
        token = self.token()
        self.control("DELETE", "/tokens")
        self.assertEqual(self.ask("GET", "/latest/meta-data/mac", {TOKEN: token})[0], 401)

    def test_head_has_no_body(self):
        self.assertEqual(self.get("/latest/meta-data/mac", "HEAD"), (200, ""))

    def test_other_methods(self):
        self.assertEqual(self.get("/latest/meta-data/mac", "POST")[0], 405)

    def test_error_pages_are_xhtml(self):
        status, body, reply = self.ask("GET", "/latest/meta-data/mac")
        self.assertEqual((status, reply.getheader("Content-Type")), (401, "text/html"))
        self.assertTrue(body.startswith("<?xml"))
        self.assertEqual(self.get("/latest/meta-data/no/such")[0], 404)

    def test_lists_and_leaves(self):
        self.assertEqual(self.get("/latest/meta-data/network/interfaces/macs/"),
                         (200, "02:00:00:00:00:01/\n02:00:00:00:00:02/"))
        self.assertEqual(self.get("/2021-01-03/meta-data/placement/region"), (200, "us-east-1"))
        self.assertEqual(self.get("/latest/meta-data/network/interfaces/macs/02:00:00:00:00:01/local-ipv4s"),
                         (200, "10.0.1.10\n10.0.1.11"))
        document = json.loads(self.get("/latest/dynamic/instance-identity/document")[1])
        self.assertEqual(len(document), 15)
        self.assertIsNone(document["kernelId"])
        self.assertIn('" : ', self.get("/latest/dynamic/instance-identity/document")[1])

    def test_tags_only_when_allowed(self):
        self.assertEqual(self.get("/latest/meta-data/tags/instance/")[0], 404)
        self.control("PUT", "/instance", {"tags": {"Name": "web 1", "team": "a"}})
        self.assertEqual(self.get("/latest/meta-data/tags/instance/"), (200, "Name\nteam"))
        self.assertEqual(self.get("/latest/meta-data/tags/instance/Name"), (200, "web 1"))
        self.control("PUT", "/instance", {"tags": None})

    def test_faults(self):
        self.control("PUT", "/faults", [{"kind": "status", "status": 503, "count": 1},
                                        {"kind": "oversize", "bytes": 70000, "path": "/latest/meta-data/mac"}])
        self.assertEqual(self.ask("PUT", "/latest/api/token", {TTL: "60"})[0], 503)
        self.assertEqual(len(self.get("/latest/meta-data/mac")[1]), 70000)


if __name__ == "__main__":
    unittest.main()
