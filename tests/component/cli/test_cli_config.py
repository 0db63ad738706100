#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa reports every problem of its configuration with the line, and ends with exit status 78."""
import json
import os
import socket
import subprocess
import unittest

import frames
import program

BAD = """\
capture:
  hook: tcx
  bogus: 1
flows: {idle_timeout: 5}
sinks:
  - name: a
    type: file
    format: vpc
    path: ${FFFA_TEST_UNSET}
  - name: b
    type: carrier-pigeon
log:
  level: info
  level: debug
"""
# Words of the message for each wrong line.
BAD_LINES = {2: ("capture.hook", "auto, xdp, tc"), 3: ("capture.bogus", "unknown key"),
             4: ("flows.idle_timeout", "duration"), 9: ("sinks[0].path", "FFFA_TEST_UNSET"), 11: ("carrier-pigeon", "file"),
             14: ("level",)}
GOOD = """\
capture: {interfaces: [eth0, "veth*"], exclude: [eth1], hook: tc, direction: ingress, geneve_ports: [6081, 6082]}
flows: {idle_timeout: 1500ms, active_timeout: 1m}
metadata: {static: {account_id: "123456789012", az: "a:#b"}}
sinks:
  - {name: one, type: file, format: json, fields: [srcaddr, dstaddr], path: "${FFFA_TEST_DIR}/a b.json", header: false}
  - {name: two, type: file, format: vpc, fields: "${version} ${srcaddr}", path: "${FFFA_TEST_DIR}/$${x}",
     sync: none, retry: {give_up: 1h}, batch: {records: 10, bytes: 64KiB, age: 250ms}}
shutdown_timeout: 0s
"""


