# SPDX-License-Identifier: MIT
"""Runs an agent in a lab and reads its records, its ledger, and the counters of the devices."""

import json
import os
import signal
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "..", "stubs")]
import lab as L  # noqa: E402

CONFIG = """
capture: {{interfaces: [v0], drain_interval: 200ms, {capture}}}
flows: {{idle_timeout: 2s, active_timeout: 20s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 100ms}}}}
  - {{name: vpc, type: file, format: vpc, path: {dir}/vpc.log, header: false, batch: {{age: 100ms}}}}
"""


class Agent:
    def __init__(self, lab, fffa, capture):
        self.lab = lab
        config = lab.file("fffa.yaml", CONFIG.format(capture=capture, dir=lab.dir))
        self.process = lab.start(lab.host, "agent", fffa, "run", "-c", config)
        self.process.await_line("kernel table ready")

    def signal(self, number):
        self.process.p.send_signal(number)

    def records(self):
        """Returns the records of the complete lines."""
        path = self.lab.file("flows.json")
        if not os.path.exists(path):
            return []
        with open(path) as f:
            return [json.loads(line) for line in f if line.endswith("\n")]

    def vpc_lines(self):
        with open(self.lab.file("vpc.log")) as f:
            return f.read().splitlines()

    def end(self, case):
        """Stops it. Returns its last ledger as numbers, after checks that hold for every agent."""
        code = self.process.end(signal.SIGTERM)
        says = self.process.text(self.process.err)
        case.assertEqual(code, 0, says)
        line = [x for x in says.splitlines() if "ledger: seen_packets=" in x][-1]
        ledger = {k: int(v) if v.isdigit() else v for k, v in L.re.findall(r"(\w+)=(\S+)", line)}
        case.assertEqual((ledger["balance"], ledger["held_packets"]), ("ok", 0), line)
        for unit in ("packets", "bytes"):
            case.assertEqual(ledger["seen_" + unit], ledger["recorded_" + unit] + ledger["lost_" + unit]
                             + ledger.get("filtered_" + unit, 0), line)
            case.assertEqual(ledger["recorded_" + unit], sum(r.get(unit, 0) for r in self.records()), line)
        return ledger


class Dump:
    """Captures the headers of packets on v0."""

    def __init__(self, lab, snap=256):
        self.lab, self.path = lab, lab.file("all.pcap")
        self.process = lab.start(lab.host, "tcpdump", "tcpdump", "-i", "v0", "-n", "-U", "-s", str(snap), "-B", "65536",
                                 "-Z", "root", "-w", self.path)
        self.process.await_line("listening on")

    def end(self, case):
        # This frame and its answer are the last: once they are in the capture, all others are.
        self.lab.run(self.lab.peer, "ping", "-c", "1", "-q", "-s", "1000", L.HOST4)
        L.await_true("the mark and its answer in the capture", lambda: self.lab.run(
            self.lab.host, "sh", "-c", f"tcpdump -n -r {self.path} icmp 2>/dev/null || true").count("length 1008") == 2)
        self.process.end(signal.SIGINT)
        case.assertIn("0 packets dropped by kernel", self.process.text(self.process.err))
        return self.path


def quiet(lab):
    """Disables IPv6, so that the wire has only what a test sends."""
    for ns, dev in ((lab.host, "v0"), (lab.peer, "v1")):
        lab.run(ns, "sysctl", "-qw", f"net.ipv6.conf.{dev}.disable_ipv6=1")


def sent(lab):
    """Returns (frames sent, frames dropped before the wire because the other end's queue was full) by the devices' own
    counters, of the host and of the peer."""
    both = ((lab.host, "v0"), (lab.peer, "v1"))
    tx = [json.loads(lab.run(ns, "ip", "-j", "-s", "link", "show", dev))[0]["stats64"]["tx"] for ns, dev in both]
    return [(x["packets"], x["dropped"]) for x in tx]


def sent_since(lab, case, before, each):
    """Returns the frames on the wire since then, of the host and of the peer. each: how many each wanted to send."""
    on_wire = []
    for (packets, dropped), (old, old_dropped), want in zip(sent(lab), before, each):
        on_wire.append(packets - old)
        case.assertEqual(on_wire[-1] + dropped - old_dropped, want)
    return on_wire


def python(lab, ns, script, *args):
    return lab.run(ns, "/usr/bin/python3", "-c", script, *map(str, args))


def main(unittest, module):
    """Reads the arguments FFFA [HOOK] into the module."""
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    module.FFFA, module.HOOK = os.path.abspath(sys.argv[1]), sys.argv[2]
    unittest.main(argv=sys.argv[:1], verbosity=2)
