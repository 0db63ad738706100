#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa and tshark count the same packets and bytes for each 5-tuple of thousands of random packets."""
import collections
import json
import random
import shutil
import subprocess
import unittest

import frames as f
import program

PACKETS = 5000
FIELDS = ("frame.protocols", "ip.src", "ip.dst", "ip.proto", "ip.len", "ipv6.src", "ipv6.dst", "ipv6.plen", "tcp.srcport",
          "tcp.dstport", "udp.srcport", "udp.dstport", "sctp.srcport", "sctp.dstport")


def random_packet(rng):
    v6 = rng.random() < 0.4
    a, b = [f"fd00::{rng.randint(1, 9)}" if v6 else f"10.0.0.{rng.randint(1, 9)}" for _ in range(2)]
    kind, size = rng.choice("ttttuuuios"), rng.choice((0, 1, 7, 100, 1200))
    sport, dport = rng.randint(40000, 40005), rng.choice((30001, 30002))
    if kind == "t":
        packet = f.ip(a, b, 6, f.tcp(sport, dport, rng.choice((0x02, 0x12, 0x10, 0x18)), size))
    elif kind == "u":
        packet = f.ip(a, b, 17, f.udp(sport, dport, bytes(size)))
    elif kind == "i":
        packet = f.ip(a, b, 58 if v6 else 1, f.icmp(128 if v6 else 8, 0, size))
    elif kind == "s":
        packet = f.ip(a, b, 132, f.sctp(sport, dport))
    else:
        packet = f.ip(a, b, 253, bytes(size))  # for experiments: fffa does not parse it
    if rng.random() < 0.8:
        return packet
    if v6:
        return f.with_extensions(packet, rng.choice(((0,), (60,), (0, 43), (0, 60, 43, 60), (0, 60, 60))))
    return f.with_options(packet, rng.randint(1, 10))


def random_capture(seed):
    rng, ns, out = random.Random(seed), 1_700_000_000 * 10**9, []
    for _ in range(PACKETS):
        packet = random_packet(rng)
        ns += rng.randint(0, 60_000_000)
        tunnel = rng.random()
        if tunnel < 0.2:  # a mirrored packet
            packet = f.ip("10.8.0.1", "10.8.0.2", 17, f.udp(60001, 4789, f.vxlan(f.eth(packet), 42)))
        if 0.1 < tunnel < 0.3:  # through the load balancer
            packet = f.ip("10.9.0.1", "10.9.0.2", 17, f.udp(60000, 6081, f.geneve(packet, f.gwlb(1, 2, 3))))
        tags = rng.choice(((), (), (0x8100,), (0x88A8, 0x8100)))
        out.append((ns, f.eth(packet, tags)))
    return out


def by_tshark(path):
    args = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-T", "fields", "-E", "occurrence=a", "-E",
            "separator=/t", "-E", "aggregator=,"]
    for name in FIELDS:
        args += ["-e", name]
    done = subprocess.run(args, capture_output=True, text=True, check=True, timeout=120)
    sums = collections.defaultdict(lambda: [0, 0])
    for text in done.stdout.splitlines():
        key, size = innermost(dict(zip(FIELDS, text.split("\t"))))
        sums[key][0] += 1
        sums[key][1] += size
    return sums


def innermost(row):
    """Returns the last IP header of the frame, and the ports behind it."""
    chain = row["frame.protocols"].split(":")
    last = max(i for i, name in enumerate(chain) if name in ("ip", "ipv6"))
    field = {name: value.split(",")[-1] for name, value in row.items()}
    ports = ("0", "0")
    if "tcp" in chain[last:]:
        ports = field["tcp.srcport"], field["tcp.dstport"]
    elif "udp" in chain[last:]:
        ports = field["udp.srcport"], field["udp.dstport"]
    elif "sctp" in chain[last:]:
        ports = field["sctp.srcport"], field["sctp.dstport"]
    if chain[last] == "ip":
        proto = field["ip.proto"]
        return (field["ip.src"], field["ip.dst"], *ports, proto), int(field["ip.len"])
    proto = next((number for name, number in (("tcp", "6"), ("udp", "17"), ("icmpv6", "58"), ("sctp", "132")) if name in chain[last:]),
                 "253")
    return (field["ipv6.src"], field["ipv6.dst"], *ports, proto), 40 + int(field["ipv6.plen"])


class Tshark(program.Case):
    def by_fffa(self, path):
        conf = self.file("fffa.yaml", 'sinks: [{name: out, type: file, path: "-", format: json}]\n')
        done = program.fffa("replay", "-c", conf, path)
        self.assertEqual(done.returncode, 0, done.stderr)
        books = program.ledger(done.stderr)
        self.assertEqual((books["balance"], books["seen_packets"], books["recorded_packets"]), ("ok", PACKETS, PACKETS))
        sums = collections.defaultdict(lambda: [0, 0])
        for text in done.stdout.splitlines():
            one = json.loads(text)
            key = tuple(str(one.get(name, 0)) for name in ("srcaddr", "dstaddr", "srcport", "dstport", "protocol"))
            sums[key][0] += one["packets"]
            sums[key][1] += one["bytes"]
        return sums

    def test_the_sums_are_the_same(self):
        for seed, make in ((1, f.pcap), (2, f.pcapng)):
            with self.subTest(seed=seed):
                path = self.file(f"{seed}.pcap", make(random_capture(seed)))
                want = by_tshark(path)
                self.assertEqual(sum(packets for packets, _ in want.values()), PACKETS)
                self.assertGreater(len(want), 500)
                self.assertEqual(self.by_fffa(path), want)


if __name__ == "__main__":
    if not shutil.which("tshark"):
        program.skip_all("tshark is not installed")
    unittest.main()
