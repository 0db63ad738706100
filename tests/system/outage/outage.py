#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Memory and disk stay within their bounds, whatever the peer does: outage.py FFFA FLOOD

For FFFA_OUTAGE_SECONDS (10), 50 000 records a second are made while the collector is away. The bounds are reached after
a fraction of that; then the collector comes back. Also the memory of an agent with default bounds and 100 000 active
flows. A build with a sanitizer is slower and needs several times the memory: it gets fewer records and less spool, and its
memory is not checked.
"""

import os
import re
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "netns", "views")]
import netns_fixture  # noqa: E402  first: it says where the others lie
import books  # noqa: E402
import lab as L  # noqa: E402
from collector import Collector  # noqa: E402

FFFA = FLOOD = ""
SANITIZED = False
SECONDS = int(os.environ.get("FFFA_OUTAGE_SECONDS", "10"))
RATE = 50000
MIB = 1 << 20
RSS_BOUND = 54 * MIB  # 26 of it are the kernel's table
SPOOL = 16 * MIB

OUTAGE = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
spool_dir: {dir}/spool
shutdown_timeout: 60s
sinks:
  - {{name: oldest, type: http, format: json, fields: [{fields}], url: "http://{peer}:8080/", compress: gzip,
      queue: {{memory: 4MiB, spool: {spool}, when_full: drop_oldest}}, retry: {{min: 50ms, max: 200ms}}}}
  - {{name: newest, type: http, format: json, fields: [{fields}], url: "http://{peer}:8081/", compress: gzip,
      queue: {{memory: 4MiB, spool: 0, when_full: drop_newest}}, retry: {{min: 50ms, max: 200ms}}}}
"""
FIELDS = "epoch, seq, log_status, packets, lost_records, lost_reason"

PARTITION = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 100ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
sinks:
  - {{name: far, type: http, format: json, fields: [{fields}], url: "http://{peer}:8080/", compress: none, timeout: 500ms,
      batch: {{age: 50ms}}, retry: {{min: 50ms, max: 100ms}}}}
