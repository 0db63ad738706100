#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Wire truth: gso.py FFFA tc|xdp

The host sends and receives super-packets (GSO and GRO of TCP and UDP, IPv4 and IPv6, also inside VXLAN, on the port
that the agent opens and on another one). The kernel cuts them into segments behind the agent's egress hook, and joins segments before its ingress hook. The agent must
count the segments that a capture on the peer has, to the packet and to the byte.
"""

import json
import os
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402
import wire  # noqa: E402

FFFA, HOOK = "", ""
TUNNEL_HOST4, TUNNEL_PEER4 = "10.8.0.1", "10.8.0.2"
TUNNEL_HOST6, TUNNEL_PEER6 = "fd08::1", "fd08::2"
CLOSED_HOST4, CLOSED_PEER4 = "10.7.0.1", "10.7.0.2"
CLOSED_HOST6, CLOSED_PEER6 = "fd07::1", "fd07::2"
CLOSED_PORT = "8473"  # tshark does not know it either: both see the outer flows

CONFIG = """
capture: {{interfaces: [v0], hook: {hook}, drain_interval: 200ms}}
flows: {{idle_timeout: 2s, active_timeout: 20s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
sinks: [{{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 100ms}}}}]
"""

# N datagrams of SIZE bytes by UDP_SEGMENT (103), many in one call. The port is open on the peer, so no ICMP comes. The sink
# answers the last one of each call, so that never more of them are on their way than a veth's ring takes.
UDP_GSO = """
import socket, sys
addr, size, calls = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
s = socket.socket(socket.AF_INET6 if ":" in addr else socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_UDP, 103, size)
s.settimeout(60)
for _ in range(calls):
    s.sendto(b"u" * (size * 20 + 77), (addr, 7777))
    s.recv(10)
"""
UDP_SINK = """
import socket
s = [socket.socket(f, socket.SOCK_DGRAM) for f in (socket.AF_INET, socket.AF_INET6)]
s[1].setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
for x, a in zip(s, ("0.0.0.0", "::")):
    x.bind((a, 7777))
print("bound", flush=True)
import select
while True:
    for x in select.select(s, [], [])[0]:
        data, sender = x.recvfrom(65536)
        if len(data) == 77:
            x.sendto(b"all", sender)
