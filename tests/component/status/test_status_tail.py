#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""/records and fffa tail: records as they leave, filtered, for several readers, also for one that stands still."""
import json
import os
import select
import signal
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

    def first(self, p, *ports):
        """Returns the first line of a tail. It may join at any time, so packets to the ports go on until the line comes."""
        def came():
            for port in ports:
                agent.send(port)
            return select.select([p.stdout], [], [], 0.2)[0]
        program.await_that("a record at the tail", came, p)
        return p.stdout.readline()

    def test_each_reader_gets_what_it_asked_for(self):
        a = agent.Agent(self, LISTEN)
        some = self.tail("-o", "json", "udp dst port 4444")
        text = self.tail("udp", "dst", "port", "4444")
        other = self.tail("-o", "json", "-f", "dstport=444[56]", "-f", "ifname=l*", "-f", "flow-direction=ingress", "udp")
        ready = (some, text, other)
        got = {p: self.first(p, 4444, 4445, 1) for p in ready}
        record = json.loads(got[some])
        self.assertEqual((record["dstport"], record["ifname"], record["schema"]), (4444, "lo", 1))
        self.assertGreater(record["seq"], 0)
        self.assertRegex(got[text], r"^\d\d:\d\d:\d\d\.\d{3} (in |out) 127\.0\.0\.1:\d+ +> 127\.0\.0\.1:4444 +udp +"
                                       r"\d+ pkts +\d+ bytes\n$")
        record = json.loads(got[other])
        self.assertEqual((record["dstport"], record["flow_direction"]), (4445, "ingress"))
        a.stop()
        for p in ready:
            rest, error = p.communicate(timeout=program.WAIT_S)
            self.assertEqual((p.returncode, error), (0, ""))
            if p is some:
                self.assertEqual({json.loads(line)["dstport"] for line in rest.splitlines()} - {4444}, set())

    def test_names_of_services(self):
        a = agent.Agent(self, LISTEN)
        named, numeric = self.tail("udp", "dst", "port", "514"), self.tail("-n", "udp", "dst", "port", "514")
        for p, end in ((named, "syslog"), (numeric, "514")):
            self.assertRegex(self.first(p, 514), rf" 127\.0\.0\.1:\d+ +> 127\.0\.0\.1:{end} +udp ")
        a.stop()

    def test_networks_of_both_ends(self):
        path = self.file("networks.csv", "127.0.0.0/8,home,,,,use1-az4\n")
        with unittest.mock.patch.dict(os.environ, FFFA_METADATA_NETWORKS=str(path), FFFA_METADATA_HOST_NAME="web-1"):
            a = agent.Agent(self, LISTEN)
        text, records = self.tail("udp", "dst", "port", "4444"), self.tail("-o", "json", "udp")
        got = {p: self.first(p, 4444) for p in (text, records)}
        self.assertRegex(got[text], r" +\d+ bytes  home > home\n$")
        record = json.loads(got[records])
        self.assertEqual((record["src_network"], record["dst_az_id"], record["host_name"]), ("home", "use1-az4", "web-1"))
        self.assertIn('fffa_network_bytes_total{src_network="home",dst_network="home",src_az_id="use1-az4",'
                      'dst_az_id="use1-az4",direction="egress",cross_az="no"} ', a.get("/metrics")[2])
        a.stop()

    def test_a_name_is_no_order_to_the_terminal(self):
        """The kernel takes nearly any byte in the name of a device, also what a terminal obeys."""
        name = "x\x1b[31m\u00e9\u009b2J"
        subprocess.run(["ip", "link", "add", "dev", name, "type", "veth", "peer", "name", "other"], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "del", "dev", "other"], check=True)
        for dev in (name, "other"):
            subprocess.run(["ip", "link", "set", "dev", dev, "up"], check=True)
        a = agent.Agent(self, LISTEN, interfaces='["x*"]',
                        flows="{idle_timeout: 300ms, active_timeout: 1s, nodata: true}")
        p = self.tail("udp port 9")
        self.assertRegex(p.stdout.readline(), r"^\d\d:\d\d:\d\d\.\d{3} --- NODATA x\?\[31m\u00e9\?2J\n$")
        a.stop()

    def test_a_stopped_tail_loses_its_own_copies_only(self):
        """It says how many, at the place where they are missing. The sink has all, and so has another tail."""
        a = agent.Agent(self, f"unix:{self.dir}/status")  # its buffers are small
        still, other = self.tail("-o", "json"), self.tail("-o", "json")
        got = {p: [json.loads(self.first(p, 4444))] for p in (still, other)}
        still.send_signal(signal.SIGSTOP)

        def read(p, port):
            """Reads until the record of what came in to the port. Nothing else has that port."""
            while got[p][-1].get("dstport") != port or got[p][-1]["flow_direction"] != "ingress":
                got[p].append(json.loads(p.stdout.readline()))
        for last in range(9, 13):  # each time as many as the buffers hold
            for port in range(10000, 12000):
                agent.send(port)
            agent.send(last)
            read(other, last)
        self.assertEqual([r for r in got[other] if r["log_status"] != "OK"], [])
        still.send_signal(signal.SIGCONT)
        while got[still][-1].get("lost_reason") != "slow_reader":
            got[still].append(json.loads(still.stdout.readline()))
        a.stop()
        seqs = [r["seq"] for r in got[other]]
        self.assertEqual(seqs, list(range(seqs[0], seqs[-1] + 1)))
        rest, error = still.communicate(timeout=program.WAIT_S)
        self.assertEqual((still.returncode, error), (0, ""))
        got[still] += map(json.loads, rest.splitlines())
        last = 0
        for r in got[still]:  # each hole is told where it is
            if "seq" in r:
                self.assertEqual(r["seq"], last + 1 if last else r["seq"])
                last = r["seq"]
            else:
                last += r["lost_records"]

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

    def join(self, a, words):
        """Returns the socket of a reader, and the first line of the answer."""
        c = a.connect()
        c.request("GET", f"/records?filter={words}")
        got = b""
        while b"\r\n" not in got:
            got += c.sock.recv(1)
        self.addCleanup(c.close)
        return c, got.decode().split()[1]

    def test_readers_that_are_gone_make_room(self):
        """Nothing passes their filters, so that the agent has nothing to send to them."""
        for listen in (LISTEN, f"unix:{self.dir}/status"):
            with self.subTest(listen):
                a = agent.Agent(self, listen)
                here = [self.join(a, "udp%20port%209") for _ in range(8)]
                self.assertEqual({code for _, code in here}, {"200"})
                self.assertEqual(self.join(a, "tcp")[1], "503")
                for reader, _ in here[2:4]:
                    reader.close()
                self.assertEqual([self.join(a, "udp%20port%209")[1] for _ in range(3)], ["200", "200", "503"])
                agent.send(9)
                for reader, _ in here[:2] + here[4:]:  # they have stayed
                    got = b""
                    while b'"dstport":9,' not in got:
                        got += reader.sock.recv(4096)
                        self.assertTrue(got)
                a.stop()

    def test_head_has_no_body(self):
        """So what is answered next on the connection begins where a client looks for it."""
        a = agent.Agent(self, LISTEN)
        with socket.create_connection(("127.0.0.1", 9977), timeout=program.WAIT_S) as c:
            for words in ("HEAD /records?filter=udp", "GET /healthz"):
                c.sendall(f"{words} HTTP/1.1\r\nHost: {LISTEN}\r\n\r\n".encode())
            got = b""
            while not got.endswith(b"ok\n"):
                got += c.recv(4096)
        head, after, body = got.split(b"\r\n\r\n")
        self.assertRegex(head, rb"^HTTP/1.1 200 OK\r\n(.*\r\n)*Content-Type: application/x-ndjson")
        self.assertRegex(after, rb"^HTTP/1.1 200 OK\r\n")
        self.assertEqual(body, b"ok\n")
        a.stop()

    def test_what_is_refused(self):
        a = agent.Agent(self, LISTEN)
        code, _, text = a.get("/records?filter=tcp%20and%20len%20%3E%209")
        self.assertEqual((code, text), (400, 'filter: column 9: "len": a flow has no packet length\n'))
        for words in ("tcp%00", "%00", "%00tcp"):
            for page in ("records", "flows"):
                self.assertEqual(a.get(f"/{page}?filter={words}")[::2], (400, "filter: it has a byte 0\n"))
        for args, code, error in ((("tcp and",), 2, "column 8: the filter is not complete"),
                                  (("-o", "xml"), 2, "--output xml"), (("-f", "x"), 2, "--field x: must be FIELD=GLOB"),
                                  (("-f", "=x"), 2, "--field =x: must be FIELD=GLOB"),
                                  (("-f", "action="), 2, "--field action=: must be FIELD=GLOB"),
                                  (("-f", "ifnam=lo"), 2, 'unknown json field "ifnam"; the nearest is "ifname"'),
                                  (("-f", "flow-direktion=*"), 2, 'the nearest is "flow_direction"'),
                                  (("-f", "srcaddr,dstaddr=*"), 2, "no field has such a name"),
                                  (("-f", "a" * 99999 + "=*"), 2, "no field has such a name"),
                                  (("-f", "all=*"), 2, "records have no such field here"),
                                  (("-f", "community_id=1:*"), 2, "records have no such field here"),
                                  (("-f", "ifname=lo") * 17, 2, "more than 16 --field")):
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
