#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Many flows that expire at once: burst.py FFFA FLOOD

They wait for a sink that works, however small its queue is, and for none that is away.
"""

import os
import re
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402

FFFA, FLOOD = "", ""
FLOWS = 200000
CONFIG = """
capture: {{interfaces: [v0]}}
flows: {{idle_timeout: 2s}}
metadata: {{imds: {{enabled: off}}}}
status: {{listen: ""}}
spool_dir: {dir}/spool
shutdown_timeout: 2s
sinks:
  - {{name: vpc, type: file, path: {dir}/vpc, format: vpc, queue: {{memory: 8MiB}}}}
  - {{name: json, type: file, path: {dir}/json, format: json, queue: {{memory: 8MiB}}}}
  - {{name: away, type: http, url: "http://127.0.0.1:9/", format: json, queue: {{memory: 8MiB}}, retry: {{min: 10m, max: 10m}}}}
"""


class Burst(unittest.TestCase):
    def test_nothing_is_lost_to_a_full_queue(self):
        with L.Lab(offloads=False) as lab:
            for last in range(3, 10):
                L.sh("ip", "-n", lab.host, "neigh", "replace", f"10.9.0.{last}", "lladdr", L.PEER_MAC, "dev", "v0", "nud",
                     "permanent")
            agent = lab.start(lab.host, "agent", FFFA, "run", "-c", lab.file("fffa.yaml", CONFIG.format(dir=lab.dir)))
            agent.await_line("kernel table ready")
            self.assertEqual(int(lab.run(lab.host, FLOOD, L.PEER4, str(FLOWS), str(FLOWS), "1")), FLOWS)

            def lines():
                if not os.path.exists(lab.file("vpc")):
                    return 0  # the sink's thread has not opened it yet
                with open(lab.file("vpc"), "rb") as f:
                    return sum(1 for _ in f)
            L.await_true("the records", lambda: lines() >= FLOWS)
            self.assertEqual(agent.end(signal.SIGTERM), 0)
            said = agent.text(agent.err)
            for sink in ("vpc", "json"):
                line, = re.findall(rf"sink={sink} (.*)", said)
                ledger = {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}
                self.assertEqual((ledger["delivered"], ledger["lost"]), (ledger["records"], 0), said)
                self.assertGreaterEqual(ledger["records"], FLOWS)
            self.assertRegex(said, r"warn +ledger: sink away: \d+ records lost: .*; set queue.spool")


if __name__ == "__main__":
    if os.geteuid():
        print("run as root")
        sys.exit(77)
    FFFA, FLOOD = sys.argv[1:3]
    del sys.argv[1:3]
    unittest.main(verbosity=2)
