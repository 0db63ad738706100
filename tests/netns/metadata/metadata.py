#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The metadata service and a running agent: metadata.py FFFA

While the service is silent at the start, records wait, but not for long; once it answers they carry what it says. An
address that comes makes the agent ask again.
"""

import json
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402

MOCK = os.path.join(HERE, "..", "..", "stubs", "imds", "imds_mock.py")
FFFA = ""
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 200ms, active_timeout: 1s}}
metadata: {{imds: {{enabled: on, timeout: 10s, refresh: 1h}}}}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}}}
"""


class Metadata(unittest.TestCase):
    maxDiff = None

    def faults(self, rules):
        self.lab.file("faults.new", json.dumps(rules))
        os.rename(self.lab.file("faults.new"), self.lab.file("faults"))

    def records(self):
        try:
            with open(self.lab.file("flows.json")) as f:
                return [json.loads(line) for line in f.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []

    def ways(self, wanted):
        got = {o["flow_direction"]: tuple(o.get(k) for k in ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr",
                                                             "traffic_path"))
               for o in self.records() if "instance_id" in o and o["protocol"] == 1}
        return got if set(got) == wanted else None

    def rounds(self):
        with open(self.lab.file("imds.log")) as f:
            return sum("/document" in line for line in f)

    def test_silent_then_talking(self):
        self.lab = L.Lab(offloads=True)
        self.lab.__enter__()
        self.addCleanup(self.lab.close)
        self.faults([{"kind": "hang"}])
        mock = self.lab.start(self.lab.host, "mock", "/usr/bin/python3", MOCK, "--listen", L.METADATA, "--port", "80",
                              "--mac", L.HOST_MAC, "--fault-file", self.lab.file("faults"), "--log",
                              self.lab.file("imds.log"))
        mock.await_line("ready")
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir))
        agent = self.lab.start(self.lab.host, "agent", FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        ready = time.monotonic()
        self.lab.start(self.lab.host, "ping", "ping", "-q", "-i", "0.1", L.PEER4)
        L.await_true("the first record", self.records)
        waited = time.monotonic() - ready
        # A second request would have begun after 10 s only: it is the wait that ended.
        self.assertGreater(waited, 4)
        self.assertLess(waited, 10)
        first = self.records()
        self.assertTrue(all("instance_id" not in o for o in first))
        # Windows of a second were full four times meanwhile: they waited, too, and none is lost or joined.
        egress = [o for o in first if o["flow_direction"] == "egress" and o["protocol"] == 1]
        self.assertGreaterEqual(len(egress), 3)
        self.assertTrue(all(o["end_ms"] - o["start_ms"] <= 1000 for o in egress))
        self.faults({"instance": {"interfaces": {L.HOST_MAC: {
            "local-ipv4s": "10.9.0.3\n" + L.HOST4, "vpc-ipv4-cidr-blocks": "10.8.0.0/15"}}}})
        learned = L.await_true("the identity", lambda: [o for o in self.records() if "instance_id" in o])[0]
        self.assertEqual((learned["instance_id"], learned["az_id"], learned["vpc_id"]),
                         ("i-0123456789abcdef0", "use1-az4", "vpc-0a1b2c3d4e5f60718"))
        # The address that AWS would show, and the way of the packets: within the VPC.
        ways = L.await_true("both directions", lambda: self.ways({"egress", "ingress"}))
        self.assertEqual(ways["egress"], ("10.9.0.3", L.PEER4, L.HOST4, L.PEER4, 1))
        self.assertEqual(ways["ingress"], (L.PEER4, "10.9.0.3", L.PEER4, L.HOST4, None))
        # The service's refresh is an hour away: what makes it asked again is the address.
        self.assertEqual(self.rounds(), 1)
        L.sh("ip", "-n", self.lab.host, "addr", "add", "10.9.0.77/24", "dev", "v0")
        L.await_true("a second round", lambda: self.rounds() == 2)
        self.assertEqual(agent.end(), 0, agent.text(agent.err))
        self.assertRegex(agent.text(agent.err), r"balance=ok")


if __name__ == "__main__":
    if os.geteuid():
        print("needs root for network namespaces")
        sys.exit(77)
    FFFA = sys.argv.pop(1)
    unittest.main()