"""


NFT = """
table netdev t {
	counter sent { }
	chain e { type filter hook egress device "v0" priority 0; counter name "sent"; }
}
"""

# Reports of listeners come some seconds after a tunnel is up: between agent and capture, only one of them would see one.
NO_REPORTS = """
table ip6 quiet {
	chain out { type filter hook output priority 0; icmpv6 type { mld-listener-report, mld2-listener-report } drop; }
}
"""


class Wire(unittest.TestCase):
    maxDiff = None

    def add_vxlan(self, lab, ns, dev, ends, name, vni, port, addresses):
        L.sh("ip", "-n", ns, "link", "add", name, "type", "vxlan", "id", vni, "local", ends[0], "remote", ends[1],
             "dstport", port, "dev", dev)
        for key in ("accept_dad=0", "autoconf=0", "accept_ra=0", "router_solicitations=0"):
            lab.run(ns, "sysctl", "-qw", f"net.ipv6.conf.{name}.{key}")
        L.sh("ip", "-n", ns, "link", "set", name, "up")
        L.sh("ip", "-n", ns, "addr", "add", addresses[0] + "/24", "dev", name)
        L.sh("ip", "-n", ns, "addr", "add", addresses[1] + "/64", "dev", name, "nodad")

    def setup_side(self, lab, ns, dev, ends, opened, closed, gro):
        # The stack cuts super-packets between the egress hook and the wire; the device does not.
        lab.run(ns, "ethtool", "-K", dev, "tso", "off", "gso", "on", "tx-udp-segmentation", "off",
                "tx-udp_tnl-segmentation", "off", "tx-udp_tnl-csum-segmentation", "off", "gro", gro,
                "rx-udp-gro-forwarding", gro)
        lab.run(ns, "nft", "-f", lab.file("quiet.nft", NO_REPORTS))
        self.add_vxlan(lab, ns, dev, ends, "vx0", "42", "4789", opened)
        self.add_vxlan(lab, ns, dev, ends, "vx1", "43", CLOSED_PORT, closed)

    def traffic(self, lab):
        iperf = L.Iperf(lab)
        sink = {ns: lab.start(ns, "sink-" + ns, "/usr/bin/python3", "-c", UDP_SINK) for ns in (lab.host, lab.peer)}
        for p in sink.values():
            p.await_line("bound")
        for target in (L.PEER4, L.PEER6, TUNNEL_PEER4, TUNNEL_PEER6, CLOSED_PEER4, CLOSED_PEER6):
            # Sent slowly, with a small window: a packet that a veth's ring of 256 drops passes one end only, and then both
            # ends count differently.
            iperf.run("-c", target, "-n", "5M", "-b", "100M", "-w", "64K")
            iperf.run("-c", target, "-n", "5M", "-b", "100M", "-w", "64K", "-R")
        for ns, targets in ((lab.host, (L.PEER4, L.PEER6, TUNNEL_PEER4, CLOSED_PEER4)),
                            (lab.peer, (L.HOST4, L.HOST6, TUNNEL_HOST4, CLOSED_HOST4))):
            for target in targets:
                lab.run(ns, "/usr/bin/python3", "-c", UDP_GSO, target, "1000", "50")

    def run_agent(self, lab):
        config = lab.file("fffa.yaml", CONFIG.format(hook=HOOK, dir=lab.dir))
        agent = lab.start(lab.host, "agent", FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        dumps = []
        for ns, dev, name, what in ((lab.peer, "v1", "wire", []), (lab.host, "v0", "super", ["greater", "3000"])):
            d = lab.start(ns, "tcpdump-" + name, "tcpdump", "-i", dev, "-n", "-U", "-s", "200", "-B", "131072", "-Z", "root",
                          "-w", lab.file(name + ".pcap"), *what)
            d.await_line("listening on")
            dumps.append(d)
        self.traffic(lab)
        lab.run(lab.peer, "ping", "-c", "1", "-q", "-s", "1000", L.HOST4)  # the last packet: all others come before it
        L.await_true("the mark in the capture", lambda: "length 1008" in lab.run(
            lab.peer, "sh", "-c", f"tcpdump -n -r {lab.file('wire.pcap')} icmp 2>/dev/null || true"))
        for d in dumps:
            d.end(signal.SIGINT)
            self.assertIn("0 packets dropped by kernel", d.text(d.err))
        self.assertEqual(agent.end(signal.SIGTERM), 0)
        return agent.text(agent.err)

    def supers_received(self, lab):
        return int(lab.run(lab.host, "sh", "-c",
                           f"tcpdump -n -r {lab.file('super.pcap')} ether dst {L.HOST_MAC} 2>/dev/null | wc -l"))

    def dropped(self, lab):
        stats = [json.loads(L.sh("ip", "-n", ns, "-j", "-s", "link", "show", dev))[0]["stats64"]
                 for ns, dev in ((lab.host, "v0"), (lab.peer, "v1"))]
        return [(s["rx"]["dropped"], s["tx"]["dropped"]) for s in stats]

    def buffers_sent(self, lab):
        """Returns how many socket buffers passed the egress hook, each of any number of segments."""
        out = lab.run(lab.host, "nft", "-j", "list", "counter", "netdev", "t", "sent")
        return json.loads(out)["nftables"][1]["counter"]["packets"]

    def test_counts_are_those_of_the_wire(self):
        with L.Lab(offloads=True) as lab:
            self.setup_side(lab, lab.host, "v0", (L.HOST4, L.PEER4), (TUNNEL_HOST4, TUNNEL_HOST6),
                            (CLOSED_HOST4, CLOSED_HOST6), "on")
            self.setup_side(lab, lab.peer, "v1", (L.PEER4, L.HOST4), (TUNNEL_PEER4, TUNNEL_PEER6),
                            (CLOSED_PEER4, CLOSED_PEER6), "off")
            lab.run(lab.host, "nft", "-f", lab.file("count.nft", NFT))
            before = self.dropped(lab)  # while the links came up
            says = self.run_agent(lab)
            if HOOK == "tc":
                self.assertGreater(self.supers_received(lab), 100, "GRO was to join packets on ingress")
            want = {k: (f.packets, f.bytes) for k, f in wire.flows_of(lab.file("wire.pcap"), L.HOST_MAC).items()
                    if k.proto in (6, 17)}
            got = {}
            with open(lab.file("flows.json")) as f:
                for o in map(json.loads, f):
                    if o["protocol"] not in (6, 17):
                        continue
                    key = wire.Key(o["srcaddr"], o["dstaddr"], o["srcport"], o["dstport"], o["protocol"],
                                   o["flow_direction"] == "egress")
                    old = got.get(key, (0, 0))
                    got[key] = (old[0] + o["packets"], old[1] + o["bytes"])
            self.assertGreater(len(want), 40)
            self.assertTrue(any(k.dport == int(CLOSED_PORT) and f[0] > 1000 for k, f in want.items()))
            egress = sum(f[0] for k, f in want.items() if k.egress)
            self.assertLess(self.buffers_sent(lab), egress / 5, "the egress hook was to see super-packets")
            self.assertEqual(self.dropped(lab), before, "the veth dropped packets: no common truth")
            self.assertEqual(got, want)
            self.assertRegex(says, r"lost_packets=0 .*balance=ok")


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA, HOOK = os.path.abspath(sys.argv[1]), sys.argv[2]
    unittest.main(argv=sys.argv[:1], verbosity=2)
