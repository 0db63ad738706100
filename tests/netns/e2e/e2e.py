#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The main job on real packets: e2e.py FFFA tc|xdp

TCP, UDP and ICMP over IPv4 and IPv6, and GENEVE packets with AWS options, cross a veth. The test compares the agent's
records with a capture by tcpdump, which tshark reads. The metadata comes from a mock at the real address inside the
namespace.
"""

import json
import os
import signal
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lab as L  # noqa: E402
import wire  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
MOCK = os.path.join(HERE, "..", "..", "stubs", "imds", "imds_mock.py")
FFFA, HOOK = "", ""

VPC_FIELDS = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
              "log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id "
              "flow-direction").split()

CONFIG = """
capture: {{interfaces: [v0], hook: {hook}, drain_interval: 200ms, decapsulate: [geneve, vxlan]}}
flows: {{idle_timeout: 2s, active_timeout: 10s, nodata: false}}
metadata: {{imds: {{enabled: on}}}}
sinks:
  - {{name: vpc, type: file, format: vpc, fields: "{fields}", path: {dir}/vpc.log, batch: {{age: 100ms}}}}
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 100ms}}}}
  - {{name: flowlog, type: file, format: flowlog, path: {dir}/flowlog.log, batch: {{age: 100ms}}}}
"""

# Sends the same GENEVE packets to one side: inner IPv4/TCP, inner IPv6/UDP, Ethernet inside.
GENEVE = """
import sys
from scapy.all import Ether, IP, IPv6, TCP, UDP, Raw, sendp
dev, src_mac, dst_mac, src, dst, n = sys.argv[1:6] + [int(sys.argv[6])]
opts = bytes.fromhex("01080102" "0123456789abcdef" "01080202" "00000000000000aa" "01080301" "00c00c1e")
def geneve(proto, vni, options, inner):
    head = bytes([len(options) // 4, 0]) + proto.to_bytes(2, "big") + (vni << 8).to_bytes(4, "big")
    return (Ether(src=src_mac, dst=dst_mac) / IP(src=src, dst=dst) / UDP(sport=60000, dport=6081, chksum=0) /
            Raw(head + options + bytes(inner)))
v4 = IP(src="192.168.7.10", dst="192.168.7.20") / TCP(sport=8080, dport=443, flags="PA") / Raw(b"x" * 50)
v6 = IPv6(src="fd77::10", dst="fd77::20") / UDP(sport=1111, dport=2222) / Raw(b"y" * 33)
eth = Ether(src="02:11:00:00:00:01", dst="02:11:00:00:00:02") / IP(bytes(v4))
eth[IP].src = "192.168.8.10"
del eth[IP].chksum
sendp([geneve(0x0800, 0, opts, v4)] * n + [geneve(0x86dd, 5, opts, v6)] * n + [geneve(0x6558, 7, b"", eth)] * n,
      iface=dev, verbose=False)
"""


def key_of(vpc):
    proto = int(vpc["protocol"])
    return wire.Key(vpc["pkt-srcaddr"], vpc["pkt-dstaddr"], int(vpc["srcport"]), int(vpc["dstport"]), proto,
                    vpc["flow-direction"] == "egress")


def ours(key):
    tests = (L.HOST4, L.PEER4, L.HOST6, L.PEER6)
    return (key.src in tests and key.dst in tests) or key.src.startswith(("192.168.", "fd77:"))


class EndToEnd(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.lab = L.Lab(offloads=False)
        cls.lab.__enter__()
        try:
            cls.run_all(cls.lab)
        except BaseException:
            cls.lab.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.lab.close()

    @classmethod
    def run_all(cls, lab):
        mock = lab.start(lab.host, "mock", "/usr/bin/python3", MOCK, "--listen", L.METADATA, "--port", "80", "--mac",
                         L.HOST_MAC, "--log", lab.file("imds.log"))
        mock.await_line("ready")
        config = lab.file("fffa.yaml", CONFIG.format(hook=HOOK, dir=lab.dir,
                                                     fields=" ".join("${%s}" % f for f in VPC_FIELDS)))
        agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        cls.pcap = lab.file("all.pcap")
        dump = lab.start(lab.host, "tcpdump", "tcpdump", "-i", "v0", "-n", "-U", "-s", "256", "-B", "65536", "-Z", "root",
                         "-w", cls.pcap)
        dump.await_line("listening on")
        cls.traffic(lab)
        # This frame and its answer are the last: once they are in the capture, all others are.
        lab.run(lab.peer, "ping", "-c", "1", "-q", "-s", "1000", L.HOST4)
        L.await_true("the mark and its answer in the capture", lambda: lab.run(
            lab.host, "sh", "-c", f"tcpdump -n -r {cls.pcap} icmp 2>/dev/null || true").count("length 1008") == 2)
        dump.end(signal.SIGINT)
        cls.dump_says = dump.text(dump.err)
        cls.code = agent.end(signal.SIGTERM)
        cls.agent_says = agent.text(agent.err)
        cls.wire = {k: v for k, v in wire.flows_of(cls.pcap, L.HOST_MAC).items() if ours(k)}
        with open(lab.file("vpc.log")) as f:
            cls.header = f.readline().split()
            cls.lines = [dict(zip(VPC_FIELDS, line.split(" "))) for line in f.read().splitlines()]
        with open(lab.file("flows.json")) as f:
            cls.objects = [json.loads(line) for line in f]

    @classmethod
    def traffic(cls, lab):
        iperf = L.Iperf(lab)
        for target, v6 in ((L.PEER4, []), (L.PEER6, ["-6"])):
            iperf.run(*v6, "-c", target, "-n", "4M")
            iperf.run(*v6, "-c", target, "-n", "2M", "-R")
            iperf.run(*v6, "-c", target, "-u", "-b", "50M", "-n", "1M", "-l", "1000")
            lab.run(lab.host, "ping", *v6, "-c", "20", "-i", "0.01", "-q", target)
        lab.run(lab.peer, "/usr/bin/python3", "-c", GENEVE, "v1", L.PEER_MAC, L.HOST_MAC, L.PEER4, L.HOST4, "40")
        lab.run(lab.host, "/usr/bin/python3", "-c", GENEVE, "v0", L.HOST_MAC, L.PEER_MAC, L.HOST4, L.PEER4, "30")

    def recorded(self):
        got = {}
        for line in self.lines:
            key = key_of(line)
            if not ours(key):
                continue
            flags = 0 if line["tcp-flags"] == "-" else int(line["tcp-flags"])
            got.setdefault(key, wire.Flow()).add(int(line["packets"]), int(line["bytes"]), flags,
                                                 int(line["start"]), int(line["end"]))
        return got

    def test_capture_is_whole(self):
        self.assertIn("0 packets dropped by kernel", self.dump_says)
        kinds = {(k.proto, ":" in k.src, k.egress) for k in self.wire}
        self.assertEqual(len(kinds & {(p, v6, e) for p in (6, 17) for v6 in (False, True) for e in (False, True)}), 8)
        self.assertLessEqual({(1, False, True), (1, False, False), (58, True, True), (58, True, False)}, kinds)

    def test_every_flow_has_exactly_its_packets_and_bytes(self):
        got = {k: (f.packets, f.bytes) for k, f in self.recorded().items()}
        want = {k: (f.packets, f.bytes) for k, f in self.wire.items()}
        self.assertGreater(len(want), 20)
        # ICMPv6 echo requests share their key with messages that tshark leaves out, so both sides count echoes only.
        self.assertEqual(got, want)

    def test_flags_are_what_aws_writes(self):
        got = {k: f.flags for k, f in self.recorded().items() if k.proto == 6}
        self.assertEqual(got, {k: f.flags for k, f in self.wire.items() if k.proto == 6})
        self.assertIn(19, set(got.values()) | {f | 1 for f in got.values()})
        for line in self.lines:
            if line["protocol"] != "6":
                self.assertEqual(line["tcp-flags"], "0")

    def test_times_are_those_of_the_packets(self):
        ends = {}
        for o in self.objects:
            key = wire.Key(o["pkt_srcaddr"], o["pkt_dstaddr"], o["srcport"], o["dstport"], o["protocol"],
                           o["flow_direction"] == "egress")
            if ours(key):
                f = ends.setdefault(key, wire.Flow())
                f.add(o["packets"], o["bytes"], 0, o["start_ms"], o["end_ms"])
                self.assertLessEqual(o["end_ms"] - o["start_ms"], 10000)
                self.assertEqual(o["start"], o["start_ms"] // 1000)
                self.assertEqual(o["end"], o["end_ms"] // 1000)
        self.assertEqual(set(ends), set(self.wire))
        for key, f in ends.items():
            # The coarse clock is at most one jiffy (10 ms at worst) old; the table's time unit is 1.05 ms.
            self.assertAlmostEqual(f.first, self.wire[key].first * 1000, delta=25, msg=key)
            self.assertAlmostEqual(f.last, self.wire[key].last * 1000, delta=25, msg=key)

    def test_identity_comes_from_the_metadata(self):
        self.assertEqual(self.header, VPC_FIELDS)
        for line in self.lines:
            self.assertEqual((line["account-id"], line["vpc-id"], line["subnet-id"], line["instance-id"], line["region"],
                              line["az-id"]),
                             ("123456789012", "vpc-0a1b2c3d4e5f60718", "subnet-0f1e2d3c4b5a69788",
                              "i-0123456789abcdef0", "us-east-1", "use1-az4"), line)
            self.assertRegex(line["interface-id"], "^eni-[0-9a-f]{17}$")
            self.assertEqual((line["version"], line["action"], line["log-status"]), ("5", "ACCEPT", "OK"))
            self.assertEqual(line["type"], "IPv6" if ":" in line["pkt-srcaddr"] else "IPv4")
            # On the interface's side AWS shows its primary address, except for what stays on the link.
            own = line["pkt-srcaddr" if line["flow-direction"] == "egress" else "pkt-dstaddr"]
            primary = own if own.startswith(("fe80:", "ff")) or own == "::" else (
                "2001:db8:0:1::a" if line["type"] == "IPv6" else "10.0.1.10")
            expected = ((primary, line["pkt-dstaddr"]) if line["flow-direction"] == "egress"
                        else (line["pkt-srcaddr"], primary))
            self.assertEqual((line["srcaddr"], line["dstaddr"]), expected)
        with open(self.lab.file("imds.log")) as f:
            requests = [json.loads(line) for line in f]
        self.assertTrue(any(r["method"] == "PUT" for r in requests))

    def test_geneve_options_are_in_the_records(self):
        inner = [o for o in self.objects if o.get("encapsulated")]
        by_vni = {}
        for o in inner:
            self.assertEqual(o["tunnel"], "geneve")
            self.assertEqual({o["tunnel_src"], o["tunnel_dst"]}, {L.HOST4, L.PEER4})
            by_vni.setdefault((o["vni"], o["flow_direction"]), 0)
            by_vni[o["vni"], o["flow_direction"]] += o["packets"]
            if o["vni"] != 7:
                self.assertEqual((o["gwlbe_id"], o["gwlb_flow_cookie"]), ("eni-00123456789abcdef", 0xc00c1e))
                self.assertIn("aa", o["gwlb_attachment_id"])
            else:
                self.assertNotIn("gwlbe_id", o)
        self.assertEqual(by_vni, {(v, d): n for v in (0, 5, 7) for d, n in (("ingress", 40), ("egress", 30))})
        with open(self.lab.file("flowlog.log")) as f:
            line = [x for x in f if "pkt-src=192.168.7.10" in x and "direction=0" in x][0]
        for part in ("flowlog version=2", "proto=TCP", f"src={L.PEER4}:8080", f"dst={L.HOST4}:443", "encapsulated=true",
                     "account=123456789012"):
            self.assertIn(part, line)

    def test_hooks_are_the_ones_asked_for(self):
        hooks = {(o["flow_direction"], o["hook"]) for o in self.objects}
        self.assertEqual(hooks, {("ingress", HOOK), ("egress", "tc")})

    def test_the_ledger_balances_and_nothing_is_lost(self):
        self.assertEqual(self.code, 0, self.agent_says)
        self.assertRegex(self.agent_says, r"ledger: seen_packets=(\d+) .*recorded_packets=\1 .*held_packets=0 .*"
                                          r"lost_packets=0 .*balance=ok")
        self.assertEqual(self.agent_says.count("balance=ok"), 4)

    def test_numbers_have_no_holes(self):
        seqs = [o["seq"] for o in self.objects]
        self.assertEqual(seqs, list(range(1, len(seqs) + 1)))

    def test_replay_of_the_capture_gives_the_same(self):
        config = self.lab.file("replay.yaml", "sinks: [{name: r, type: file, format: vpc, path: '-', header: false, "
                               "fields: '%s'}]\n" % " ".join("${%s}" % f for f in VPC_FIELDS))
        out = L.subprocess.run([FFFA, "replay", "-c", config, "--local", L.HOST4 + "/32", "--local", L.HOST6 + "/128",
                                self.pcap], check=True, stdout=L.subprocess.PIPE, stderr=L.subprocess.PIPE, text=True)
        got = {}
        for line in out.stdout.splitlines():
            fields = dict(zip(VPC_FIELDS, line.split(" ")))
            key = key_of(fields)
            if ours(key):
                flags = 0 if fields["tcp-flags"] == "-" else int(fields["tcp-flags"])
                got.setdefault(key, wire.Flow()).add(int(fields["packets"]), int(fields["bytes"]), flags, 0, 0)
        self.assertEqual({k: (f.packets, f.bytes, f.flags) for k, f in got.items()},
                         {k: (f.packets, f.bytes, f.flags) for k, f in self.recorded().items()})
        self.assertRegex(out.stderr, r"lost_packets=0 .*balance=ok")


# Serves one connection after the other: reads until the end, then closes, or resets if asked to.
SERVER = """
import socket, struct
s = socket.create_server(("10.9.0.2", 4444))
print("listening", flush=True)
while True:
    c, _ = s.accept()
    got = b""
    while (part := c.recv(4096)):
        got += part
    if got.startswith(b"reset"):
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
"""
CLIENT = """
import socket, sys
c = socket.create_connection(("10.9.0.2", 4444))
c.sendall(sys.argv[1].encode())
c.shutdown(socket.SHUT_WR)
try:
    c.recv(1)
except ConnectionResetError:
    pass
print(c.getsockname()[1])
"""


class ConnectionEnds(unittest.TestCase):
    def drains(self, lab):
        """How often the agent has drained the kernel's table: a count of intervals that no busy machine changes."""
        page = lab.run(lab.host, "curl", "-s", "http://127.0.0.1:9977/metrics")
        return int(L.re.search(r"^fffa_drain_seconds_count (\d+)$", page, L.re.M)[1])

    def test_ends_are_reported_within_two_drain_intervals(self):
        with L.Lab(offloads=True) as lab:
            config = lab.file("fffa.yaml", CONFIG.replace("enabled: on", "enabled: off").replace(
                "drain_interval: 200ms", "drain_interval: 2s").replace("idle_timeout: 2s", "idle_timeout: 60s").replace(
                "active_timeout: 10s", "active_timeout: 60s").format(
                hook=HOOK, dir=lab.dir, fields=" ".join("${%s}" % f for f in VPC_FIELDS)))
            agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
            agent.await_line("kernel table ready")
            lab.start(lab.peer, "server", "/usr/bin/python3", "-c", SERVER).await_line("listening")
            for how in ("close", "reset", "close"):
                port = int(lab.run(lab.host, "/usr/bin/python3", "-c", CLIENT, how))
                before = self.drains(lab)

                def both():
                    if not os.path.exists(lab.file("flows.json")):
                        return None  # the sink's thread has not opened it yet
                    with open(lab.file("flows.json")) as f:
                        found = [o for o in map(json.loads, f.read().split("\n")[:-1]) if port in (o["srcport"], o["dstport"])]
                    return found if len(found) >= 2 else None

                found = L.await_true("both directions", both)
                self.assertLessEqual(self.drains(lab) - before, 2)
                self.assertEqual({o["end_reason"] for o in found}, {"end"}, found)
                self.assertEqual({o["flow_direction"] for o in found}, {"ingress", "egress"})
                self.assertEqual(len(found), 2, found)
            self.assertEqual(agent.end(signal.SIGTERM), 0)
            self.assertRegex(agent.text(agent.err), r"lost_packets=0 .*balance=ok")


class StopDuringTraffic(unittest.TestCase):
    def test_term_reports_every_flow(self):
        with L.Lab(offloads=True) as lab:
            config = lab.file("fffa.yaml", CONFIG.replace("enabled: on", "enabled: off").format(
                hook="tc", dir=lab.dir, fields=" ".join("${%s}" % f for f in VPC_FIELDS)))
            agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
            agent.await_line("kernel table ready")
            server = lab.start(lab.peer, "iperf", "iperf3", "-s", "--forceflush")
            server.await_line("Server listening")
            client = lab.start(lab.host, "client", "iperf3", "-c", L.PEER4, "-t", "30", "-P", "4", "--forceflush", "-i", "0.2")
            client.await_line(r"\[SUM\] +(0\.[6-9]|[1-9])")  # on a busy machine an interval is longer
            self.assertEqual(agent.end(signal.SIGTERM), 0, agent.text(agent.err))
            self.assertIsNone(client.p.poll(), "the traffic goes on")
            says = agent.text(agent.err)
            found = L.re.search(r"seen_packets=(\d+) seen_bytes=(\d+) recorded_packets=\1 recorded_bytes=\2 "
                                r"held_packets=0 held_bytes=0 lost_packets=0", says)
            self.assertTrue(found, says)
            with open(lab.file("vpc.log")) as f:
                lines = [dict(zip(VPC_FIELDS, x.split(" "))) for x in f.read().splitlines()[1:]]
            self.assertEqual(sum(int(x["packets"]) for x in lines), int(found.group(1)))
            self.assertEqual(sum(int(x["bytes"]) for x in lines), int(found.group(2)))
            self.assertGreaterEqual(len({(x["srcport"], x["dstport"]) for x in lines}), 10)
            # Nothing is left attached.
            self.assertNotIn("fffa", lab.run(lab.host, "tc", "filter", "show", "dev", "v0", "ingress"))


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA, HOOK = os.path.abspath(sys.argv[1]), sys.argv[2]
    unittest.main(argv=sys.argv[:1], verbosity=2)