class Config(program.Case):
    def problems(self, text, path):
        """Returns {line: messages} of lines of the form FILE:LINE: message. Other lines fail the test."""
        found = {}
        for one in text.splitlines():
            self.assertTrue(one.startswith(f"{path}:"), one)
            number, message = one[len(str(path)) + 1:].split(": ", 1)
            found[int(number)] = found.get(int(number), "") + message
        return found

    def expect_bad(self, found):
        self.assertEqual(set(found), set(BAD_LINES), found)
        for number, words in BAD_LINES.items():
            for word in words:
                self.assertIn(word, found[number])

    def test_every_problem_is_reported_with_its_line(self):
        path = self.file("bad.yaml", BAD)
        capture = self.file("a.pcap", frames.pcap([]))
        for args in (("run", "-c", path), ("config", "-c", path), ("replay", "-c", path, capture)):
            done = program.fffa(*args)
            self.assertEqual((done.returncode, done.stdout), (78, ""), args)
            self.expect_bad(self.problems(done.stderr, path))

    def test_check_prints_problems_on_standard_output(self):
        path = self.file("bad.yaml", BAD)
        done = program.fffa("check", "-c", path)
        self.assertEqual((done.returncode, done.stderr), (78, ""))
        said = [one for one in done.stdout.splitlines() if one.startswith(str(path))]
        self.expect_bad(self.problems("\n".join(said), path))
        self.assertNotIn("configuration: ok", done.stdout)

    def test_check_of_a_good_file(self):
        path = self.file("good.yaml", "capture: {interfaces: [eth0]}\n")
        for args in (("check", "-c", path), ("check", f"--config={path}")):
            done = program.fffa(*args)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            lines = dict(one.split(": ", 1) for one in done.stdout.splitlines())
            self.assertEqual(lines["configuration"], "ok")
            for name in ("kernel", "privileges", "ring buffer", "tc", "xdp"):
                self.assertTrue(lines[name])

    def test_check_reports_the_ip_ranges(self):
        ranges = self.file("ranges.json", '{"createDate": "2026-11-20-01-02-03", "prefixes": '
                                          '[{"ip_prefix": "52.0.0.0/8", "service": "S3"}, {}]}')
        path = self.file("good.yaml", f"metadata: {{ip_ranges: {ranges}}}\n")

        def said():
            done = program.fffa("check", "-c", path)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            return dict(one.split(": ", 1) for one in done.stdout.splitlines())["ip ranges"]

        self.assertEqual(said(), f"{ranges}: prefixes=1 created=2026-11-20-01-02-03 rejected=1")
        ranges.write_text('{"prefixes": [')
        self.assertEqual(said(), f"{ranges}: cannot be used: no JSON at line 1, column 14")
        ranges.unlink()
        self.assertEqual(said(), f"{ranges}: cannot be used: No such file or directory")

    def test_a_missing_file(self):
        path = self.dir / "absent.yaml"
        for args in (("run", "-c", path), ("config", "-c", path), ("replay", "-c", path, "x.pcap")):
            done = program.fffa(*args)
            self.assertEqual((done.returncode, done.stdout), (78, ""), args)
            self.assertEqual(done.stderr, f"{path}: cannot be read: No such file or directory\n")
        done = program.fffa("check", "-c", path)
        self.assertEqual(done.returncode, 78)
        self.assertTrue(done.stdout.startswith(f"{path}: cannot be read: "))

    def test_a_folder_instead_of_a_file(self):
        done = program.fffa("config", "-c", self.dir)
        self.assertEqual((done.returncode, done.stdout), (78, ""))
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn(str(self.dir), done.stderr)

    def test_what_is_no_regular_file(self):
        """A FIFO without a writer, and devices, are refused at once, as the configuration and as a secret."""
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        capture = self.file("a.pcap", frames.pcap([]))
        for odd in (fifo, "/dev/zero", "/dev/tty"):
            conf = self.file("secret.yaml", "sinks: [{name: h, type: http, url: \"http://127.0.0.1:9/\", format: json, "
                                            f"auth: {{bearer_file: {odd}}}}}]\n")
            for args in (("run", "-c"), ("check", "-c"), ("config", "-c"), ("replay", capture, "-c"), ("top", "-c")):
                for given, key in ((odd, f"{odd}: "), (conf, "auth.bearer_file")):
                    done = program.fffa(*args, given)
                    self.assertEqual(done.returncode, 78, (args, given))
                    said = done.stdout + done.stderr
                    self.assertIn(key, said)
                    self.assertIn("not a regular file", said)

    def test_a_broken_file_shows_its_problems_alone(self):
        path = self.file("bad.yaml", BAD)
        done = program.fffa("check", "-c", path)
        self.assertTrue(all(one.startswith(str(path)) for one in done.stdout.splitlines()), done.stdout)

    def test_json(self):
        path = self.file("bad.yaml", BAD)
        done = program.fffa("check", "--json", "-c", path)
        self.assertEqual((done.returncode, done.stderr), (78, ""))
        said = json.loads(done.stdout)
        self.assertEqual((said["configuration"], said["file"]), ("invalid", str(path)))
        self.assertEqual({one["line"] for one in said["problems"]}, set(BAD_LINES))
        self.assertIn("capture.hook", [one.get("key") for one in said["problems"]])
        done = program.fffa("check", "--json", "-c", self.file("good.yaml", "capture: {interfaces: [eth0]}\n"))
        said = json.loads(done.stdout)
        self.assertEqual((done.returncode, said["configuration"], said["problems"]), (0, "ok", []))
        self.assertTrue(said["host"]["kernel"])

    def test_what_is_meant(self):
        """A byte order mark is passed over, in secrets too; on, true and yes mean the same."""
        secret = self.file("secret", b"\xef\xbb\xbfhush\r\n")
        text = ("\ufeffmetadata: {imds: {enabled: yes}}\nflows: {nodata: off}\n"
                "sinks: [{name: h, type: http, format: json, url: \"http://127.0.0.1:9/\", "
                f"auth: {{bearer_file: {secret}}}}}]\n")
        done = program.fffa("config", "-c", self.file("bom.yaml", text))
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn('enabled: "on"', done.stdout)
        self.assertIn("nodata: false", done.stdout)
        self.assertIn("***", done.stdout)
        done = program.fffa("check", "-c", self.file("mask.yaml", done.stdout))
        self.assertEqual(done.returncode, 78)
        self.assertIn("is ***", done.stdout)

    def test_hints(self):
        for text, hint in (("log: {level: warning}", 'did you mean "warn"'),
                           ("metadata: {static: {az-id: x}}", 'did you mean "az_id"'),
                           ("sinks: [{name: h, type: http, format: json, url: collector.example/v1}]", "https://collector.example/v1"),
                           ("sinks: [{name: h, type: http, format: json, url: 'http://x/', shape: elasticsearch, compress: gzip}]",
                            "sinks[0].index: is required"),
                           ("sinks: [{name: h, type: http, format: json, url: 'http://x/', auth: {user: me}}]",
                            "auth.password: is required"),
                           ("sinks: [{name: f, type: file, format: json, layout: aws, path: /tmp/x}]", "need format vpc")):
            done = program.fffa("check", "-c", self.file("hint.yaml", text + "\n"))
            self.assertEqual(done.returncode, 78, text)
            self.assertIn(hint, done.stdout)

    def test_check_finds_what_run_dies_of(self):
        """Each with exit status 78, before anything is opened."""
        capture = self.file("a.pcap", frames.pcap([]))
        fifo = self.dir / "fifo"
        os.mkfifo(fifo)
        kafka = 'type: kafka, format: json, brokers: ["127.0.0.1:9"], topic: t, properties'
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"{self.dir}/socket")
        https = "type: http, format: json, url: 'https://x/', tls"
        empty, cert, key = (self.file(name, text) for name, text in (
            ("empty.pem", ""), ("cert.pem", "-----BEGIN CERTIFICATE-----\n"), ("key.pem", "-----BEGIN EC PRIVATE KEY-----\n")))
        for sink, problem in (
                (f"type: file, format: json, path: {self.dir}/socket", "is a socket"),
                (f"{https}: {{ca_file: {empty}}}", "tls.ca_file: "),
                (f"{https}: {{ca_file: {key}}}", 'holds no "-----BEGIN ... CERTIFICATE'),
                (f"{https}: {{cert_file: {cert}}}", 'holds no "-----BEGIN ... PRIVATE KEY'),
                (f"{https}: {{cert_file: {key}, key_file: {cert}}}", f"tls.key_file: {cert} holds no"),
                *((f'type: kafka, format: json, topic: t, brokers: ["{broker}"]', f"brokers: {broker}") for broker in (
                    "http://b:9092", "b:99999", "b:0", "b:", "b:9092/x", ":9092", "[::1]:x")),
                (f"type: file, format: json, path: {self.dir}/none/x", "path: the directory"),
                (f"type: file, format: json, path: {self.dir}", "is a directory"),
                (f"type: http, format: json, url: 'https://x/', tls: {{ca_file: {fifo}}}", "tls.ca_file: cannot read"),
                (f"type: http, format: json, url: 'https://x/', tls: {{cert_file: {self.dir}/none}}", "tls.cert_file: cannot read"),
                (f"{kafka}: {{ssl.ca.location: {self.dir}/none}}", "ssl.ca.location: cannot read"),
                (f"{kafka}: {{ssl.key.location: {fifo}}}", "not a regular file"),
                (f"{kafka}: {{security.protocol: sasl_plaintext, sasl.mechanism: FOO}}", "Unsupported SASL mechanism"),
                (f"{kafka}: {{bogus: 1, linger.ms: x}}", "bogus: No such"),
                (f"{kafka}: {{bogus: 1, linger.ms: x}}", "linger.ms: Invalid")):
            conf = self.file("sink.yaml", f"spool_dir: ''\nsinks:\n- {{name: s, {sink}}}\n")
            for args in (("check", "-c", conf), ("run", "-c", conf), ("replay", "-c", conf, capture)):
                done = program.fffa(*args)
                self.assertEqual(done.returncode, 78, (sink, args, done.stderr))
                self.assertIn(f"{conf}:3: sinks[0].", done.stdout + done.stderr)
                self.assertIn(problem, done.stdout + done.stderr)

    def test_a_warning_is_no_problem(self):
        conf = self.file("acks.yaml", 'spool_dir: ""\nsinks: [{name: k, type: kafka, format: json, brokers: ["127.0.0.1:9"], '
                                      "topic: t, properties: {acks: 0, enable.idempotence: false}}]\n")
        done = program.fffa("check", "-c", conf)
        self.assertEqual(done.returncode, 0)
        self.assertIn("sinks[0].properties: warning: acks 0", done.stdout)
        said = json.loads(program.fffa("check", "--json", "-c", conf).stdout)
        self.assertEqual((said["configuration"], said["problems"], len(said["warnings"])), ("ok", [], 1))

    def test_standard_input(self):
        for given in ("-", "/dev/stdin"):
            done = program.fffa("config", "-c", given, input="flows: {idle_timeout: 7s}\n")
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertIn("idle_timeout: 7s", done.stdout)
            done = program.fffa("check", "-c", given, input="flows: {\n  idle: 7s}\n")
            self.assertEqual(done.returncode, 78)
            self.assertIn("standard input:2: flows.idle: unknown key", done.stdout)

    def test_what_config_prints_reads_back_the_same(self):
        first = program.fffa("config", "-c", self.file("good.yaml", GOOD), env={"FFFA_TEST_DIR": str(self.dir)})
        self.assertEqual((first.returncode, first.stderr), (0, ""))
        self.assertIn("idle_timeout: 1500ms", first.stdout)
        self.assertIn(f"{self.dir}/a b.json", first.stdout)
        again = program.fffa("config", "-c", self.file("again.yaml", first.stdout))
        self.assertEqual((again.returncode, again.stderr), (0, ""))
        self.assertEqual(again.stdout, first.stdout)

    def test_defaults_are_the_file_that_ships(self):
        done = program.fffa("config", "--defaults")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, (program.ROOT / "config/fffa.yaml").read_text())

    def test_schema_and_manual_have_every_key(self):
        schema = json.loads(program.fffa("config", "--schema").stdout)

        def keys(node, path=""):
            found = set()
            for name, inner in node["properties"].items():
                below = keys(inner, path + name + ".") if "properties" in inner else {path + name}
                found |= below
            return found

        top = keys(schema) - {"sinks"}
        sinks = [keys(one) for one in schema["properties"]["sinks"]["items"]["oneOf"]]
        self.assertEqual(len(sinks), 3)
        man = program.fffa("config", "--man").stdout
        described = {line[3:].replace("\\-", "-") for line in man.splitlines() if line.startswith(".B ") and " " not in line[3:]}
        in_schema = {k for k in top.union(*sinks) if not k.endswith("_file") or k in described}
        self.assertEqual(described, in_schema)
        for key in ("capture.interfaces", "user", "metadata.imds.refresh"):
            self.assertIn(key, top)
        self.assertTrue(all({"name", "queue.memory", "retry.give_up"} <= one for one in sinks))
        self.assertTrue(any({"auth.bearer", "auth.bearer_file", "tls.ca_file"} <= one for one in sinks))
        word, listed = schema["properties"]["capture"]["properties"]["decapsulate"]["allOf"][0]["anyOf"]
        self.assertEqual((word, listed["type"], listed["items"]["anyOf"][0]["enum"]),
                         ({"enum": ["auto"]}, "array", ["geneve", "vxlan"]))
        self.assertEqual(program.fffa("config", "--schema", "--man").returncode, 2)

    def test_defaults_are_what_an_empty_file_means(self):
        shipped = program.fffa("config", "-c", program.ROOT / "config/fffa.yaml")
        empty = program.fffa("config", "-c", self.file("empty.yaml", "{}\n"))
        self.assertEqual((shipped.returncode, empty.returncode), (0, 0), shipped.stderr + empty.stderr)
        self.assertEqual(shipped.stdout, empty.stdout)


