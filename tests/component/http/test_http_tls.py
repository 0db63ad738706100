#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""TLS in both directions, and proxies."""
import base64
import select
import socket
import socketserver
import threading
import unittest

import collector as c
import program
import http_fixture


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy for CONNECT and for requests of whole URLs; stores what it was asked for."""
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, credentials=None):
        self.heads, self.credentials = [], credentials
        super().__init__(("127.0.0.1", 0), Relay)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Relay(socketserver.BaseRequestHandler):
    def handle(self):
        text = b""
        while b"\r\n\r\n" not in text:
            more = self.request.recv(65536)
            if not more:
                return
            text += more
        head, rest = text.split(b"\r\n\r\n", 1)
        self.server.heads.append(head.decode())
        wanted = self.server.credentials
        if wanted and f"proxy-authorization: {wanted}".lower() not in head.decode().lower():
            self.request.sendall(b"HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=p\r\nContent-Length: 0\r\n\r\n")
            return
        method, target = head.split(b" ")[:2]
        place = target if method == b"CONNECT" else target.split(b"/")[2]
        host, port = place.split(b":")
        with socket.create_connection((host.decode(), int(port))) as server:
            if method == b"CONNECT":
                self.request.sendall(b"HTTP/1.1 200 Go on\r\n\r\n")
                server.sendall(rest)
            else:
                server.sendall(head.replace(b"http://" + place, b"", 1) + b"\r\n\r\n" + rest)
            ends = {self.request: server, server: self.request}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)


class Tls(http_fixture.Case):
    def setUp(self):
        super().setUp()
        for ca in ("ca", "other"):
            c.make_ca(self.dir, ca)
        c.make_certificate(self.dir, "ca", "server")
        c.make_certificate(self.dir, "other", "client")

    def collector(self, **tls):
        server = c.Collector(tls=c.server_tls(self.dir, "server", **tls))
        self.addCleanup(server.close)
        return server

    def stays_down(self, conf, server, *words):
        """It retries and logs why; records are lost only at the end."""
        replay = self.start(conf, self.pcap(20))
        said = ""
        while "deliveries fail, will retry" not in said:
            said += program.await_that("a word of it", replay.stderr.readline, replay)
        program.await_that("another try", lambda: server.connections >= 3, replay)
        books = self.term(replay)
        said += self.said
        self.assertEqual((books["delivered"], books["rejected"], books["lost_shutdown"]), (0, 0, 20), said)
        self.assertEqual(server.posts, [])
        for word in words:
            self.assertIn(word, said)

    def test_verified(self):
        server = self.collector()
        conf = self.conf(server.url, tls=f"{{ca_file: {self.dir}/ca.pem}}", requests=1)
        self.all_delivered(self.replay(conf, 200), 200)
        self.arrived(server, 200)
        self.assertEqual(server.connections, 1)

    def test_several_in_flight_without_http2(self):
        together = threading.Barrier(4, timeout=program.WAIT_S)
        server = self.collector()
        server.script = [c.Answer(before=together.wait) for _ in range(4)]
        self.all_delivered(self.replay(self.conf(server.url, tls=f"{{ca_file: {self.dir}/ca.pem}}"), 1000), 1000)
        self.arrived(server, 1000)

    def test_several_in_flight_on_new_connections(self):
        """Four requests at a time, also when each needs a connection of its own."""
        together = threading.Barrier(4, timeout=program.WAIT_S)
        server = self.collector()
        server.script = [c.Answer(before=together.wait, headers={"Connection": "close"}) for _ in range(12)]
        self.all_delivered(self.replay(self.conf(server.url, tls=f"{{ca_file: {self.dir}/ca.pem}}"), 1000), 1000)
        self.arrived(server, 1000)

    def test_a_handshake_without_an_end(self):
        """One connection is tried, and all requests end in time."""
        with socket.create_server(("127.0.0.1", 0)) as deaf:
            conf = self.conf(f"https://127.0.0.1:{deaf.getsockname()[1]}/", timeout="300ms", retry="{min: 1m, max: 1m}")
            replay = self.start(conf, self.pcap(1000))
            said = ""
            while "deliveries fail, will retry" not in said:
                said += program.await_that("a word of it", replay.stderr.readline, replay)
            books = self.term(replay)
            deaf.settimeout(0)
            connections = []
            self.addCleanup(lambda: [connection.close() for connection in connections])
            with self.assertRaises(BlockingIOError):
                while True:
                    connections.append(deaf.accept()[0])
        self.assertIn(len(connections), (1, 2, 3))  # not one for each of the four
        self.assertIn("imed out", said)
        self.assertEqual((books["delivered"], books["lost_shutdown"]), (0, 1000), said)

    def test_a_certificate_of_another(self):
        server = self.collector()
        self.stays_down(self.conf(server.url, tls=f"{{ca_file: {self.dir}/other.pem}}"), server, "certificate")

    def test_the_systems_authorities_by_default(self):
        server = self.collector()
        self.stays_down(self.conf(server.url), server, "certificate")

    def test_another_name(self):
        server = self.collector()
        url = server.url.replace("127.0.0.1", "localhost")
        self.stays_down(self.conf(url, tls=f"{{ca_file: {self.dir}/ca.pem}}"), server, "certificate")

    def test_not_verified(self):
        server = self.collector()
        self.all_delivered(self.replay(self.conf(server.url, tls="{verify: false}"), 20), 20)
        self.assertIn("tls.verify is off", self.said)

    def test_no_tls_there(self):
        server = c.Collector()
        self.addCleanup(server.close)
        self.stays_down(self.conf(server.url.replace("http:", "https:")), server)

    def test_a_certificate_of_ours(self):
        server = self.collector(client_ca="other")
        ours = f"ca_file: {self.dir}/ca.pem, cert_file: {self.dir}/client.pem, key_file: {self.dir}/client.key"
        self.all_delivered(self.replay(self.conf(server.url, tls=f"{{{ours}}}"), 20), 20)
        both = self.file("both.pem", (self.dir / "client.pem").read_text() + (self.dir / "client.key").read_text())
        conf = self.conf(server.url, tls=f"{{ca_file: {self.dir}/ca.pem, cert_file: {both}}}")
        self.all_delivered(self.replay(conf, 20), 20)

    def test_a_certificate_that_is_renewed(self):
        """The files are read again when they have changed."""
        server = self.collector(client_ca="other")
        for name in ("cert", "key"):
            self.file(name, (self.dir / f"server.{'pem' if name == 'cert' else 'key'}").read_bytes())
        tls = f"{{ca_file: {self.dir}/ca.pem, cert_file: {self.dir}/cert, key_file: {self.dir}/key}}"
        replay = self.start(self.conf(server.url, tls=tls), self.pcap(20))
        said = ""
        while "deliveries fail, will retry" not in said:
            said += program.await_that("a word of it", replay.stderr.readline, replay)
        self.file("key", (self.dir / "client.key").read_bytes())
        self.file("cert", (self.dir / "client.pem").read_bytes())
        self.all_delivered(self.end(replay), 20)

    def test_a_certificate_of_ours_is_missing(self):
        server = self.collector(client_ca="other")
        self.stays_down(self.conf(server.url, tls=f"{{ca_file: {self.dir}/ca.pem}}"), server)

    def test_files_that_are_not_there(self):
        for key in ("ca_file", "cert_file"):
            conf = self.conf("https://127.0.0.1:1/", tls=f"{{{key}: /no/such/file}}")
            for args in (("replay", "-c", conf, self.pcap(1)), ("check", "-c", conf)):
                done = program.fffa(*args)
                self.assertEqual(done.returncode, 78, args)
                self.assertIn(f"sinks[0].tls.{key}: cannot read /no/such/file: No such file", done.stdout + done.stderr)

    def proxied(self, server, **more):
        proxy = Proxy()
        self.addCleanup(proxy.close)
        token = self.file("token", "s3cr3t")
        conf = self.conf(server.url, proxy=proxy.url, auth=f"{{bearer_file: {token}}}", requests=1, **more)
        self.all_delivered(self.replay(conf, 20, env={"no_proxy": "*", "NO_PROXY": "*"}), 20)
        self.arrived(server, 20)
        self.assertEqual({p.headers["Authorization"] for p in server.posts}, {"Bearer s3cr3t"})
        return proxy

    def test_proxy_of_http(self):
        server = c.Collector()
        self.addCleanup(server.close)
        proxy = self.proxied(server)
        self.assertTrue(proxy.heads[0].startswith(f"POST {server.url} HTTP/1.1\r\n"))

    def test_proxy_of_https_does_not_see_the_token(self):
        server = self.collector()
        proxy = self.proxied(server, tls=f"{{ca_file: {self.dir}/ca.pem}}")
        self.assertTrue(proxy.heads[0].startswith(f"CONNECT 127.0.0.1:{server.port} HTTP/1.1\r\n"))
        self.assertNotIn("s3cr3t", "".join(proxy.heads))
        self.assertNotIn("FFFA-Batch", "".join(proxy.heads))

    def test_proxy_with_credentials(self):
        """For both kinds of request; only the proxy gets them, and nobody prints them."""
        password = self.file("password", "op:en s3same\n")
        basic = "Basic " + base64.b64encode(b"me:op:en s3same").decode()
        for server, more in ((c.Collector(), {}), (self.collector(), {"tls": f"{{ca_file: {self.dir}/ca.pem}}"})):
            self.addCleanup(server.close)
            proxy = Proxy(basic)
            self.addCleanup(proxy.close)
            conf = self.conf(server.url, proxy=f"{{url: '{proxy.url}', user: me, password_file: {password}}}", requests=1, **more)
            self.all_delivered(self.replay(conf, 20), 20)
            self.arrived(server, 20)
            if more:  # this proxy passes on the headers of a request that is not for a tunnel
                self.assertNotIn("Proxy-Authorization", [name for p in server.posts for name in p.headers])
            shown = program.fffa("config", "-c", conf).stdout
            self.assertIn('password: "***"', shown)
            self.assertNotIn("s3same", shown + self.said)
        wrong = self.conf(server.url, proxy=f"{{url: '{proxy.url}', user: me, password: no}}", **more)
        replay = self.start(wrong, self.pcap(5))
        program.await_that("a refusal", lambda: len(proxy.heads) > 3, replay)
        books = self.term(replay)
        self.assertEqual((books["delivered"], books["rejected"], books["lost_shutdown"]), (0, 0, 5), self.said)
        self.assertIn("407", self.said)

    def test_proxy_keys(self):
        for proxy, said in (("{user: me}", "proxy.url: is required with proxy.user"),
                            ("{url: 'http://p:1', password: x}", "proxy.user: is required with proxy.password"),
                            ("http://me:pw@p:1", "use proxy.user and proxy.password"),
                            ("{url: 'p:1'}", "proxy: has no scheme")):
            done = program.fffa("check", "-c", self.conf("http://127.0.0.1:1/", proxy=proxy))
            self.assertEqual(done.returncode, 78)
            self.assertIn(said, done.stdout)


if __name__ == "__main__":
    unittest.main()
