#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa tail: each kind of record as a line, what the fields of a record have to be, and answers that end early."""
import json
import subprocess
import unittest

import program
from pages import Server

FLOW = {"log_status": "OK", "end_ms": 1700000000123, "flow_direction": "egress", "pkt_srcaddr": "10.0.0.1", "srcport": 40000,
        "pkt_dstaddr": "10.0.0.2", "dstport": 443, "protocol": 6, "packets": 3, "bytes": 1234, "tcp_flags_raw": 0}
LINE = "22:13:20.123 out 10.0.0.1:40000        > 10.0.0.2:https        tcp          3 pkts       1234 bytes"


def line(**changes):
    return json.dumps({k: v for k, v in {**FLOW, **changes}.items() if v is not None}, separators=(",", ":"))


class Tail(program.Case):
    def tail(self, body, *args, code=0, error="", **more):
        """Returns what it prints of the body. asked: the path that it asked for."""
        server = Server(self, {"/records": body if callable(body) else body.encode()})
        done = program.fffa("tail", "-c", server.conf, *args, **more)
        server.stop()
        self.asked = server.paths()
        self.assertEqual((done.returncode, done.stderr), (code, error))
        return done.stdout

    def expect(self, want, *args, **changes):
        self.assertEqual(self.tail(line(**changes) + "\n", *args), want + "\n")

    def test_flows(self):
        self.expect(LINE)
        self.expect(LINE.replace("https", "443  "), "-n")
        self.expect(LINE.replace("https", "443  "), "--numeric")
        self.expect(LINE.replace(" out ", " in  "), flow_direction="ingress")
        self.expect(LINE.replace(" out ", " in  "), flow_direction=None)
        self.expect(LINE.replace("tcp          3 pkts       1234", "tcp   123456789 pkts 12345678901"), packets=123456789,
                    bytes=12345678901)
        self.expect(LINE.replace("10.0.0.1:40000 ", "[2001::1]:40000"), pkt_srcaddr="2001::1")
        self.expect(LINE.replace("22:13:20.123", "22:13:20.007"), end_ms=1700000000007)
        self.expect(LINE.replace("22:13:20.123", "-           "), end_ms=None)
        self.expect(LINE.replace("22:13:20.123", "00:00:00.001"), end_ms=1)

    def test_protocols(self):
        for number, name in ((1, "icmp"), (6, "tcp"), (17, "udp"), (58, "icmp6"), (132, "sctp"), (47, "47"), (0, "0"), (255, "255")):
            self.expect(LINE.replace("10.0.0.1:40000", "10.0.0.1      ").replace("10.0.0.2:https", "10.0.0.2      ")
                        .replace("tcp  ", f"{name:5}"), protocol=number, srcport=None, dstport=0)

    def test_flags(self):
        for bit, letter in enumerate("FSRP.UEW"):
            self.expect(f"{LINE}  {letter}", tcp_flags_raw=1 << bit)
        self.expect(f"{LINE}  FSRP.UEW", tcp_flags_raw=0x1ff)
        self.expect(LINE, tcp_flags_raw=0x100)

    def test_networks(self):
        self.expect(f"{LINE}  web > db", src_network="web", dst_network="db")
        self.expect(f"{LINE}  web > -", src_network="web")
        self.expect(f"{LINE}  - > db", dst_network="db")
        self.expect(f"{LINE}  S  a?b\u00e9\u2713\U0001f600 > ?", tcp_flags_raw=2, src_network="a\x07b\u00e9\u2713\U0001f600", dst_network="\x9b")

    def test_what_is_no_flow(self):
        for record, want in (({"log_status": "NODATA", "ifname": "eth0"}, "- --- NODATA eth0"),
                             ({"log_status": "NODATA", "end_ms": 1700000000000}, "22:13:20.000 --- NODATA -"),
                             ({"ifname": "x\x1b"}, "- --- ? x?"),
                             ({"log_status": "SKIPDATA", "lost_packets": 7, "lost_records": 9, "lost_reason": "queue_full"},
                              "- --- SKIPDATA - lost packets=7 records=9 reason=queue_full")):
            want = want.replace("- ---", "-            ---", 1) if want[0] == "-" else want
            self.assertEqual(self.tail(json.dumps(record) + "\n"), want + "\n")

    def test_bytes_that_are_no_text(self):
        """They reach nobody's terminal; JSON that is none is passed over."""
        self.assertEqual(self.tail("[1]\nnonsense\n\n" + line() + "\n7\n"), LINE + "\n")
        self.assertEqual(self.tail(line()), "")  # its line has no end: it may not be whole

    def test_fields(self):
        for glob, wanted in (("dstport=443", True), ("dstport=44?", True), ("dstport=44", False), ("dstport=*", True),
                             ("pkt-srcaddr=10.*", True), ("pkt_srcaddr=10.0.0.2", False), ("action=*", False), ("ifname=*", False),
                             ("bytes=1234", True), ("bytes=[0-9]*", True), ("encapsulated=true", True), ("encapsulated=false", False),
                             ("sampled=*", False), ("log-status=OK", True)):
            said = self.tail(line(encapsulated=True, action=None, sampled=None, ifname=["x"]) + "\n", "-f", glob)
            self.assertEqual(said, LINE + "\n" if wanted else "", glob)
        both = ("-f", "dstport=443", "--field", "srcport=40000")
        self.expect(LINE, *both)
        self.assertEqual(self.tail(line(srcport=1) + "\n" + line(dstport=1) + "\n" + line(encapsulated=False) + "\n", *both,
                                   "-f", "encapsulated=false"), LINE + "\n")
        self.expect(LINE, *("-f", "dstport=443") * 16)
        # What is lost may be of such a record.
        lost = '{"log_status":"SKIPDATA","lost_reason":"x"}\n'
        self.assertEqual(self.tail(lost, "-f", "dstport=443", "-o", "json"), lost)

    def test_json(self):
        """As it came, byte for byte."""
        body = '{"b": 1,  "a":"\\u00e9"}\n{"c":2}\n'
        self.assertEqual(self.tail(body + "[]\n", "-o", "json"), body)
        self.assertEqual(self.tail(body, "--output", "text", "-o", "json"), body)
        self.assertEqual(self.tail(line() + "\n", "-o", "json", "-o", "text"), LINE + "\n")

    def test_many_records_and_long_ones(self):
        """They come in pieces, which end anywhere."""
        many = "".join(f'{{"seq":{i},"x":"{"y" * (i % 301)}"}}\n' for i in range(2000))
        self.assertEqual(self.tail(many, "-o", "json"), many)
        head, end, short = '{"x":"', '"}\n', '{"y":1}\n'
        most = head + "z" * (64 * 1024 - len(head) - 2) + end
        self.assertEqual(self.tail(short + most + short, "-o", "json"), short + most + short)
        self.assertEqual(self.tail(short + most.replace("z", "zz", 1) + short, "-o", "json"), short * 2)

    def test_what_it_asks_for(self):
        for words, path in (((), ""), (("udp", "port", "53"), "udp%20port%2053"), (("udp port 53",), "udp%20port%2053"),
                            (("ip6",), "ip6"), (("ip".ljust(1023), ""), "ip" + "%20" * 1022)):
            self.tail("", *words)
            self.assertEqual(self.asked, ["/records?filter=" + path])
        for words in (("ip".ljust(1025),), ("ip".ljust(1024), "ip"), ("ip or ip6".ljust(500),) * 4):
            done = program.fffa("tail", *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)

    def test_what_is_refused(self):
        done = program.fffa("tail", "-c", self.file("fffa.yaml", "status: {listen: ''}\n"))
        self.assertEqual((done.returncode, done.stdout, done.stderr),
                         (1, "", "fffa tail: status.listen is empty: the agent does not listen\n"))
        self.assertEqual(program.fffa("tail", "-c", self.file("fffa.yaml", "x: 1\n")).returncode, 78)
        for args, says in ((("-o", "xml"), "--output xml: must be text or json"), (("-o", ""), "--output : must be text or json"),
                           (("-f", "x"), "--field x: must be FIELD=GLOB"), (("-f", "=x"), "--field =x: must be FIELD=GLOB"),
                           (("-f", "action="), "--field action=: must be FIELD=GLOB"),
                           (("-f", "a,b=x"), "--field a,b=x: no field has such a name"),
                           (("-f", "a b=x"), "--field a b=x: no field has such a name"),
                           (("-f", "a" * 64 + "=x"), f"--field {'a' * 64}: no field has such a name"),
                           (("-f", "all=x"), "--field all=x: records have no such field here"),
                           (("-f", "community-id=x"), "--field community-id=x: records have no such field here"),
                           (("-f", "dstport=1") * 17, "more than 16 --field"), (("tcp and",), "column 8: the filter is not complete")):
            done = program.fffa("tail", *args)
            self.assertEqual((done.returncode, done.stdout, done.stderr.splitlines()[0]), (2, "", f"fffa tail: {says}"))
        done = program.fffa("tail", "-f", "a" * 63 + "=x")  # as long as a name may be
        self.assertIn("unknown json field", done.stderr)

    def test_an_output_that_is_full(self):
        for body in (line() + "\n", (line() + "\n") * 1000):
            server = Server(self, {"/records": body.encode()})
            with open("/dev/full", "wb") as full:
                done = subprocess.run([program.FFFA, "tail", "-c", server.conf], stdout=full, stderr=subprocess.PIPE, text=True,
                                      timeout=program.WAIT_S, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, "fffa tail: cannot write to standard output\n"))
            server.stop()


if __name__ == "__main__":
    unittest.main()
