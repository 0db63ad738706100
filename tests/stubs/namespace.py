# SPDX-License-Identifier: MIT
"""Namespaces for this process and its children, gone with them."""
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
    """A network of its own: None, or why there is none."""
    if libc.unshare(CLONE_NEWNET):
        return f"cannot make a network namespace ({os.strerror(ctypes.get_errno())}): run as root"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return None


def _outermost():
    """Goes to the root of all mounts that this process has, also from a chroot."""
    here = os.stat(".")
    while True:
        os.chdir("..")
        above = os.stat(".")
        if os.path.samestat(here, above):
            break
        here = above
    os.chroot(".")


def enter_mounts():
    """Mounts of its own, of which nobody else sees any: None, or why there are none.

    Only a mount point can be made private, and the root of a chroot need not be one: it is done from outside, and
    the process goes back in."""
    if libc.unshare(CLONE_NEWNS):
        return f"cannot make a mount namespace ({os.strerror(ctypes.get_errno())}): run as root"
    root, folder = (os.open(path, os.O_PATH | os.O_DIRECTORY) for path in ("/", "."))
    with tempfile.TemporaryDirectory() as inner:
        os.chdir("/")
        os.chroot(inner)  # now "/" lies outside of the root, and ".." does not end at it
        _outermost()
        failed = libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) and ctypes.get_errno()
        os.fchdir(root)
        os.chroot(".")
        os.fchdir(folder)
    return f"cannot make mounts private: {os.strerror(failed)}" if failed else None
