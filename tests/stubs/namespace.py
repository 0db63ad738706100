# SPDX-License-Identifier: MIT
"""A network namespace for this process and its children, gone with them."""
import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000


def enter():
    """None, or why there is none."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET):
        return f"cannot make a network namespace ({os.strerror(ctypes.get_errno())}): run as root"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return None