"""

DEFAULT = """
capture: {{interfaces: [v0]}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
sinks:
  - {{name: local, type: file, path: {dir}/flows.log}}
"""


def memory(process):
    """Returns the largest resident size, without the program and its libraries, whose sizes differ between systems."""
    most = code = of_file = 0
    try:
        with open(f"/proc/{process.p.pid}/smaps", encoding="utf-8") as f:
            for line in f:
                if L.re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                    of_file = " /" in line
                elif of_file and line.startswith("Rss:"):
                    code += int(line.split()[1]) * 1024
        with open(f"/proc/{process.p.pid}/status", encoding="utf-8") as f:
            for line in f:
                if line.startswith("VmHWM:"):
                    most = int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass  # it has just ended
    return most - code if most else 0


def disk(path):
    """At most the bytes that were there at its begin: the newest first, so that none is counted beside an old one that has
    made room for it meanwhile."""
    total = 0
    for dir, _, names in os.walk(path):
        for name in sorted(names, reverse=True):
            try:
                total += os.stat(os.path.join(dir, name)).st_size
            except FileNotFoundError:
                pass  # confirmed meanwhile
    return total


def ledger(says, sink):
    line = [x for x in says.splitlines() if f"ledger: sink={sink} " in x][-1]
    return line, {k: int(v) for k, v in L.re.findall(r"(\w+)=(\d+)\b", line)}


class Outage(unittest.TestCase):
    def start(self, lab, config):
        netns_fixture.quiet(lab)
        # All addresses of the flows lead to the peer, which drops the packets without an answer.
        L.sh("ip", "-n", lab.host, "route", "add", "10.77.0.0/16", "via", L.PEER4)
        agent = lab.start(lab.host, "agent", FFFA, "run", "-c", lab.file("fffa.yaml", config))
        agent.await_line("kernel table ready")
        return agent

    def test_an_outage(self):
        with L.Lab(offloads=False) as lab:
            os.mkdir(lab.file("spool"))
            agent = self.start(lab, OUTAGE.format(dir=lab.dir, peer=L.PEER4, fields=FIELDS, spool=SPOOL))
            flood = lab.start(lab.host, "flood", FLOOD, "10.77.0.0", "1000000", str(RATE), str(SECONDS))
            most = 0
            while flood.p.poll() is None:
                most = max(most, disk(lab.file("spool")))
                self.assertLessEqual(most, SPOOL)
                L.time.sleep(0.05)
            if SANITIZED:  # it is behind the flood
                L.await_true("a spool that fills", lambda: disk(lab.file("spool")) > SPOOL // 2)
                self.assertLessEqual(disk(lab.file("spool")), SPOOL)
            else:
                self.assertGreater(most, SPOOL // 2)
            far = {"oldest": Collector((L.PEER4, 8080), netns=lab.peer),
                   "newest": Collector((L.PEER4, 8081), netns=lab.peer)}
            for c in far.values():
                self.addCleanup(c.close)
            for name in far:
                L.await_true(f"the loss in the stream of {name}", lambda: far[name].lost)
            hwm = memory(agent)
            self.assertTrue(SANITIZED or hwm < RSS_BOUND, hwm)
            self.assertEqual(agent.end(signal.SIGTERM, 90), 0, agent.text(agent.err))
            says = agent.text(agent.err)
            for name, c in far.items():
                line, sums = ledger(says, name)
                self.assertIn("balance=ok", line)
                self.assertEqual(sums["in_flight"], 0, line)
                self.assertGreater(sums["lost"], 0, line)
                self.assertGreater(sums["records"], RATE * SECONDS * 0.9, line)
                records = c.records()
                self.assertEqual(len(records), sums["delivered"], line)
                self.assertEqual(sum(r.get("lost_records", 0) for r in records), sums["lost"], line)
                books.no_holes(self, records)
            print(f"{SECONDS} s of {RATE} records/s: at most {hwm / MIB:.1f} MiB resident, {most / MIB:.1f} MiB of spool")

    def test_a_partition(self):
        """Packets to and from the collector are dropped silently during requests; then the network works again."""
        with L.Lab(offloads=False) as lab:
            far = Collector((L.PEER4, 8080), netns=lab.peer)
            self.addCleanup(far.close)
            agent = self.start(lab, PARTITION.format(peer=L.PEER4, fields=FIELDS))
            flood = lab.start(lab.host, "flood", FLOOD, "10.77.0.0", "1000000", "2000", "8")
            L.await_true("records before", lambda: len(far.records()) > 100)
            lab.run(lab.peer, "nft", "add table ip cut; add chain ip cut in { type filter hook input priority 0; };"
                    " add rule ip cut in tcp dport 8080 drop")
            agent.await_line("sink.far: deliveries fail")
            before = len(far.records())
            self.assertEqual(flood.p.wait(60), 0)
            self.assertEqual(len(far.records()), before)
            lab.run(lab.peer, "nft", "delete table ip cut")
            agent.await_line("sink.far: delivers again")
            self.assertEqual(agent.end(signal.SIGTERM), 0, agent.text(agent.err))
            line, sums = ledger(agent.text(agent.err), "far")
            self.assertIn("balance=ok", line)
            self.assertEqual((sums["lost"], sums["in_flight"], sums["rejected"]), (0, 0, 0), line)
            self.assertGreaterEqual(sums["delivered"], 16000, line)
            books.no_holes(self, far.records())
            self.assertEqual(len(far.records()), sums["delivered"])

    def test_memory_of_100000_flows(self):
        if SANITIZED:
            self.skipTest("a build with a sanitizer needs more memory")
        with L.Lab(offloads=False) as lab:
            agent = self.start(lab, DEFAULT.format(dir=lab.dir))
            lab.run(lab.host, FLOOD, "10.77.0.0", "100000", "50000", "4")
            agent.p.send_signal(signal.SIGUSR1)
            agent.await_line("held_packets=[1-9]")
            held = hwm = memory(agent)
            agent.p.send_signal(signal.SIGTERM)
            while agent.p.poll() is None:  # the flush at its end, too
                hwm = max(hwm, memory(agent))
                L.time.sleep(0.01)
            self.assertLess(hwm, RSS_BOUND)
            self.assertEqual(agent.p.returncode, 0, agent.text(agent.err))
            says = agent.text(agent.err)
            line, sums = ledger(says, "local")
            self.assertGreaterEqual(sums["delivered"], 100000, line)
            print(f"100000 flows held: {held / MIB:.1f} MiB resident, {hwm / MIB:.1f} at the most")


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA, FLOOD = map(os.path.abspath, sys.argv[1:3])
    with open(FFFA, "rb") as program:
        SANITIZED = re.search(rb"__[at]san_init", program.read()) is not None
    if SANITIZED:
        RATE, SPOOL = 20000, 4 * MIB
    unittest.main(argv=sys.argv[:1], verbosity=2)
