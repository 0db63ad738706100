#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The command line: commands, wrong usage, help, exit status."""
import os
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

    def health(self, answer):
        path = str(self.dir / "status")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()

            def serve():
                with server.accept()[0] as one:
                    one.recv(4096)
                    one.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            done = program.fffa("health", "-c", self.file("fffa.yaml", f"status: {{listen: 'unix:{path}'}}\n"))
            thread.join()
        os.unlink(path)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    def test_health_gives_the_reason(self):
        end = b"Connection: close\r\n\r\n"
        for answer, code, says in ((b"HTTP/1.1 503 x\r\nContent-Length: 13\r\n\r\nno hook here\n", 1, "not ready: no hook here\n"),
                                   (b"HTTP/1.1 503 x\r\n" + end + b"one\r\ntwo\n", 1, "not ready: one\n"),
                                   (b"HTTP/1.1 503 x\r\n" + end, 1, "not ready: the agent gives no reason\n"),
                                   (b"HTTP/1.1 404 x\r\n" + end + b"\ngone", 1, "not ready: the agent gives no reason\n"),
                                   (b"HTTP/1.1 200 OK\r\n" + end + b"ok\n", 0, "ready\n"),
                                   (b"HTTP/1.1 200 OK\r\n" + end, 0, "ready\n")):
            self.assertEqual(self.health(answer), (code, says))

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

    def test_options_in_all_their_forms(self):
        """Long and short, with the value apart, behind "=" and at once; operands and options in any order."""
        conf = self.file("fffa.yaml", "flows: {idle_timeout: 7s}\n")
        for args in (("-c", conf), (f"-c{conf}",), ("--config", conf), (f"--config={conf}",), ("--conf", conf), ("-c", "/x", "-c", conf)):
            self.assertIn("idle_timeout: 7s", program.fffa("config", *args).stdout, args)
        for args in (("--cat", self.dir), (self.dir, "--cat"), ("--", self.dir)):
            done = program.fffa("spool", *args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertEqual(done.stdout.count("segments=0"), "--cat" not in args)
        self.usage_error("spool", "--", "--cat", "x", says="fffa spool: unexpected argument x")
        self.usage_error("spool", "a", "b", "c", says="fffa spool: unexpected argument b")
        self.usage_error("config", "--schema=1", says="fffa config: unknown option --schema=1")
        self.usage_error("config", "-cx", "-y", says="fffa config: unknown option -y")
        self.usage_error("spool", says="fffa spool: no directory")
        done = program.fffa("spool", "--help", "--cat")  # needs no directory
        self.assertEqual((done.returncode, done.stdout.startswith("usage: fffa spool "), done.stderr), (0, True, ""))
        self.usage_error("spool", "--help", "a", "b", says="fffa spool: unexpected argument b")
        self.usage_error("tail", "--help", "-o", says="fffa tail: -o needs a value")

    def test_the_text_of_the_help(self):
        """FFFA_WRITE_GOLDEN=1 writes the file instead. Read the difference before you commit it."""
        path = program.ROOT / "tests/data/cli/help.txt"
        text = "".join(program.fffa(*name, "--help").stdout for name in ((), *((one,) for one in COMMANDS)))
        if os.environ.get("FFFA_WRITE_GOLDEN"):
            path.write_text(text)
        self.assertEqual(text, path.read_text())

    def test_usage_shows_the_whole_help(self):
        for name in COMMANDS:
            shown = program.fffa(name, "--help").stdout
            done = program.fffa(name, "--bogus")
            self.assertEqual(done.stderr, f"fffa {name}: unknown option --bogus\n{shown}")
        lines = program.fffa("--help").stdout.splitlines()
        self.assertEqual(lines[:4], ["usage: fffa COMMAND [OPTION]...", "Flow logs of this host in the AWS VPC Flow Logs format.", "",
                                     "commands:"])
        self.assertIn("  top      shows flows, sinks and losses of a running agent", lines)
        self.assertEqual(lines[-1], "fffa COMMAND --help describes a command.")

    def test_the_first_line_of_the_log(self):
        """It names the files and the sinks; of very many files those that have room."""
        (self.dir / "conf.d").mkdir()
        conf = self.file("fffa.yaml", "capture: {interfaces: [absent0]}\nspool_dir: ''\nstatus: {listen: ''}\n"
                                      f"sinks: [{{name: a, type: file, path: {self.dir}/a}}, {{name: b, type: file, path: {self.dir}/b}}]\n")
        files = [conf] + [self.file(f"conf.d/{i:03}-{'x' * 100}.yaml", "{}\n") for i in range(15)]
        for n in (1, 2, 3, 16):
            for path in files[n:]:
                path.rename(f"{path}.off")
            done = program.fffa("run", "-c", conf)
            for path in files[n:]:
                os.rename(f"{path}.off", path)
            self.assertIn(done.returncode, (1, 77))
            first = done.stderr.splitlines()[0]
            self.assertRegex(first, r"fffa starts: version=\d\S+ commit=\S+ configuration=")
            want, said = f"{','.join(map(str, files[:n]))} sinks=a:file,b:file", first.split("configuration=")[1]
            self.assertEqual(said, want if n < 16 else want[:len(said)])
            self.assertGreater(len(said), 0 if n < 16 else 800)

    def test_closed_descriptors(self):
        """No file takes the place of one; what cannot be written is an error."""
        for close, args, code in ((">&-", ("version",), 1), ("<&-", ("version",), 0), ("2>&-", ("version",), 0), ("<&- 2>&-", ("fields",), 0),
                                  ("<&-", ("check", "-c", "-"), 78), ("<&- >&- 2>&-", ("config", "--defaults"), 1)):
            done = program.fffa(*args, prefix=("sh", "-c", f'exec "$@" {close}', "sh"))
            self.assertEqual(done.returncode, code, (close, args))
        self.assertEqual(program.fffa("check", "-c", "-", prefix=("sh", "-c", 'exec "$@" <&-', "sh")).stdout,
                         "standard input: cannot be read: Bad file descriptor\n")

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
            lines = done.stdout.splitlines()
            self.assertEqual(lines[1:3], ["formats: vpc flowlog json msgpack ocsf ecs", "sinks: file http kafka"])
            for line, library in zip(lines[3:], ("libuv", "libbpf", "libcurl", "libpcap", "libmicrohttpd", "built with:"), strict=True):
                self.assertRegex(line, rf"\A{library}[ /][^%]*\d")
            built = done.stdout.split("\nbuilt with: ")[1].split()
            self.assertEqual(sorted(built[::2]), sorted([
                "jansson", "libbpf", "libcurl", "libelf", "libmicrohttpd", "libmnl", "libpcap", "libseccomp", "libuv", "libzstd", "msgpack-c", "ncursesw",
                "rdkafka", "yaml-0.1", "zlib"]))
            self.assertEqual([v for v in built[1::2] if not re.match(r"\d+(\.\d+)+", v)], [])

    def test_fields(self):
        done = program.fffa("fields")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("version                  int   v2  vpc,flowlog,json,msgpack\t", done.stdout)
        rows = [re.split(r"\s+", text, maxsplit=4) for text in done.stdout.splitlines()]
        names = [row[0] for row in rows]
        self.assertEqual(len(names), len(set(names)))
        versions = {row[0]: int(row[2][1:]) for row in rows if row[2] != "-"}
        # AWS has 14 fields in version 2, then adds 7, 4 and 4.
        for version, count in ((2, 14), (3, 7), (4, 4), (5, 4)):
            self.assertEqual(sum(1 for one in versions.values() if one == version), count, version)
        for row in rows:
            self.assertEqual(len(row), 5, row)
            self.assertIn("{:24} {:5} {:3} {}\t{}\n".format(*row), done.stdout)
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
