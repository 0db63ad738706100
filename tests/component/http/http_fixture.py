# SPDX-License-Identifier: MIT
"""Runs fffa replay with an HTTP sink on captures in which each packet becomes a record, and checks where they are."""
import json
import re
import subprocess

import frames as f
import program

NS = 1_700_000_000 * 10**9


class Case(program.Case):
    def setUp(self):
        super().setUp()
        self.count = 0

    def pcap(self, records):
        """Writes a capture that becomes so many records."""
        packets = [(NS + i, f.eth(f.ip(f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}", "10.9.9.9", 17, f.udp(1, 2))))
                   for i in range(records)]
        return self.file(f"{records}.pcap", f.pcap(packets))

    def conf(self, url, **sink):
        """Writes a configuration. The values of sink are YAML text."""
        own = {"format": "json", "retry": "{min: 10ms, max: 40ms}", "batch": "{records: 50, age: 50ms}", **sink}
        lines = [f"    {key.replace('__', '.')}: {value}" for key, value in own.items()]
        self.count += 1
        return self.file(f"fffa{self.count}.yaml", "\n".join(
            ["shutdown_timeout: 300ms", "sinks:", "  - name: out", "    type: http", f"    url: {url}", *lines, ""]))

    def start(self, conf, pcap, env=None):
        import os
        replay = subprocess.Popen([program.FFFA, "replay", "-c", conf, pcap], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.addCleanup(replay.stderr.close)
        self.addCleanup(replay.wait)
        self.addCleanup(replay.kill)
        return replay

    def end(self, replay):
        """Returns its standard error after it has ended by itself."""
        _, said = replay.communicate(timeout=program.WAIT_S)
        self.said, self.code = said, replay.returncode
        return self.books(said)

    def term(self, replay):
        replay.terminate()
        return self.end(replay)

    def replay(self, conf, records, **more):
        return self.end(self.start(conf, self.pcap(records), **more))

    def books(self, said):
        """Returns the sink's ledger, which must balance."""
        lines = [line for line in said.splitlines() if re.search(r"sink=\S+ ", line) and "balance=" in line]
        self.assertTrue(lines, said)
        books = {k: int(v) if v.isdigit() else v for k, v in re.findall(r"(\w+)=(\S+)", lines[-1])}
        self.assertEqual(books["balance"], "ok", said)
        return books

    def arrived(self, collector, records, repeats=False):
        """Checks that every record has arrived, without a hole, and only once unless a retry explains it."""
        numbers = [r["seq"] for post in collector.delivered() for r in post.records]
        if not repeats:
            self.assertEqual(len(numbers), len(set(numbers)))
        self.assertEqual(sorted(set(numbers)), list(range(min(numbers), min(numbers) + records)))

    def all_delivered(self, books, records):
        self.assertEqual(self.code, 0, self.said)
        self.assertEqual((books["delivered"], books["rejected"]), (records, 0), self.said)


def seen(record):
    """Returns the members of a record that do not depend on the time of the run."""
    return json.dumps({k: v for k, v in record.items() if k not in ("epoch", "agent_id")}, sort_keys=True)
