#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""/records and fffa tail: records as they leave, filtered, for several readers, also for one that stands still."""
import json
import os
import socket
import subprocess
import unittest
import unittest.mock

import agent
import namespace
import program

LISTEN = "127.0.0.1:9977"


class Tail(program.Case):
    def tail(self, *args):
        """Starts fffa tail and returns its process."""
        p = subprocess.Popen([program.FFFA, "tail", "-c", self.dir / "fffa.yaml", *args], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        self.addCleanup(p.communicate)
        self.addCleanup(p.kill)
        return p

    def test_each_reader_gets_what_it_asked_for(self):
        a = agent.Agent(self, LISTEN)
        some = self.tail("-o", "json", "udp dst port 4444")
        text = self.tail("udp", "dst", "port", "4444")
        other = self.tail("-o", "json", "-f", "dstport=444[56]", "-f", "ifname=l*", "-f", "flow_direction=ingress", "udp")
        ready = (some, text, other)
        got = {p: [] for p in ready}
        for p in ready:  # until each has joined
            while not got[p]:
                agent.send(4444)
                agent.send(4445, 2)
                agent.send(1)
                line = p.stdout.readline()
                self.assertTrue(line, "".join(a.log))
                got[p].append(line)
        record = json.loads(got[some][0])
        self.assertEqual((record["dstport"], record["ifname"], record["schema"]), (4444, "lo", 1))
        self.assertGreater(record["seq"], 0)
        self.assertRegex(got[text][0], r"^\d\d:\d\d:\d\d\.\d{3} (in |out) 127\.0\.0\.1:\d+ +> 127\.0\.0\.1:4444 +udp +"
                                       r"\d+ pkts +\d+ bytes\n$")
        record = json.loads(got[other][0])
        self.assertEqual((record["dstport"], record["flow_direction"]), (4445, "ingress"))
        a.stop()
        for p in ready:
            rest, error = p.communicate(timeout=program.WAIT_S)
            self.assertEqual((p.returncode, error), (0, ""))
            if p is some:
                self.assertEqual({json.loads(line)["dstport"] for line in rest.splitlines()} - {4444}, set())

    def test_networks_of_both_ends(self):
        path = self.file("networks.csv", "127.0.0.0/8,home,,,,use1-az4\n")
        with unittest.mock.patch.dict(os.environ, FFFA_METADATA_NETWORKS=str(path), FFFA_METADATA_HOST_NAME="web-1"):
            a = agent.Agent(self, LISTEN)
        text, records = self.tail("udp", "dst", "port", "4444"), self.tail("-o", "json", "udp")
        got = {}
        for p in (text, records):
            while p not in got:
                agent.send(4444)
                got[p] = p.stdout.readline()
        self.assertRegex(got[text], r" +\d+ bytes  home > home\n$")
        record = json.loads(got[records])
        self.assertEqual((record["src_network"], record["dst_az_id"], record["host_name"]), ("home", "use1-az4", "web-1"))
        self.assertIn('fffa_network_bytes_total{src_network="home",dst_network="home",src_az_id="use1-az4",'
                      'dst_az_id="use1-az4",direction="egress",cross_az="no"} ', a.get("/metrics")[2])
        a.stop()

    def test_a_reader_that_stands_still_holds_up_nobody(self):
        a = agent.Agent(self, LISTEN)
        with socket.socket() as still:
            still.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            still.connect(("127.0.0.1", 9977))
            still.sendall(b"GET /records HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertIn(b"200 OK", still.recv(100))
            for port in range(2000, 2400):
                agent.send(port)
            program.await_that("the records", lambda: len(a.out.read_text().splitlines()) >= 800 if a.out.exists()
                               else 0, a.process)
            self.assertEqual(a.get("/healthz")[0], 200)
            a.stop()

    def test_what_is_refused(self):
        a = agent.Agent(self, LISTEN)
        code, _, text = a.get("/records?filter=tcp%20and%20len%20%3E%209")
        self.assertEqual((code, text), (400, 'filter: column 9: "len": a flow has no packet length\n'))
        for args, code, error in ((("tcp and",), 2, "column 8: the filter is not complete"),
                                  (("-o", "xml"), 2, "--output xml"), (("-f", "x"), 2, "--field x: must be FIELD=GLOB")):
            done = program.fffa("tail", "-c", self.dir / "fffa.yaml", *args)
            self.assertEqual(done.returncode, code)
            self.assertIn(error, done.stderr.splitlines()[0])
        a.stop()
        done = program.fffa("tail", "-c", self.dir / "fffa.yaml")
        self.assertEqual((done.returncode, done.stderr), (1, f"fffa tail: no agent answers at {LISTEN}: "
                                                             "Connection refused\n"))


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
