#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa check and fffa config, whole: what each of their lines and members says, and where a configuration comes from."""
import json
import os
import subprocess
import unittest

import program


class Check(program.Case):
    def check(self, *args, code=0, **more):
        done = program.fffa("check", *args, **more)
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        return done.stdout

    def json(self, *args, code=0, **more):
        text = self.check("--json", *args, code=code, **more)
        self.assertTrue(text.endswith("}\n"))
        return json.loads(text)

    def host(self, *args):
        """The lines of text behind those of the configuration."""
        lines = self.check(*args).splitlines()
        return lines[0], lines[1:]

    def test_the_host_is_the_same_in_both_forms(self):
        conf = self.file("fffa.yaml", "capture: {interfaces: [eth0]}\n")
        first, lines = self.host("-c", conf)
        said = self.json("-c", conf)
        self.assertEqual(first, "configuration: ok")
        self.assertEqual(list(said), ["configuration", "file", "problems", "warnings", "host"])
        self.assertEqual(said["host"], dict(line.split(": ", 1) for line in lines))

    def test_what_is_added_to_the_file(self):
        """Drop-ins, the ranges of AWS and the networks are told between the verdict and the host."""
        (self.dir / "conf.d").mkdir()
        networks = self.file("networks.csv", "10.0.0.0/8,home\n10.1.0.0/16,lab\n")
        ranges = self.file("ranges.json", '{"prefixes": [{"ip_prefix": "52.0.0.0/8", "service": "S3"}]}')
        one = self.file("conf.d/1.yaml", f"metadata: {{networks: {networks}}}\n")
        two = self.file("conf.d/2.yaml", f"metadata: {{ip_ranges: {ranges}}}\n")
        conf = self.file("fffa.yaml", "capture: {interfaces: [eth0]}\n")
        _, lines = self.host("-c", conf)
        self.assertEqual(lines[:4], [f"with: {one}", f"with: {two}", f"ip ranges: {ranges}: prefixes=1 created=- rejected=0",
                                     f"networks: {networks}: networks=2"])
        self.assertTrue(lines[4].startswith("kernel: "))
        done = program.fffa("config", "-c", conf)
        self.assertEqual(done.stdout.splitlines()[:2], [f"# with {one}", f"# with {two}"])
        _, lines = self.host("-c", self.file("other/fffa.yaml", "metadata: {networks: '', ip_ranges: ''}\n"))
        self.assertTrue(lines[0].startswith("kernel: "))

    def file(self, name, content):
        (self.dir / name).parent.mkdir(exist_ok=True)
        return super().file(name, content)

    def test_problems_in_their_parts(self):
        conf = self.file("fffa.yaml", "log: {level: loud}\n")
        more = self.file("conf.d/1.yaml", "\nx: 1\n")
        said = self.json("-c", conf, code=78)
        one, two = said["problems"]
        self.assertEqual({k: v for k, v in one.items() if k not in ("message", "problem")},
                         {"file": str(conf), "line": 1, "key": "log.level"})
        self.assertEqual(one["message"], f"{conf}:1: log.level: {one['problem']}")
        self.assertTrue(one["problem"].startswith('"loud" is unknown'))
        self.assertEqual({k: v for k, v in two.items() if k not in ("message", "problem")}, {"file": str(more), "line": 2, "key": "x"})
        self.assertEqual(two["message"], f"{more}:2: x: {two['problem']}")
        self.assertEqual((said["configuration"], said["file"], said["warnings"]), ("invalid", str(conf), []))
        self.assertNotIn("host", said)

    def test_problems_without_a_line(self):
        absent = self.dir / "absent.yaml"
        self.assertEqual(self.json("-c", absent, code=78)["problems"], [
            {"file": str(absent), "message": f"{absent}: cannot be read: No such file or directory",
             "problem": "cannot be read: No such file or directory"}])
        one, = self.json("-c", self.file("fffa.yaml", "{}\n"), code=78, env={"FFFA_FLOWS_IDLE_TIMEOUT": "x"})["problems"]
        self.assertEqual(one["file"], f"{self.dir}/fffa.yaml")
        self.assertTrue(one["problem"].startswith("flows.idle_timeout: "), one)
        self.assertNotIn("line", one)

    def test_what_this_host_lacks(self):
        """The files that the agent reads again later."""
        conf = self.file("fffa.yaml", f"metadata: {{networks: {self.dir}/none}}\n")
        text = f"{conf}: metadata.networks: {self.dir}/none: "
        said = self.check("-c", conf, code=78)
        self.assertTrue(said.startswith(text), said)
        self.assertEqual(said.count("\n"), 1)
        one, = self.json("-c", conf, code=78)["problems"]
        self.assertEqual((one["key"], one["message"] + "\n"), ("metadata.networks", said))
        said = self.json("-c", "-", code=78, input=conf.read_text())
        self.assertEqual((said["file"], said["problems"][0]["file"]), ("standard input", "standard input"))

    def test_where_the_metadata_service_is(self):
        """The file names it, or the environment, which counts where the service is asked."""
        wrong = "not a URL of the form http://HOST[:PORT][/PATH]"
        conf = self.file("fffa.yaml", "metadata: {imds: {enabled: on, endpoint: 'http://[::'}}\n")
        said = self.check("-c", conf, code=78)
        self.assertTrue(said.startswith(f"{conf}: metadata.imds.endpoint: {wrong}"), said)
        self.assertEqual(said.count("\n"), 1)
        one, = self.json("-c", conf, code=78)["problems"]
        self.assertEqual((one["key"], one["message"] + "\n"), ("metadata.imds.endpoint", said))
        conf = self.file("other.yaml", "metadata: {imds: {enabled: on}}\n")
        for env in ({"AWS_EC2_METADATA_SERVICE_ENDPOINT": "https://127.0.0.1"}, {"AWS_METADATA_SERVICE_TIMEOUT": "0"}):
            name, = env
            said = self.check("-c", conf, code=78, env=env)
            self.assertTrue(said.startswith(f"{conf}: {name}: "), said)
        conf = self.file("off.yaml", "metadata: {imds: {enabled: off}}\n")
        self.check("-c", conf, env={"AWS_METADATA_SERVICE_TIMEOUT": "0"})

    def test_users(self):
        conf = self.file("fffa.yaml", "user: no-such-user\n")
        said = self.check("-c", conf, code=78)
        self.assertTrue(said.startswith(f"{conf}: user: "), said)
        self.assertEqual(len(said.splitlines()), 1)
        one, = self.json("-c", conf, code=78)["problems"]
        self.assertEqual((one["key"], one["message"] + "\n"), ("user", said))
        self.assertEqual(self.check("-c", self.file("none.yaml", "user: ''\n")).splitlines()[0], "configuration: ok")
        env = {"FFFA_USER": "no-such-user"}
        if not os.path.exists("/etc/fffa/fffa.yaml"):
            self.assertTrue(self.check(code=78, env=env).startswith("environment: user: "))

    def test_a_warning_in_its_parts(self):
        conf = self.file("acks.yaml", 'spool_dir: ""\nsinks:\n- {name: k, type: kafka, format: json, brokers: ["127.0.0.1:9"], '
                                      "topic: t, properties: {acks: 0, enable.idempotence: false}}\n")
        one, = self.json("-c", conf)["warnings"]
        self.assertEqual((one["file"], one["line"], one["key"]), (str(conf), 3, "sinks[0].properties"))
        self.assertTrue(one["problem"].startswith("warning: acks 0"))

    def test_standard_input(self):
        for name in ("-", "/dev/stdin"):
            said = self.json("-c", name, input="capture: {interfaces: [eth0]}\n")
            self.assertEqual((said["configuration"], said["file"]), ("ok", "standard input"))
            said = self.json("-c", name, code=78, input="{}\nx: 1\n")
            self.assertEqual((said["problems"][0]["file"], said["problems"][0]["line"]), ("standard input", 2))

    def test_a_standard_input_that_cannot_be_used(self):
        """Never is a part of it taken for all: what is wrong here stands in front, or behind."""
        for text, problem in (("#" * (1 << 20) + "\n", "too large; at most 1MiB"), ("x: 1\n" + "#" * (2 << 20), "cannot be read: File too large"),
                              ("#" * (4 << 20) + "\nx: 1\n", "cannot be read: File too large")):
            for args in (("check",), ("check", "--json"), ("run",)):
                done = program.fffa(*args, "-c", "-", input=text)
                self.assertEqual(done.returncode, 78)
                self.assertIn(f"standard input: {problem}", done.stdout + done.stderr)
        folder = os.open(self.dir, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        self.assertEqual(self.check("-c", "-", code=78, stdin=folder), "standard input: cannot be read: Is a directory\n")

    def test_config(self):
        for args in (("--defaults", "--schema"), ("--defaults", "--man"), ("--schema", "--man", "--defaults")):
            done = program.fffa("config", *args)
            self.assertEqual((done.returncode, done.stdout, done.stderr.splitlines()[0]),
                             (2, "", "fffa config: only one of --defaults, --schema and --man"))
        with open("/dev/full", "wb") as full:
            for args in ((), ("--schema",), ("--man",)):
                done = subprocess.run([program.FFFA, "config", "-c", self.file("fffa.yaml", "{}\n"), *args], stdout=full,
                                      stderr=subprocess.PIPE, text=True, timeout=60, check=False)
                self.assertEqual(done.returncode, 1, args)
                self.assertRegex(done.stderr, r"\Afffa: cannot write to standard output: .+\n\Z")


if __name__ == "__main__":
    unittest.main()
