#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""nginx as the server, with a collector behind it: HTTP/2 over TLS, client certificates, limits, and a killed nginx."""
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

import collector as c
import namespace
import program
import http_fixture

CONF = """
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log stderr warn;
{user}
events {{ worker_connections 64; }}
http {{
    log_format lines '$server_protocol $status $ssl_client_verify $connection $http_fffa_batch';
    access_log {dir}/access.log lines;
    client_body_temp_path {dir}/body;
    proxy_temp_path {dir}/proxy;
    fastcgi_temp_path {dir}/fastcgi;
    uwsgi_temp_path {dir}/uwsgi;
    scgi_temp_path {dir}/scgi;
    limit_req_zone $server_port zone=slow:64k rate=20r/s;
    limit_req_status 429;
    upstream collector {{ server 127.0.0.1:{collector}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {dir}/server.pem;
        ssl_certificate_key {dir}/server.key;
        ssl_client_certificate {dir}/ca.pem;
        ssl_verify_client on;
        client_max_body_size 16m;
        keepalive_requests {requests};
        http2_max_concurrent_streams {streams};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / {{ proxy_pass http://collector; }}
        location /small {{ client_max_body_size 20k; proxy_pass http://collector; }}
        location /reset {{
            if ($connection_requests ~ "[37]$") {{ return 444; }}
            proxy_pass http://collector;
        }}
        location /slow {{ limit_req zone=slow; proxy_pass http://collector; }}
    }}
}}
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Relay:
    """Passes connections on to a port. It can fall silent on those that are open: nothing passes, nothing ends."""

    def __init__(self, port):
        self.port, self.pairs, self.silent = port, [], set()
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        try:
            while True:
                ends = self.server.accept()[0], socket.create_connection(("127.0.0.1", self.port))
                self.pairs.append(ends)
                for a, b in (ends, ends[::-1]):
                    threading.Thread(target=self.carry, args=(ends, a, b), daemon=True).start()
        except OSError:
            pass  # closed

    def carry(self, ends, a, b):
        try:
            while data := a.recv(65536):
                if ends not in self.silent:
                    b.sendall(data)
            if ends not in self.silent:
                b.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the other end has closed

    def fall_silent(self):
        self.silent.update(self.pairs)

    def close(self):
        self.server.close()
        for ends in self.pairs:
            for end in ends:
                end.close()


class Nginx(http_fixture.Case):
    def setUp(self):
        super().setUp()
        c.make_ca(self.dir, "ca")
        for name in ("server", "client"):
            c.make_certificate(self.dir, "ca", name)
        self.collector = c.Collector()
        self.addCleanup(self.collector.close)
        self.port = free_port()
        self.configure()
        self.run_nginx()
        self.tls = f"{{ca_file: {self.dir}/ca.pem, cert_file: {self.dir}/client.pem, key_file: {self.dir}/client.key}}"

    def configure(self, requests=1000, streams=128):
        self.file("nginx.conf", CONF.format(dir=self.dir, port=self.port, collector=self.collector.port, requests=requests, streams=streams,
                                            user="user root;" if os.geteuid() == 0 else ""))

    def run_nginx(self):
        log = (self.dir / "error.log").open("ab")
        self.addCleanup(log.close)
        self.nginx = subprocess.Popen(["nginx", "-p", self.dir, "-c", self.dir / "nginx.conf"], stderr=log, start_new_session=True)
        nginx = self.nginx
        self.addCleanup(self.stop, nginx)

        program.await_that("nginx", self.up, nginx)

    def up(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self, nginx):
        """Kills it, and waits for its workers: they have the port for a moment longer than the process that is waited for."""
        if nginx.poll() is None:
            os.killpg(nginx.pid, signal.SIGKILL)
            nginx.wait()
            program.await_that("the end of nginx's workers", lambda: not self.up())

    def listen(self):
        """Opens a socket on nginx's port; returns None while one of its workers still has the port."""
        try:
            return socket.create_server(("127.0.0.1", self.port))
        except OSError:
            return None

    def url(self, path="/in"):
        return f"https://127.0.0.1:{self.port}{path}"

    def lines(self):
        """Reads the access log: protocol, status, client certificate, connection, batch."""
        lines = (self.dir / "access.log").read_text().splitlines(True)
        return [line.split() for line in lines if line.endswith("\n")]

    def all_lines(self):
        """As lines, when all are there: nginx writes one after it has sent the answer."""
        self.nginx.send_signal(signal.SIGQUIT)  # it ends its requests first
        self.nginx.wait(program.WAIT_S)
        return self.lines()

    def test_http2_and_a_client_certificate(self):
        self.all_delivered(self.replay(self.conf(self.url(), tls=self.tls), 1000), 1000)
        self.arrived(self.collector, 1000)
        lines = self.all_lines()
        self.assertEqual({tuple(line[:3]) for line in lines}, {("HTTP/2.0", "200", "SUCCESS")})
        self.assertEqual(len({line[3] for line in lines}), 1)  # four in flight share a connection
        self.assertEqual(sorted(line[4] for line in lines), sorted(p.batch for p in self.collector.posts))

    def test_four_at_once_on_one_connection(self):
        together = threading.Barrier(4, timeout=program.WAIT_S)
        self.collector.script = [c.Answer(before=together.wait) for _ in range(12)]
        self.all_delivered(self.replay(self.conf(self.url(), tls=self.tls), 1000), 1000)
        self.arrived(self.collector, 1000)
        self.assertEqual({line[0] for line in self.lines()}, {"HTTP/2.0"})
        self.assertEqual(len({line[3] for line in self.lines()}), 1)

    def test_large_bodies_over_http2(self):
        conf = self.conf(self.url(), tls=self.tls, compress="none", fields="all", batch="{records: 4000, bytes: 4MiB, age: 1s}")
        self.all_delivered(self.replay(conf, 12000), 12000)
        self.arrived(self.collector, 12000)

    def test_body_size_limit(self):
        conf = self.conf(self.url("/small"), tls=self.tls, compress="none", batch="{records: 400, age: 50ms}")
        self.all_delivered(self.replay(conf, 1000), 1000)
        self.arrived(self.collector, 1000)
        self.assertEqual({line[1] for line in self.all_lines()}, {"413", "200"})

    def test_request_limit(self):
        self.all_delivered(self.replay(self.conf(self.url("/slow"), tls=self.tls), 500), 500)
        self.arrived(self.collector, 500)
        self.assertEqual({line[1] for line in self.all_lines()}, {"429", "200"})

    def test_small_stream_limit(self):
        """Two at a time on a connection, four in flight."""
        self.stop(self.nginx)
        self.configure(streams=2)
        self.run_nginx()
        together = threading.Barrier(4, timeout=program.WAIT_S)
        self.collector.script = [c.Answer(before=together.wait) for _ in range(8)]
        self.all_delivered(self.replay(self.conf(self.url(), tls=self.tls), 1000), 1000)
        self.arrived(self.collector, 1000)

    def test_streams_that_are_reset(self):
        """RST_STREAM ends one request. Those beside it, and the connection, go on."""
        self.all_delivered(self.replay(self.conf(self.url("/reset"), tls=self.tls), 1000), 1000)
        self.arrived(self.collector, 1000)
        self.assertEqual({line[1] for line in self.all_lines()}, {"444", "200"})
        self.assertEqual(len({line[3] for line in self.lines()}), 1)

    def test_a_connection_that_falls_silent(self):
        """Requests on it time out. It is not used again, although TCP waits on for minutes."""
        relay = Relay(self.port)
        self.addCleanup(relay.close)
        url = f"https://127.0.0.1:{relay.server.getsockname()[1]}/in"
        conf = self.conf(url, tls=self.tls, timeout="500ms", batch="{records: 10, age: 50ms}")
        # During a request, whatever this process has time for: its answer does not arrive.
        self.collector.script = [c.Answer()] * 50 + [c.Answer(before=relay.fall_silent)]
        self.all_delivered(self.replay(conf, 3000), 3000)
        self.arrived(self.collector, 3000, repeats=True)
        self.assertIn("imed out", self.said)
        self.assertGreater(len(relay.pairs), 1)

    def test_connections_that_end(self):
        """nginx ends each HTTP/2 connection after some requests (GOAWAY). Nobody needs to hear of that."""
        self.stop(self.nginx)
        self.configure(requests=5)
        self.run_nginx()
        conf = self.conf(self.url(), tls=self.tls, batch="{records: 10, age: 50ms}")
        self.all_delivered(self.replay(conf, 2000), 2000)
        self.arrived(self.collector, 2000)
        self.assertGreater(len({line[3] for line in self.all_lines()}), 10)  # connections
        self.assertEqual([line for line in self.said.splitlines() if "deliver" in line and " ledger: " not in line], [])

    def test_a_busy_connection_ends(self):
        """There is no moment without a request on it, but it must end: its name may have moved."""
        self.collector.script = [c.Answer(before=lambda: time.sleep(0.05)) for _ in range(360)]
        conf = self.conf(self.url(), tls=self.tls, connection_lifetime="1s", batch="{records: 10, age: 50ms}")
        began = time.monotonic()
        self.all_delivered(self.replay(conf, 3600), 3600)
        seconds = time.monotonic() - began
        self.arrived(self.collector, 3600)
        connections = len({line[3] for line in self.all_lines()})
        self.assertGreaterEqual(connections, 3)
        self.assertLessEqual(connections, seconds + 1)  # each but the last takes requests for a second at least
        self.assertEqual({line[0] for line in self.lines()}, {"HTTP/2.0"})

    def test_without_a_certificate(self):
        """nginx answers 400 only after it has read the request. That is no fault of the records."""
        replay = self.start(self.conf(self.url(), tls=f"{{ca_file: {self.dir}/ca.pem}}"), self.pcap(10))
        program.await_that("answers", lambda: len(self.lines()) > 2, replay)
        books = self.term(replay)
        self.assertEqual((books["rejected"], books["lost_shutdown"]), (0, 10), self.said)
        self.assertRegex(self.said, "deliveries fail, will retry: HTTP 400 .*No required SSL certificate was sent")

    def test_the_collector_behind_it_is_gone(self):
        port = self.collector.port
        self.collector.close()
        replay = self.start(self.conf(self.url(), tls=self.tls), self.pcap(300))
        program.await_that("a 502", lambda: any(line[1] == "502" for line in self.lines()), replay)
        self.collector = c.Collector(port=port)
        self.addCleanup(self.collector.close)
        self.all_delivered(self.end(replay), 300)
        self.arrived(self.collector, 300)

    def test_killed_and_frozen(self):
        """Records that were received but not confirmed are sent again, and none is missing."""
        conf = self.conf(self.url(), tls=self.tls, timeout="400ms", batch="{records: 10, age: 50ms}")
        frozen = threading.Event()  # until then the last requests have no answer, so that there is something to freeze
        self.addCleanup(frozen.set)
        self.collector.script = [c.Answer()] * 250 + [c.Answer(before=frozen.wait)] * 100
        replay = self.start(conf, self.pcap(6000))
        for at in (50, 150):
            program.await_that("posts", lambda at=at: len(self.collector.posts) > at, replay)
            self.stop(self.nginx)
            self.run_nginx()
        program.await_that("posts", lambda: len(self.collector.posts) > 250, replay)
        os.killpg(self.nginx.pid, signal.SIGSTOP)
        frozen.set()
        said = ""
        while "imed out" not in said:
            said = program.await_that("a time-out", replay.stderr.readline, replay)
        os.killpg(self.nginx.pid, signal.SIGCONT)
        self.all_delivered(self.end(replay), 6000)
        self.arrived(self.collector, 6000, repeats=True)

    def test_a_request_that_only_waited_has_no_answer(self):
        """The status of the transfer before must not be taken for one. Four answers are there at once, and no nginx
        any more: the next four requests begin in one turn of the loop and have the same time limit, which the
        handshakes of three use up."""
        asked = threading.Barrier(4, action=lambda: replay.send_signal(signal.SIGSTOP), timeout=program.WAIT_S)
        self.collector.script = [c.Answer(400, before=asked.wait) for _ in range(4)]
        replay = self.start(self.conf(self.url(), tls=self.tls, timeout="2s"), self.pcap(1000))
        program.await_that("answers", lambda: [line[1] for line in self.lines()] == ["400"] * 4, replay)
        self.stop(self.nginx)
        with program.await_that("the port", self.listen):  # no handshake ends here
            replay.send_signal(signal.SIGCONT)
            said = ""
            while "deliveries fail, will retry" not in said:
                said += program.await_that("a word of it", replay.stderr.readline, replay)
        self.run_nginx()
        books = self.end(replay)
        # An answer of before would reject batches that the collector has never refused twice.
        self.assertEqual((books["delivered"], books["rejected"]), (1000, 0), said + self.said)


if __name__ == "__main__":
    if not shutil.which("nginx"):
        program.skip_all("nginx is not installed")
    namespace.enter()  # if it may: there nobody else takes a port that is free for a moment
    unittest.main()
