# SPDX-License-Identifier: MIT
"""tcx.py DEVICE: prints how many programs are on its TCX hooks, "ingress egress", or "none" if the kernel has no TCX.

It asks the kernel (BPF_PROG_QUERY), because tools older than Linux 6.6 do not show these hooks.
"""

import ctypes
import errno
import platform
import socket
import sys

NUMBER = {"x86_64": 321, "aarch64": 280}[platform.machine()]
PROG_QUERY, TCX_INGRESS, TCX_EGRESS = 16, 46, 47


class Query(ctypes.Structure):
    _fields_ = [("ifindex", ctypes.c_uint32), ("attach_type", ctypes.c_uint32), ("query_flags", ctypes.c_uint32),
                ("attach_flags", ctypes.c_uint32), ("ids", ctypes.c_uint64), ("count", ctypes.c_uint32),
                ("pad", ctypes.c_uint32), ("rest", ctypes.c_uint64 * 4)]


def count(ifindex, attach_type):
    libc = ctypes.CDLL(None, use_errno=True)
    ids = (ctypes.c_uint32 * 64)()
    q = Query(ifindex=ifindex, attach_type=attach_type, ids=ctypes.addressof(ids), count=64)
    if libc.syscall(NUMBER, PROG_QUERY, ctypes.byref(q), ctypes.sizeof(q)):
        if ctypes.get_errno() == errno.ENOENT:
            return 0
        raise OSError(ctypes.get_errno(), "BPF_PROG_QUERY")
    return q.count


try:
    index = socket.if_nametoindex(sys.argv[1])
    print(count(index, TCX_INGRESS), count(index, TCX_EGRESS))
except OSError as e:
    if e.errno != errno.EINVAL:
        raise
    print("none")
