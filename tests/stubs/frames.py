# SPDX-License-Identifier: MIT
"""Frames and capture files, written byte by byte, without a library."""
import socket
import struct

EN10MB, RAW, SLL = 1, 101, 113
ETHER = b"\x02\x00\x00\x00\x00\x02\x02\x00\x00\x00\x00\x01"


def is_v6(addr):
    return ":" in addr


def ip(src, dst, proto, payload):
    if is_v6(src):
        head = struct.pack("!IHBB", 0x60000000, len(payload), proto, 64)
        return head + socket.inet_pton(socket.AF_INET6, src) + socket.inet_pton(socket.AF_INET6, dst) + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 0, 0, 64, proto, 0)
    return head + socket.inet_aton(src) + socket.inet_aton(dst) + payload


def with_options(packet, words):
    """Returns the IPv4 packet with so many words of options (no-operation)."""
    out = bytearray(packet[:20] + b"\x01" * (4 * words) + packet[20:])
    out[0] += words
    out[2:4] = struct.pack("!H", len(out))
    return bytes(out)


def with_extensions(packet, kinds):
    """Returns the IPv6 packet with one extension header of each kind (0, 43, 60), 8 or 16 bytes long, in that order."""
    chain, following = b"", packet[6]
    for at, kind in reversed(list(enumerate(kinds))):
        size = 8 * (1 + at % 2)
        pad = bytes([1, size - 4]) + bytes(size - 4) if kind != 43 else bytes(size - 2)
        chain = bytes([following, size // 8 - 1]) + pad + chain
        following = kind
    return packet[:4] + struct.pack("!HB", len(packet) - 40 + len(chain), following) + packet[7:40] + chain + packet[40:]


def fragments(src, dst, proto, payload, ident, size):
    """Returns the datagram as IP fragments of size bytes (a multiple of 8), in their order."""
    out = []
    for at in range(0, len(payload), size):
        part, more = payload[at:at + size], at + size < len(payload)
        if is_v6(src):
            out.append(ip(src, dst, 44, struct.pack("!BBHI", proto, 0, at | more, ident) + part))
        else:
            whole = bytearray(ip(src, dst, proto, part))
            whole[4:8] = struct.pack("!HH", ident & 0xFFFF, more << 13 | at // 8)
            out.append(bytes(whole))
    return out


def eth(packet, tags=()):
    """tags: VLAN ether types (0x88a8, 0x8100) from the outside in."""
    vlan = b"".join(struct.pack("!HH", tag, 7) for tag in tags)
    return ETHER + vlan + (b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\x00") + packet


def tcp(sport, dport, flags, size=0):
    return struct.pack("!HHIIBBHHH", sport, dport, 0, 0, 0x50, flags, 1000, 0, 0) + bytes(size)


def udp(sport, dport, payload=b""):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def sctp(sport, dport):
    """A COOKIE ACK chunk behind the common header."""
    return struct.pack("!HHII", sport, dport, 1, 0) + struct.pack("!BBH", 11, 0, 4)


def icmp(kind, code, size=0):
    return struct.pack("!BBHHH", kind, code, 0, 1, 1) + bytes(size)


def geneve(packet, options=b"", vni=0):
    proto = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return struct.pack("!BBHI", len(options) // 4, 0, proto, vni << 8) + options + packet


def vxlan(frame, vni):
    return struct.pack("!BxxxI", 8, vni << 8) + frame


def gwlb(endpoint, attachment, cookie):
    return (struct.pack("!HBBQ", 0x0108, 1, 2, endpoint) + struct.pack("!HBBQ", 0x0108, 2, 2, attachment)
            + struct.pack("!HBBI", 0x0108, 3, 1, cookie))


def pcap(frames, linktype=EN10MB):
    """frames: (Unix ns, bytes) pairs. A file with nanosecond times."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, linktype)]
    for ns, data in frames:
        out.append(struct.pack("<IIII", ns // 10**9, ns % 10**9, len(data), len(data)) + data)
    return b"".join(out)


def block(kind, body):
    body += bytes(-len(body) % 4)
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def pcapng(frames, linktype=EN10MB):
    """The same as pcapng, with one interface and times in nanoseconds."""
    out = [block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)),
           block(1, struct.pack("<HHI", linktype, 0, 65535) + struct.pack("<HHBxxx", 9, 1, 9) + bytes(4))]
    for ns, data in frames:
        out.append(block(6, struct.pack("<IIIII", 0, ns >> 32, ns & 0xFFFFFFFF, len(data), len(data)) + data))
    return b"".join(out)
