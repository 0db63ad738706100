#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Where the status pages listen: loopback, unix socket, nowhere, a port in use. Also readiness."""
import os
import socket
import stat
import subprocess
import unittest

import agent
import namespace
import program


class Listen(program.Case):
    def test_the_pages(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        self.assertEqual(a.get("/healthz")[::2], (200, "ok\n"))
        self.assertEqual(a.get("/readyz")[::2], (200, "ready\n"))
        self.assertEqual(a.get("/index.html")[0], 404)
        self.assertEqual(a.get("/metrics/")[0], 404)
        code, headers, text = a.get("/metrics", "HEAD")
        self.assertEqual((code, text), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        for header in ("Access-Control-Allow-Origin", "Server"):
            self.assertIsNone(headers[header])
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            code, headers, _ = a.get("/metrics", method, body=b"x" * 100)
            self.assertEqual((code, headers["Allow"]), (405, "GET, HEAD"))
        self.assertEqual(a.get("/status", "GET", body=b"body")[0], 400)
        a.stop()

    def host(self, address, host, status):
        with socket.create_connection(address, program.WAIT_S) as c:
            c.sendall(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            self.assertIn(f"HTTP/1.1 {status} ".encode(), c.recv(1000), host)

    def test_only_its_own_names(self):
        """A page elsewhere reaches the listener through a name of its own: DNS rebinding."""
        a = agent.Agent(self, "127.0.0.1:9977")
        for host in ("127.0.0.1", "127.0.0.1:9977", "localhost", "LOCALHOST:9977", "[::1]:9977", "localhost:8080"):
            self.host(("127.0.0.1", 9977), host, 200)
        for host in ("evil.example", "evil.example:9977", "127.0.0.1.evil.example", "localhost.evil.example:9977",
                     "10.0.0.1", "[::2]", "x" * 300, "", "localhost:x", socket.gethostname()):
            self.host(("127.0.0.1", 9977), host, 421)
        a.stop()
        a = agent.Agent(self, "0.0.0.0:9977")
        for host in ("127.0.0.1:9977", "10.0.0.1:9977", "[2001:db8::1]:9977", socket.gethostname(), "localhost"):
            self.host(("127.0.0.1", 9977), host, 200)
        self.host(("127.0.0.1", 9977), "evil.example:9977", 421)
        a.stop()

    def test_what_status_says(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        s = a.json("/status")
        self.assertEqual((s["config_file"], s["stage"], s["ready"]), (str(self.dir / "fffa.yaml"), "running", True))
        self.assertEqual([(h["interface"], h["direction"]) for h in s["hooks"]], [("lo", "ingress"), ("lo", "egress")])
        for h in s["hooks"]:
            self.assertTrue(h["why"] and h["hook"] in ("tcx", "clsact"))
        self.assertEqual([(x["name"], x["type"]) for x in s["sinks"]], [("out", "file")])
        self.assertEqual(s["sinks"][0]["up"], s["sinks"][0]["delivered"] > 0)
        self.assertEqual(s["sinks"][0]["facts"]["path"], str(a.out))
        self.assertEqual(s["metadata"]["imds"], "off")
        version = program.fffa("version").stdout.split()
        self.assertEqual([s["version"], s["commit"] + ")"], [version[1], version[3]])
        a.stop()

    def test_a_keep_alive_connection(self):
        a = agent.Agent(self, "127.0.0.1:9977")
        c = a.connect()
        self.addCleanup(c.close)
        ports = set()
        for path in ("/healthz", "/metrics", "/flows", "/status", "/nothing", "/flows", "/flows?n=x", "/healthz"):
            a.get(path, connection=c)
            ports.add(c.sock.getsockname()[1])
        self.assertEqual(len(ports), 1)
        a.stop()

    def test_a_unix_socket(self):
        path = self.dir / "status"
        a = agent.Agent(self, f"unix:{path}")
        mode = os.stat(path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o660)
        self.assertEqual(a.get("/healthz")[0], 200)
        a.stop()
        self.assertFalse(path.exists())

    def test_a_unix_socket_that_a_killed_agent_left(self):
        path = self.dir / "status"
        agent.Agent(self, f"unix:{path}").kill()
        self.assertTrue(path.exists())
        a = agent.Agent(self, f"unix:{path}")
        self.assertEqual(a.get("/healthz")[0], 200)
        a.stop()

    def test_ipv6(self):
        a = agent.Agent(self, "[::1]:9977")
        with socket.create_connection(("::1", 9977), program.WAIT_S) as c:
            c.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            self.assertIn(b"200 OK", c.recv(1000))
        a.stop()

    def test_a_taken_port(self):
        with socket.create_server(("127.0.0.1", 9977)):
            conf = self.file("fffa.yaml", "capture: {interfaces: [lo]}\n")
            self.one_error(program.fffa("run", "-c", conf), "status.listen", "127.0.0.1:9977", "in use")

    def test_off(self):
        a = agent.Agent(self, "")
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        self.assertEqual(listening, "")
        a.stop()

    def test_a_replay_does_not_listen(self):
        """Another running agent may have the port."""
        with socket.create_server(("127.0.0.1", 9977)):
            pcap = self.file("empty.pcap", bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000"))
            done = program.fffa("replay", pcap)
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_not_ready_without_an_interface(self):
        subprocess.run(["ip", "link", "add", "va", "type", "veth", "peer", "name", "vb"], check=True)
        a = agent.Agent(self, "127.0.0.1:9977", interfaces="[va]")
        self.assertEqual(a.get("/readyz")[0], 200)
        subprocess.run(["ip", "link", "del", "va"], check=True)
        said = program.await_that("not ready", lambda: (lambda got: got if got[0] == 503 else None)(a.get("/readyz")),
                                  a.process)
        self.assertIn("capture.interfaces", said[2])
        self.assertEqual(a.get("/healthz")[0], 200)
        self.assertFalse(a.json("/status")["ready"])
        a.stop()


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
