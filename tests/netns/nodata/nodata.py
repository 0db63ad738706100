#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Interfaces without traffic on a running agent: nodata.py FFFA

A busy and an idle veth. The idle one has a NODATA record for each interval, the busy one none while it is busy, and a
removed device none any more.
"""

import json
import os
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402

FFFA = ""
CONFIG = """
capture: {{interfaces: [v0, 'idle*'], drain_interval: 100ms, sample: {sample}}}
flows: {{idle_timeout: 1s, active_timeout: 1s, nodata: {nodata}}}
metadata: {{imds: {{enabled: off}}, interfaces: {{"*": {{account_id: "123456789012", interface_id: eni-1}}}}}}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}}}
  - {{name: vpc, type: file, format: vpc, path: {dir}/vpc.log, header: false, batch: {{age: 50ms}}}}
"""


class NoData(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.lab = L.Lab(offloads=True)
        self.lab.__enter__()
        self.addCleanup(self.lab.close)
        self.plug("idle0")

    def plug(self, name):
        """Creates a device without traffic: no address, no IPv6."""
        L.sh("ip", "link", "add", name, "netns", self.lab.host, "type", "veth", "peer", "name", "p" + name, "netns",
             self.lab.peer)
        for ns, dev in ((self.lab.host, name), (self.lab.peer, "p" + name)):
            self.lab.run(ns, "sysctl", "-qw", f"net.ipv6.conf.{dev}.disable_ipv6=1")
            L.sh("ip", "-n", ns, "link", "set", dev, "up")

    def start(self, nodata="true", sample=1):
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir, nodata=nodata, sample=sample))
        self.agent = self.lab.start(self.lab.host, "agent", FFFA, "run", "-c", config)
        self.agent.await_line("kernel table ready")

    def records(self):
        if not os.path.exists(self.lab.file("flows.json")):
            return []  # the sink's thread has not opened it yet
        with open(self.lab.file("flows.json")) as f:
            return [json.loads(line) for line in f.read().split("\n")[:-1]]

    def told(self, device):
        return [o for o in self.records() if o["log_status"] == "NODATA" and o.get("ifname") == device]

    def await_told(self, device, times):
        return L.await_true(f"{times} NODATA of {device}", lambda: self.told(device)[times - 1:times] and self.told(device))

    def stop(self):
        self.assertEqual(self.agent.end(), 0, self.agent.text(self.agent.err))
        self.assertRegex(self.agent.text(self.agent.err), r"balance=ok")

    def test_the_idle_device_is_told_and_the_busy_one_is_not(self):
        self.start()
        ping = self.lab.start(self.lab.host, "ping", "ping", "-q", "-i", "0.1", L.PEER4)
        first = self.await_told("idle0", 1)[0]
        # From here on v0 is busy in every interval: ping has started before the second one began.
        second = self.await_told("idle0", 4)[1]
        ping.end()
        busy_until = self.await_told("idle0", 4)[3]["end_ms"]
        self.assertEqual([o for o in self.told("v0") if second["start_ms"] <= o["start_ms"] < busy_until], [])
        self.assertTrue(self.await_told("v0", 1), "no traffic any more")
        self.stop()
        told = self.told("idle0")
        for before, after in zip(told, told[1:]):
            self.assertAlmostEqual(after["start_ms"], before["end_ms"], delta=2)
        for o in told:
            self.assertAlmostEqual(o["end_ms"] - o["start_ms"], 1000, delta=2)
            self.assertEqual((o["account_id"], o["interface_id"]), ("123456789012", "eni-1"))
            self.assertLessEqual({"srcaddr", "protocol", "packets", "bytes", "action"} & set(o), set(), o)
        with open(self.lab.file("vpc.log")) as f:
            lines = [line.split() for line in f if line.endswith(" NODATA\n")]
        self.assertIn(["2", "123456789012", "eni-1"] + ["-"] * 7 + [str(first["start"]), str(first["end"]), "-", "NODATA"],
                      lines)
        self.assertEqual({o.get("ifname") for o in self.records() if o["log_status"] == "OK"}, {"v0"})

    def test_a_device_that_is_gone_is_not_told_and_one_that_comes_is(self):
        self.start()
        self.await_told("idle0", 1)
        L.sh("ip", "-n", self.lab.host, "link", "del", "idle0")
        self.plug("idle1")
        self.agent.await_line("detached interface=idle0")
        self.agent.await_line("attached interface=idle1")
        before = len(self.told("idle0"))
        self.await_told("idle1", 2)
        self.stop()
        # One interval may have ended and been written just after the count was taken.
        self.assertLessEqual(len(self.told("idle0")), before + 1)

    def test_nothing_is_told_when_it_is_off_or_packets_are_passed_over(self):
        for nodata, sample in (("false", 1), ("true", 2)):
            with self.subTest(nodata=nodata, sample=sample):
                self.start(nodata, sample)
                # A flow ended in the third second, so two intervals have been over for long enough.
                for _ in range(3):
                    self.lab.run(self.lab.host, "ping", "-q", "-c", "20", "-i", "0.05", L.PEER4)
                self.stop()
                self.assertEqual({o["log_status"] for o in self.records()}, {"OK"})


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
