#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay without -c: built-in defaults, and --format, --fields, --output."""
import json
import os
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

    def test_they_replace_the_sinks_of_the_file(self):
        conf = self.file("fffa.yaml", "sinks: [{name: k, type: kafka, brokers: ['127.0.0.1:1'], topic: t}]\n")
        self.assertEqual(len(self.replay("-c", conf, "--format", "json")), 1)

    def test_what_is_wrong_is_one_line(self):
        for args in (("--format", "xml"), ("--fields", "srcadr"), ("--format", "json", "--fields", "nope,srcaddr")):
            with self.subTest(args=args):
                done = program.fffa("replay", *args, self.pcap)
                self.assertEqual(done.returncode, 78)
                self.assertIn("command line:1:", done.stderr)


if __name__ == "__main__":
    unittest.main()
