#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""tun.py NAME [TRAILING]: makes a tun device, and answers each echo request that is sent into it.

With TRAILING, so many bytes follow each answer, as a cipher's padding would, and before it comes the same with an IP length
above the frame.
"""

import fcntl
import os
import struct
import sys

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def answer(p):
    """The echo reply, or None. Swapping two addresses leaves the checksums as they are; the type changes them."""
    if p[0] >> 4 == 4 and p[9] == 1 and p[20] == 8:
        head, icmp, kind, step = p[:12] + p[16:20] + p[12:16], p[20:], 0, 0x0800
    elif p[0] >> 4 == 6 and p[6] == 58 and p[40] == 128:
        head, icmp, kind, step = p[:8] + p[24:40] + p[8:24], p[40:], 129, -0x0100
    else:
        return None
    total = struct.unpack("!H", icmp[2:4])[0] + step
    total = (total & 0xFFFF) + (total >> 16)
    return head + bytes([kind]) + icmp[1:2] + struct.pack("!H", total & 0xFFFF) + icmp[4:]


tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", sys.argv[1].encode(), IFF_TUN | IFF_NO_PI))
trailing = bytes(int(sys.argv[2])) if len(sys.argv) > 2 else b""
print("ready", flush=True)
while True:
    reply = answer(os.read(tun, 65536))
    if reply and trailing:
        at = 2 if reply[0] >> 4 == 4 else 4
        os.write(tun, reply[:at] + b"\xff\xff" + reply[at + 2:])
    if reply:
        os.write(tun, reply + trailing)
