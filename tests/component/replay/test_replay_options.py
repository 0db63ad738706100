#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay without -c: built-in defaults, and --format, --fields, --output."""
import json
import os
import time
import unittest

import frames as f
import namespace
import program

MS_BIND = 4096
NS = 1_700_000_000 * 10**9
PACKET = f.eth(f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(1111, 2222, bytes(30))))


class Options(program.Case):
    def setUp(self):
        super().setUp()
        self.pcap = self.file("a.pcap", f.pcap([(NS, PACKET)]))

    def replay(self, *args, **more):
        done = program.fffa("replay", *args, self.pcap, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.splitlines()

    def test_the_hosts_file_is_not_read(self):
        if os.geteuid():
            self.skipTest("no root")
        etc = self.dir / "etc"
        (etc / "fffa").mkdir(parents=True)
        (etc / "fffa" / "fffa.yaml").write_text("nonsense: true\n")

        def put_etc():
            if namespace.enter_mounts() or namespace.libc.mount(bytes(etc), b"/etc", None, MS_BIND, None):
                os._exit(99)

        # Without -c, check reads the host's file: it is there.
        self.assertEqual(program.fffa("check", preexec_fn=put_etc).returncode, 78)
        done = program.fffa("replay", self.pcap, preexec_fn=put_etc)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 2)

    def test_format_and_fields(self):
        got = [json.loads(line) for line in self.replay("--format", "json", "--fields", "srcaddr,dstport")]
        self.assertEqual(got, [{"srcaddr": "10.0.0.1", "dstport": 2222}])
        self.assertEqual(self.replay("--fields", "srcaddr,dstport,packets"),
                         ["srcaddr dstport packets", "10.0.0.1 2222 1"])
        self.assertEqual(self.replay("--format", "vpc", "--fields", "${dstaddr} ${bytes}")[1:], ["10.0.0.2 58"])
        self.assertEqual(len(self.replay("--fields", "v5")[0].split()), 29)
        self.assertTrue(self.replay("--format", "flowlog")[0].startswith("flowlog version=2 proto=UDP"))

    def test_output(self):
        path = self.dir / 'a "b" c'
        self.assertEqual(self.replay("--output", path, "--format", "json"), [])
        self.assertEqual(json.loads(path.read_text())["pkt_srcaddr"], "10.0.0.1")

    def test_names_of_files(self):
        """Any byte that a name may have, and one that stands for standard output."""
        for name in ('"', "\\", "a\\n", "\x01", "\t\x1f", "\x7f", "\u00e9", "a: {b}", "#", "'x'", "~"):
            path = self.dir / name
            self.assertEqual(self.replay("--output", path, "--format", "json"), [])
            self.assertEqual(json.loads(path.read_text())["pkt_srcaddr"], "10.0.0.1", name)
            path.unlink()
        self.assertEqual(len(self.replay("--output", "-")), 2)

    def test_lists_of_fields(self):
        for words in ("srcaddr,dstport", "srcaddr, dstport", " srcaddr dstport ", ",srcaddr,,dstport,"):
            self.assertEqual(self.replay("--fields", words), ["srcaddr dstport", "10.0.0.1 2222"], words)
            self.assertEqual(self.replay("--fields", words, "--format", "json"), ['{"srcaddr":"10.0.0.1","dstport":2222}'], words)
        for words, count in (("default", 14), ("v5", 29)):
            self.assertEqual([len(line.split(" ")) for line in self.replay("--fields", words)], [count] * 2)
        self.assertGreater(len(self.replay("--fields", "all")[0].split(" ")), 29)
        self.assertIn("pkt_srcaddr", json.loads(self.replay("--fields", "all", "--format", "json")[0]))
        self.assertEqual(self.replay("--fields", "${srcaddr}"), ["srcaddr", "10.0.0.1"])
        for words in ("default", "v5", "${srcaddr}"):  # of vpc alone
            done = program.fffa("replay", "--format", "json", "--fields", words, self.pcap)
            self.assertEqual(done.returncode, 78)
            self.assertIn("fields", done.stderr)
        for words in ('a"b', "a\\"):
            done = program.fffa("replay", "--fields", words, self.pcap)
            self.assertEqual((done.returncode, done.stderr.startswith("command line:1: sinks[0].fields: ")), (78, True), done.stderr)

    def test_local_prefixes(self):
        for prefixes, direction in (((), "ingress"), (("10.0.0.1",), "egress"), (("10.9.0.0/16", "10.0.0.0/24"), "egress"),
                                    (("10.0.0.2",), "ingress"), (("2001:db8::/32",), "ingress"), (("10.9.0.0/16",) * 63 + ("10.0.0.1",), "egress")):
            args = [word for one in prefixes for word in ("--local", one)]
            row = json.loads(self.replay("--format", "json", *args)[0])
            self.assertEqual(row["flow_direction"], direction, prefixes)

    def test_filters(self):
        conf = self.file("fffa.yaml", "capture: {filter: tcp}\n")
        self.assertEqual(len(self.replay("-c", conf, "--format", "json")), 0)
        self.assertEqual(len(self.replay("-c", conf, "--format", "json", "--filter", "udp port 2222")), 1)
        self.assertEqual(len(self.replay("-c", conf, "--format", "json", "--filter", "")), 1)
        done = program.fffa("replay", "--filter", "len > 1", self.pcap)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertTrue(done.stderr.startswith("fffa replay: --filter: column 1: "), done.stderr)

    def test_speeds(self):
        """Two packets with a second between them."""
        self.pcap = self.file("b.pcap", f.pcap([(NS, PACKET), (NS + 10**9, PACKET)]))
        for speed, seconds in (("max", 0), ("1e6", 0), ("0.001e3", 1), ("4", 0.25)):
            begin = time.monotonic()
            self.assertEqual(json.loads(self.replay("--speed", speed, "--format", "json")[0])["packets"], 2)
            self.assertGreaterEqual(time.monotonic() - begin, seconds)

    def test_they_replace_the_sinks_of_the_file(self):
        conf = self.file("fffa.yaml", "sinks:\n- {name: k, type: kafka, brokers: ['127.0.0.1:1'], topic: t}\n"
                         f"- {{name: f, type: file, path: {self.dir}/none}}\n")
        self.assertEqual(len(self.replay("-c", conf, "--format", "json")), 1)
        self.assertFalse(os.path.exists(self.dir / "none"))

    def test_what_is_wrong_is_one_line(self):
        for args in (("--format", "xml"), ("--fields", "srcadr"), ("--format", "json", "--fields", "nope,srcaddr")):
            with self.subTest(args=args):
                done = program.fffa("replay", *args, self.pcap)
                self.assertEqual(done.returncode, 78)
                self.assertIn("command line:1:", done.stderr)


if __name__ == "__main__":
    unittest.main()
