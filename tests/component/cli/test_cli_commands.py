#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command line: commands, wrong usage, help, exit status."""
import re
import socket
import threading
import unittest

import program

COMMANDS = ("run", "replay", "check", "config", "spool", "tail", "top", "health", "fields", "version")


class Commands(program.Case):
    def usage_error(self, *args, says):
        done = program.fffa(*args)
        self.assertEqual(done.returncode, 2, args)
        self.assertEqual(done.stdout, "")
        first, *rest = done.stderr.splitlines()
        self.assertEqual(first, says)
        return rest

    def test_health_without_an_agent(self):
        conf = self.file("fffa.yaml", f"status: {{listen: 'unix:{self.dir}/nobody'}}\n")
        done = program.fffa("health", "-c", conf)
        self.assertEqual((done.returncode, done.stderr), (1, ""))
        self.assertIn("not ready: no agent answers at unix:", done.stdout)
        done = program.fffa("health", "-c", self.file("off.yaml", 'status: {listen: ""}\n'))
        self.assertEqual((done.returncode, done.stdout), (1, 'not ready: status.listen is "", so nobody can be asked\n'))
        self.assertEqual(program.fffa("health", "-c", self.file("bad.yaml", "x: 1\n")).returncode, 78)

    def test_health_gives_the_reason(self):
        path = str(self.dir / "status")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()

            def answer():
                with server.accept()[0] as one:
                    one.recv(4096)
                    one.sendall(b"HTTP/1.1 503 x\r\nContent-Length: 13\r\n\r\nno hook here\n")

            thread = threading.Thread(target=answer)
            thread.start()
            done = program.fffa("health", "-c", self.file("fffa.yaml", f"status: {{listen: 'unix:{path}'}}\n"))
            thread.join()
        self.assertEqual((done.returncode, done.stdout), (1, "not ready: no hook here\n"))

    def test_no_command(self):
        done = program.fffa()
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertEqual(set(re.findall(r"(?m)^  ([a-z]+) +[a-z]", done.stderr)), set(COMMANDS))

    def test_unknown_command(self):
        rest = self.usage_error("bogus", says="fffa: unknown command bogus")
        self.assertTrue(rest[0].startswith("usage: fffa COMMAND"))
        self.usage_error("--bogus", says="fffa: unknown command --bogus")
        self.usage_error("", says="fffa: unknown command ")

    def test_unknown_options(self):
        for name in ("run", "replay", "check", "config"):
            for option in ("--bogus", "-x"):
                rest = self.usage_error(name, option, says=f"fffa {name}: unknown option {option}")
                self.assertTrue(rest[0].startswith(f"usage: fffa {name} "))
        for name in ("fields", "version"):
            self.usage_error(name, "--bogus", says=f"fffa {name}: unknown option --bogus")
        for name in ("run", "check"):
            self.usage_error(name, "--defaults", says=f"fffa {name}: unknown option --defaults")

    def test_options_without_value(self):
        for name in ("run", "replay", "check", "config"):
            for option in ("-c", "--config"):
                self.usage_error(name, option, says=f"fffa {name}: {option} needs a value")
        for option in ("--speed", "--local"):
            self.usage_error("replay", option, says=f"fffa replay: {option} needs a value")

    def test_stray_arguments(self):
        for name in ("run", "check", "config"):
            self.usage_error(name, "stray", says=f"fffa {name}: unexpected argument stray")

    def test_replay_arguments(self):
        self.usage_error("replay", says="fffa replay: no capture file")
        for speed in ("0", "-1", "x", "1x", "", "nan", "inf", "1e7"):
            self.usage_error("replay", "--speed", speed, "f",
                             says=f"fffa replay: --speed {speed}: must be max or a number above 0")
        self.usage_error("replay", "--local", "10.0.0.0/33", "f",
                         says="fffa replay: --local 10.0.0.0/33: the prefix length must be 0 to 32")
        many = [word for _ in range(65) for word in ("--local", "10.0.0.1")]
        self.usage_error("replay", *many, "f", says="fffa replay: more than 64 --local prefixes")

    def test_help(self):
        for option in ("--help", "-h"):
            done = program.fffa(option)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertTrue(done.stdout.startswith("usage: fffa COMMAND"))
            for name in COMMANDS:
                done = program.fffa(name, option)
                self.assertEqual((done.returncode, done.stderr), (0, ""), name)
                self.assertTrue(done.stdout.startswith(f"usage: fffa {name}"), done.stdout)

    def test_version(self):
        for name in ("version", "--version"):
            done = program.fffa(name)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"\Afffa \d+\.\d+\.\d+ \(commit \S+\)\n")
            for word in ("vpc", "flowlog", "json", "file", "libuv", "libbpf", "libcurl", "libpcap"):
                self.assertIn(word, done.stdout)
            built = done.stdout.split("\nbuilt with: ")[1].split()
            self.assertEqual(sorted(built[::2]), sorted([
                "jansson", "libbpf", "libcurl", "libelf", "libmicrohttpd", "libmnl", "libpcap", "libseccomp", "libuv", "libzstd", "msgpack-c", "ncursesw",
                "rdkafka", "yaml-0.1", "zlib"]))
            self.assertEqual([v for v in built[1::2] if not re.match(r"\d+(\.\d+)+", v)], [])

    def test_fields(self):
        done = program.fffa("fields")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        rows = [re.split(r"\s+", text, maxsplit=4) for text in done.stdout.splitlines()]
        names = [row[0] for row in rows]
        self.assertEqual(len(names), len(set(names)))
        versions = {row[0]: int(row[2][1:]) for row in rows if row[2] != "-"}
        # AWS has 14 fields in version 2, then adds 7, 4 and 4.
        for version, count in ((2, 14), (3, 7), (4, 4), (5, 4)):
            self.assertEqual(sum(1 for one in versions.values() if one == version), count, version)
        for row in rows:
            self.assertEqual(len(row), 5, row)
            self.assertTrue(set(row[3].split(",")) <= {"vpc", "flowlog", "json", "msgpack", "ocsf", "ecs"}, row)

    def test_standard_output_that_is_full(self):
        with open("/dev/full", "wb") as full:
            for args in (("version",), ("fields",), ("config", "--defaults")):
                done = program.subprocess.run([program.FFFA, *args], stdout=full, stderr=program.subprocess.PIPE,
                                              text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1, args)
                self.assertIn("fffa: cannot write to standard output: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