class Environment(program.Case):
    def shown(self, text, code=0, **variables):
        conf = self.file("fffa.yaml", text)
        done = subprocess.run([program.FFFA, "config", "-c", conf], capture_output=True, text=True, check=False,
                              env={**os.environ, **variables})
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_it_wins_over_the_file(self):
        token = self.file("token", "hush")
        shown = self.shown("flows: {idle_timeout: 9s}\nsinks: [{name: my-stream, type: http, url: 'http://a/', format: json}]\n",
                           FFFA_CAPTURE_INTERFACES="eth0,eth1", FFFA_FLOWS_IDLE_TIMEOUT="7s", FFFA_FLOWS_NODATA="false",
                           FFFA_SINKS_MY_STREAM_URL="http://b/", FFFA_SINKS_MY_STREAM_HEADERS="{Host: c}",
                           FFFA_SINKS_MY_STREAM_AUTH_BEARER_FILE=str(token), FFFA_SINKS_OTHER_URL="no such sink")
        for line in ("  interfaces: [eth0, eth1]\n", "  idle_timeout: 7s\n", "  nodata: false\n", "    url: \"http://b/\"\n",
                     "    headers: {Host: c}\n", "      bearer: \"***\"\n"):
            self.assertIn(line, shown)

    def test_what_is_wrong_is_named(self):
        self.assertIn("FFFA_FLOWS_IDLE_TIMEOUT: flows.idle_timeout: \"7x\" is not a duration",
                      self.shown("log: {level: warn}\n", 78, FFFA_FLOWS_IDLE_TIMEOUT="7x"))

    def test_an_empty_file_is_an_error(self):
        for text in ("", " \n\n"):
            self.assertIn("is empty; ", self.shown(text, 78))

    def test_oidc_is_taken_or_its_lack_is_said(self):
        """Debian 12's librdkafka is built without it. check asks no server."""
        conf = self.file("fffa.yaml", "status: {listen: ''}\nspool_dir: ''\nsinks:\n- {name: k, type: kafka, brokers: ['127.0.0.1:1'], topic: t, "
                         "properties: {security.protocol: SASL_PLAINTEXT, sasl.mechanisms: OAUTHBEARER, "
                         "sasl.oauthbearer.method: oidc, sasl.oauthbearer.client.id: me, sasl.oauthbearer.client.secret: hush, "
                         "sasl.oauthbearer.token.endpoint.url: 'http://127.0.0.1:1/'}}\n")
        done = program.fffa("check", "-c", conf)
        if done.returncode:
            self.assertEqual(done.returncode, 78)
            self.assertIn("sinks[0].properties: sasl.oauthbearer.method: ", done.stdout)
            self.assertIn("not supported in this build", done.stdout)
        self.assertNotIn("hush", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
