# SPDX-License-Identifier: MIT
"""Puts fragments together from tshark's reading of each single frame."""
import collections
import subprocess

FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "ip.proto", "ip.len", "ip.id", "ip.frag_offset", "ip.flags.mf",
          "ipv6.src", "ipv6.dst", "ipv6.plen", "ipv6.nxt", "ipv6.fraghdr.nxt", "ipv6.fraghdr.ident",
          "ipv6.fraghdr.offset", "ipv6.fraghdr.more", "udp.srcport", "udp.dstport")
LIFE_S = 30


def read(row):
    """Reads addresses, protocol, IP bytes, identification, offset and the more-fragments flag of each frame."""
    if row["ip.src"]:
        return (row["ip.src"], row["ip.dst"], row["ip.proto"], int(row["ip.len"]), int(row["ip.id"], 0),
                int(row["ip.frag_offset"]), row["ip.flags.mf"] in ("1", "True"))
    proto, ident, offset, more = row["ipv6.nxt"], 0, 0, False
    if proto == "44":
        proto, ident = row["ipv6.fraghdr.nxt"], int(row["ipv6.fraghdr.ident"], 0)
        offset, more = int(row["ipv6.fraghdr.offset"]), row["ipv6.fraghdr.more"] in ("1", "True")
    return row["ipv6.src"], row["ipv6.dst"], proto, 40 + int(row["ipv6.plen"]), ident, offset, more


def sums_of(path):
    """Returns {(source, destination, source port, destination port, protocol): (packets, bytes)}, the keys as texts, and
    how many later fragments came without their first one. Ports of UDP only."""
    args = ["tshark", "-n", "-r", path, "-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE", "-T", "fields", "-E",
            "separator=|", "-E", "occurrence=f"]
    for name in FIELDS:
        args += ["-e", name]
    out = subprocess.run(args, capture_output=True, text=True, check=True, timeout=120).stdout
    firsts, sums, orphans = {}, collections.defaultdict(lambda: [0, 0]), 0
    for line in out.splitlines():
        row = dict(zip(FIELDS, line.split("|")))
        if not row["ip.src"] and not row["ipv6.src"]:
            continue
        src, dst, proto, size, ident, offset, more = read(row)
        datagram, now = (src, dst, proto, ident), float(row["frame.time_epoch"])
        ports = row["udp.srcport"] or "0", row["udp.dstport"] or "0"
        if offset:
            ports, since = firsts.get(datagram, (None, 0))
            if ports is None or now - since > LIFE_S:
                ports = "0", "0"
                orphans += 1
        elif more:
            firsts[datagram] = ports, now
        sums[(src, dst, *ports, proto)][0] += 1
        sums[(src, dst, *ports, proto)][1] += size
    return {key: tuple(v) for key, v in sums.items()}, orphans
