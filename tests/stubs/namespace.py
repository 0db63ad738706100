# SPDX-License-Identifier: MIT
"""Namespaces for this process and its children; they end with them."""
import ctypes
import os
import subprocess
import tempfile

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000
MS_REC = 1 << 14
MS_PRIVATE = 1 << 18
libc = ctypes.CDLL(None, use_errno=True)


def enter():
    """Gets a network namespace. Returns None, or why that failed."""
    if libc.unshare(CLONE_NEWNET):
        return f"cannot make a network namespace ({os.strerror(ctypes.get_errno())}): run as root"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return None


def _outermost():
    """Changes to the root of all mounts of this process, also from a chroot."""
    here = os.stat(".")
    while True:
        os.chdir("..")
        above = os.stat(".")
        if os.path.samestat(here, above):
            break
        here = above
    os.chroot(".")


def enter_mounts():
    """Gets mounts that nobody else sees. Returns None, or why that failed.

    Only a mount point can be made private, and the root of a chroot need not be one. So this is done from outside,
    and the process returns into the chroot."""
    if libc.unshare(CLONE_NEWNS):
        return f"cannot make a mount namespace ({os.strerror(ctypes.get_errno())}): run as root"
    root, folder = (os.open(path, os.O_PATH | os.O_DIRECTORY) for path in ("/", "."))
    with tempfile.TemporaryDirectory() as inner:
        os.chdir("/")
        os.chroot(inner)  # now "/" is outside of the root, and ".." does not stop at it
        _outermost()
        failed = libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) and ctypes.get_errno()
        os.fchdir(root)
        os.chroot(".")
        os.fchdir(folder)
    return f"cannot make mounts private: {os.strerror(failed)}" if failed else None
