# SPDX-License-Identifier: MIT
"""Reads a capture with tshark: packets, IP bytes, flags and times for each 5-tuple and direction."""

import subprocess
from collections import namedtuple

Key = namedtuple("Key", "src dst sport dport proto egress")

FIELDS = ("frame.time_epoch", "frame.protocols", "eth.src", "ip.src", "ip.dst", "ip.len", "ip.proto", "ipv6.src",
          "ipv6.dst", "ipv6.plen", "tcp.srcport", "tcp.dstport", "tcp.flags", "udp.srcport", "udp.dstport",
          "icmpv6.type", "geneve.vni")
FIN, SYN, RST, ACK = 1, 2, 4, 16


class Flow:
    def __init__(self):
        self.packets = self.bytes = self.flags = self.raw_flags = 0
        self.first = self.last = None
        self.vni = None

    def add(self, packets, size, flags, first, last):
        self.packets += packets
        self.bytes += size
        self.flags |= flags
        self.first = first if self.first is None else min(first, self.first)
        self.last = last if self.last is None else max(last, self.last)


def aws_flags(raw):
    return (raw & (FIN | SYN | RST)) | (ACK if raw & SYN and raw & ACK else 0)


def pick(row, name, index):
    values = row[name].split(",")
    return values[index]


def network_layer(row, layers):
    """Returns (layer name, occurrence, position) of the packet that counts: the innermost one."""
    for at, layer in enumerate(layers):
        if layer in ("icmp", "icmpv6"):
            layers = layers[:at + 1]  # an error quotes the packet that it is about, tunnel and all
            break
    tunnels = [at for at, layer in enumerate(layers) if layer in ("geneve", "vxlan")]
    for start in (*reversed(tunnels), 0):  # an outer packet counts when there is no IP inside
        for at in range(start, len(layers)):
            if layers[at] in ("ip", "ipv6"):
                return layers[at], layers[:at].count(layers[at]), at
    return None


def read_row(row, host_mac):
    layers = row["frame.protocols"].split(":")
    found = network_layer(row, layers)
    if not found:
        return None
    name, n, at = found
    below = layers[at + 1:]
    proto = None
    sport = dport = flags = 0
    if name == "ip":
        size = int(pick(row, "ip.len", n))
        proto = int(pick(row, "ip.proto", n))
    else:
        size = int(pick(row, "ipv6.plen", n)) + 40
        proto = {"tcp": 6, "udp": 17, "icmpv6": 58}[below[0]]
    if proto == 6:
        k = layers[:at].count("tcp")
        sport, dport = int(pick(row, "tcp.srcport", k)), int(pick(row, "tcp.dstport", k))
        flags = int(pick(row, "tcp.flags", k), 16)
    elif proto == 17:
        k = layers[:at].count("udp")
        sport, dport = int(pick(row, "udp.srcport", k)), int(pick(row, "udp.dstport", k))
    key = Key(pick(row, name + ".src", n), pick(row, name + ".dst", n), sport, dport, proto,
              row["eth.src"].split(",")[0] == host_mac)
    return key, size, flags, float(row["frame.time_epoch"]), row["geneve.vni"]


def flows_of(pcap, host_mac, tunnel_port=6081):
    args = ["tshark", "-n", "-r", pcap, "-d", f"udp.port=={tunnel_port},geneve", "-T", "fields", "-E", "separator=|",
            "-E", "occurrence=a"]
    for f in FIELDS:
        args += ["-e", f]
    out = subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    flows = {}
    for line in out.splitlines():
        row = dict(zip(FIELDS, line.split("|")))
        if row["icmpv6.type"] and 130 <= int(row["icmpv6.type"].split(",")[0]) <= 143:
            continue  # neighbour discovery and the like: messages of the kernels
        got = read_row(row, host_mac)
        if not got:
            continue
        key, size, flags, when, vni = got
        f = flows.setdefault(key, Flow())
        f.add(1, size, aws_flags(flags) if key.proto == 6 else 0, when, when)
        f.raw_flags |= flags & 0xff
        f.vni = int(vni, 16) if vni else None
    return flows
