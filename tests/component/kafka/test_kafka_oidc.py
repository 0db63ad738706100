#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""OAUTHBEARER with a token endpoint (OIDC): the token is fetched in the background and reaches the broker.

Needs a librdkafka that was built with OIDC; that of Debian 12 was not."""
import base64
import http.server
import json
import socketserver
import struct
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

import frames
import program


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def make_token():
    now = int(time.time())
    return ".".join((part({"alg": "none", "typ": "JWT"}), part({"sub": "me", "iat": now, "exp": now + 3600}), "c2ln"))


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Gives the token to who knows the secret."""

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.asked.append((self.path, form, self.headers["Authorization"]))
        good = self.headers["Authorization"] == "Basic " + base64.b64encode(b"me:" + self.server.secret).decode()
        body = json.dumps({"access_token": self.server.token, "token_type": "Bearer", "expires_in": 3600} if good else
                          {"error": "invalid_client", "error_description": "no such client"}).encode()
        self.send_response(200 if good else 401)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


def text(value):
    return struct.pack("!h", len(value)) + value


# What the broker can: produce, metadata, handshake, versions, authenticate.
VERSIONS = ((0, 0, 7), (3, 0, 4), (17, 0, 1), (18, 0, 3), (36, 0, 1))


class Broker(socketserver.BaseRequestHandler):
    """As much of a Kafka broker as a login needs (KIP-43, KIP-152, KIP-255). Notes what the client sends as its token."""

    def read(self, n):
        data = b""
        while len(data) < n:
            more = self.request.recv(n - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def answer(self, api, version, body):
        if api == 18:
            rows = b"".join(struct.pack("!hhh", *row) + (b"\0" if version >= 3 else b"") for row in VERSIONS)
            if version >= 3:
                return struct.pack("!hB", 0, len(VERSIONS) + 1) + rows + struct.pack("!iB", 0, 0)
            return struct.pack("!hi", 0, len(VERSIONS)) + rows
        if api == 17:
            return struct.pack("!hi", 0, 1) + text(b"OAUTHBEARER")
        self.server.tokens.append(body[4:])
        return struct.pack("!hhi", 0, -1, 0) + (struct.pack("!q", 0) if version >= 1 else b"")

    def handle(self):
        try:
            while True:
                data = self.read(struct.unpack("!i", self.read(4))[0])
                api, version, number, name = struct.unpack("!hhih", data[:10])
                if api not in (17, 18, 36):
                    return  # the login is done
                reply = struct.pack("!i", number) + self.answer(api, version, data[10 + max(name, 0):])
                self.request.sendall(struct.pack("!i", len(reply)) + reply)
        except (EOFError, OSError):
            pass


class Oidc(program.Case):
    def serve(self, server):
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server.server_address[1]

    def setUp(self):
        super().setUp()
        self.endpoint = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
        self.endpoint.asked, self.endpoint.token, self.endpoint.secret = [], make_token(), b"s3cret"
        self.broker = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Broker)
        self.broker.daemon_threads, self.broker.tokens = True, []
        url = f"http://127.0.0.1:{self.serve(self.endpoint)}/token"
        self.conf = self.file("fffa.yaml", f"""
spool_dir: ""
status: {{listen: ""}}
sinks:
  - name: k
    type: kafka
    format: json
    topic: flows
    brokers: ["127.0.0.1:{self.serve(self.broker)}"]
    properties: {{security.protocol: SASL_PLAINTEXT, sasl.mechanisms: OAUTHBEARER, sasl.oauthbearer.method: oidc,
                  sasl.oauthbearer.client.id: me, sasl.oauthbearer.client.secret: s3cret, sasl.oauthbearer.scope: flows,
                  sasl.oauthbearer.token.endpoint.url: "{url}"}}
""")

    def start(self):
        """A replay, which waits for the broker until the test ends."""
        packet = frames.eth(frames.ip("10.0.0.1", "10.0.0.2", 17, frames.udp(1000, 2000)))
        self.process = subprocess.Popen([program.FFFA, "replay", "-c", self.conf, self.file("one.pcap", frames.pcap([(0, packet)]))],
                                        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stderr.close)
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)
        self.log = []
        threading.Thread(target=lambda: self.log.extend(iter(self.process.stderr.readline, "")), daemon=True).start()

    def test_the_token_reaches_the_broker(self):
        self.start()
        program.await_that("the token", lambda: self.broker.tokens, self.process)
        self.assertIn(b"auth=Bearer " + self.endpoint.token.encode(), self.broker.tokens[0])
        path, form, _ = self.endpoint.asked[0]
        self.assertEqual((path, form), ("/token", {"grant_type": ["client_credentials"], "scope": ["flows"]}))

    def test_a_wrong_secret_is_said(self):
        self.endpoint.secret = b"another"
        self.start()
        program.await_that("the reason", lambda: [line for line in self.log if "sink.k: deliveries fail" in line and
                                                  ("401" in line or "invalid_client" in line)], self.process)
        self.assertEqual(self.broker.tokens, [])
        self.assertEqual([line for line in self.log if "s3cret" in line], [])


if __name__ == "__main__":
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as probe:
        probe.write('status: {listen: ""}\nspool_dir: ""\nsinks: [{name: k, type: kafka, format: json, topic: t, brokers: ["127.0.0.1:9"], '
                    "properties: {sasl.oauthbearer.method: oidc}}]\n")
        probe.flush()
        checked = program.fffa("check", "-c", probe.name)
    if "not supported in this build" in checked.stdout + checked.stderr:
        program.skip_all("this librdkafka was built without OIDC (test_kafka_oidc)")
    unittest.main()
