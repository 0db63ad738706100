#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A restart counts what passes meanwhile: restart.py FFFA tc

The stream of the next agent has the packets that passed while no agent ran, and those that a killed one held.
"""

import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "views"))
import netns_fixture  # noqa: E402
import lab as L  # noqa: E402

FFFA, HOOK = "", ""
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 200ms}}
flows: {{idle_timeout: 1h, active_timeout: 1h}}
metadata: {{imds: {{enabled: off}}}}
spool_dir: {dir}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 100ms}}}}
"""


class Agent(netns_fixture.Agent):
    def __init__(self, lab, number):
        self.lab = lab
        config = lab.file("fffa.yaml", CONFIG.format(dir=lab.dir))
        self.process = lab.start(lab.host, f"agent{number}", FFFA, "run", "-c", config)
        self.process.await_line("kernel table ready")

    def end(self, case):
        code = self.process.end(signal.SIGTERM)
        says = self.process.text(self.process.err)
        case.assertEqual(code, 0, says)
        line = [x for x in says.splitlines() if "ledger: seen_packets=" in x][-1]
        case.assertIn("balance=ok", line)
        return {k: int(v) for k, v in L.re.findall(r"(\w+)=(\d+)\b", line)}


def ping(lab, n):
    lab.run(lab.host, "ping", "-c", str(n), "-i", "0.002", "-q", "-s", "56", L.PEER4)


def skipped(agent, reason):
    return [r for r in agent.records() if r["log_status"] == "SKIPDATA" and r["lost_reason"] == reason]


class Restart(unittest.TestCase):
    def setUp(self):
        self.lab = L.Lab(offloads=False)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        netns_fixture.quiet(self.lab)

    def test_an_upgrade(self):
        first = Agent(self.lab, 1)
        ping(self.lab, 10)
        ledger = first.end(self)
        self.assertEqual((ledger["seen_packets"], ledger["lost_packets"]), (20, 0))
        ping(self.lab, 25)
        second = Agent(self.lab, 2)
        ping(self.lab, 5)
        L.await_true("the gap in the stream", lambda: skipped(second, "not_attached"))
        ledger = second.end(self)
        self.assertEqual((ledger["lost_not_attached"], ledger["lost_packets"]), (50, 50))
        self.assertEqual((ledger["lost_bytes"], ledger["recorded_packets"], ledger["seen_packets"]), (50 * 84, 10, 60))
        gap, = skipped(second, "not_attached")
        self.assertEqual((gap["lost_packets"], gap["lost_bytes"]), (50, 50 * 84))
        self.assertLess(gap["start_ms"], gap["end_ms"])

    def test_a_kill(self):
        """What it held is counted, too, as of its last checkpoint."""
        first = Agent(self.lab, 1)
        ping(self.lab, 10)
        mark = os.path.join(self.lab.dir, "capture.mark")
        L.await_true("a mark with what is held", lambda: os.path.exists(mark) and " held 20 1680 " in open(mark).read())
        first.process.end(signal.SIGKILL)
        ping(self.lab, 25)
        second = Agent(self.lab, 2)
        L.await_true("the gap in the stream", lambda: skipped(second, "not_attached"))
        ledger = second.end(self)
        self.assertEqual((ledger["lost_not_attached"], ledger["lost_bytes"]), (70, 70 * 84))

    def test_a_damaged_mark(self):
        self.lab.file("capture.mark", "fffa-capture-mark 1\nboot")
        agent = Agent(self.lab, 1)
        agent.process.await_line("capture.mark: damaged")
        ping(self.lab, 5)
        self.assertEqual(agent.end(self)["lost_packets"], 0)


if __name__ == "__main__":
    netns_fixture.main(unittest, sys.modules[__name__])
