# SPDX-License-Identifier: MIT
"""Runs an agent on the loopback device and reads its status pages."""
import http.client
import json
import os
import re
import socket
import subprocess
import threading

import program

SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=program.WAIT_S)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Metrics(dict):
    """Returns {(name, ((label, value), ...)): value} of a /metrics page."""

    def __init__(self, text):
        super().__init__()
        self.types = {}
        for line in text.splitlines():
            if line.startswith("# TYPE "):
                _, _, name, kind = line.split(" ")
                self.types[name] = kind
            elif not line.startswith("#"):
                name, labels, value = SAMPLE.match(line).groups()
                key = (name, tuple(sorted(LABEL.findall(labels or ""))))
                if key in self:
                    raise AssertionError(f"twice: {line}")
                self[key] = float(value) if "." in value or value in ("NaN", "+Inf") else int(value)

    def sum(self, name, **labels):
        found = [v for (n, have), v in self.items() if n == name and set(labels.items()) <= set(have)]
        if not found:
            raise AssertionError(f"no {name} {labels}")
        return sum(found)

    def counters(self):
        """Returns the samples that must never decrease."""
        for key, value in self.items():
            base = re.sub("_(bucket|sum|count)$", "", key[0])
            if self.types.get(key[0]) == "counter" or self.types.get(base) == "histogram":
                yield key, value


class Agent:
    """listen: the value of status.listen; "" is none."""

    def __init__(self, case, listen, flows="{idle_timeout: 300ms, active_timeout: 2s, nodata: false}", interfaces="[lo]",
                 more="", sinks=None):
        self.case, self.listen = case, listen
        self.out = case.dir / "flows.json"
        conf = case.file("fffa.yaml", f"""
capture: {{interfaces: {interfaces}, drain_interval: 100ms}}
flows: {flows}
metadata: {{imds: {{enabled: off}}}}
spool_dir: ""
status: {{listen: "{listen}"}}
sinks: {sinks or f"[{{name: out, type: file, format: json, path: {self.out}, batch: {{age: 50ms}}}}]"}
{more}""")
        # AddressSanitizer holds freed memory back. With a small quarantine it does not disturb what a test measures.
        options = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "quarantine_size_mb=1")))
        self.process = subprocess.Popen([program.FFFA, "run", "-c", conf], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                        errors="replace", env={**os.environ, "ASAN_OPTIONS": options})
        case.addCleanup(self.kill)
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(iter(self.process.stderr.readline, "")))
        self.reader.start()
        self.logged("kernel table ready")

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def logged(self, words):
        return program.await_that(words, lambda: [one for one in self.log if words in one], self.process,
                                  self.log)

    def connect(self):
        if self.listen.startswith("unix:"):
            return UnixConnection(self.listen[5:])
        host, port = self.listen.rsplit(":", 1)
        return http.client.HTTPConnection(host, int(port), timeout=program.WAIT_S)

    def get(self, path, method="GET", connection=None, body=None):
        """Returns (status, headers, text)."""
        c = connection or self.connect()
        try:
            c.request(method, path, body=body)
            answer = c.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            if connection is None:
                c.close()

    def metrics(self, connection=None):
        code, headers, text = self.get("/metrics", connection=connection)
        self.case.assertEqual((code, headers["Content-Type"]), (200, "text/plain; version=0.0.4; charset=utf-8"))
        return Metrics(text)

    def json(self, path, connection=None):
        code, headers, text = self.get(path, connection=connection)
        self.case.assertEqual((code, headers["Content-Type"]), (200, "application/json"))
        return json.loads(text)

    def records(self, port):
        """Returns the records to the port, of the complete lines."""
        if not self.out.exists():
            return []
        rows = [json.loads(line) for line in self.out.read_text().splitlines(True) if line.endswith("\n")]
        return [row for row in rows if row.get("dstport") == port]

    def stop(self):
        """Stops the agent and returns its last ledger."""
        self.process.terminate()
        self.case.assertEqual(self.process.wait(program.WAIT_S), 0, "".join(self.log))
        self.reader.join()
        books = program.ledger("".join(self.log))
        self.case.assertEqual((books["balance"], books["held_packets"]), ("ok", 0))
        return books


def send(port, count=1, to="127.0.0.1"):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for _ in range(count):
            out.sendto(bytes(72), (to, port))
