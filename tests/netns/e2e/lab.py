# SPDX-License-Identifier: MIT
"""Two network namespaces joined by a veth pair, and processes in them, with conditions to wait for instead of sleeps."""

import contextlib
import os
import re
import signal
import subprocess
import tempfile
import time

HOST4, PEER4 = "10.9.0.1", "10.9.0.2"
HOST6, PEER6 = "fd09::1", "fd09::2"
HOST_MAC, PEER_MAC = "02:00:00:00:00:01", "02:00:00:00:0a:02"
METADATA = "169.254.169.254"


class Failed(Exception):
    pass


def sh(*args, **kw):
    return subprocess.run(args, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **kw).stdout


WAIT_S = 60  # for anything that is immediate on an idle machine


def await_true(what, probe, seconds=WAIT_S):
    end = time.monotonic() + seconds
    while True:
        got = probe()
        if got:
            return got
        if time.monotonic() > end:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.02)


class Process:
    """A child whose output is in a file that can be searched while it runs."""

    def __init__(self, lab, name, args):
        self.out = os.path.join(lab.dir, name + ".out")
        self.err = os.path.join(lab.dir, name + ".err")
        with open(self.out, "wb") as o, open(self.err, "wb") as e:
            self.p = subprocess.Popen(args, stdout=o, stderr=e, stdin=subprocess.DEVNULL)

    def text(self, path):
        with open(path, errors="replace") as f:
            return f.read()

    def await_line(self, pattern, seconds=WAIT_S):
        def probe():
            found = re.search(pattern, self.text(self.err) + self.text(self.out))
            if not found and self.p.poll() is not None:
                raise Failed(f"ended with {self.p.returncode}: {self.text(self.err)}{self.text(self.out)}")
            return found
        return await_true(f"line {pattern!r}", probe, seconds)

    def end(self, sig=signal.SIGTERM, seconds=WAIT_S):
        if self.p.poll() is None:
            self.p.send_signal(sig)
        return self.p.wait(seconds)


class Lab(contextlib.ExitStack):
    def __init__(self, offloads):
        super().__init__()
        self.host, self.peer = f"fffa-h{os.getpid()}", f"fffa-p{os.getpid()}"
        self.offloads = offloads
        self.dir = None

    def __enter__(self):
        super().__enter__()
        self.dir = self.enter_context(tempfile.TemporaryDirectory())
        for ns in (self.host, self.peer):
            sh("ip", "netns", "add", ns)
            self.callback(subprocess.run, ["ip", "netns", "del", ns], check=False)
        sh("ip", "link", "add", "v0", "netns", self.host, "address", HOST_MAC, "type", "veth",
           "peer", "name", "v1", "netns", self.peer, "address", PEER_MAC)
        self.side(self.host, "v0", HOST4, HOST6, PEER4, PEER6, PEER_MAC)
        self.side(self.peer, "v1", PEER4, PEER6, HOST4, HOST6, HOST_MAC)
        sh("ip", "-n", self.host, "addr", "add", METADATA + "/32", "dev", "lo")
        return self

    def side(self, ns, dev, addr4, addr6, other4, other6, other_mac):
        # Neighbours are known and nothing is autoconfigured, so the wire has only what a test sends.
        for key in ("accept_dad=0", "autoconf=0", "accept_ra=0", "router_solicitations=0"):
            sh("ip", "netns", "exec", ns, "sysctl", "-qw", f"net.ipv6.conf.{dev}.{key}")
        if not self.offloads:
            sh("ip", "netns", "exec", ns, "ethtool", "-K", dev, "tso", "off", "gso", "off", "gro", "off")
        sh("ip", "-n", ns, "link", "set", "lo", "up")
        sh("ip", "-n", ns, "link", "set", dev, "up")
        sh("ip", "-n", ns, "addr", "add", addr4 + "/24", "dev", dev)
        sh("ip", "-n", ns, "addr", "add", addr6 + "/64", "dev", dev, "nodad")
        for other in (other4, other6):
            sh("ip", "-n", ns, "neigh", "replace", other, "lladdr", other_mac, "dev", dev, "nud", "permanent")

    def run(self, ns, *args):
        return sh("ip", "netns", "exec", ns, *args)

    def start(self, ns, name, *args):
        p = Process(self, name, ["ip", "netns", "exec", ns, *args])
        self.callback(p.end, signal.SIGKILL)
        return p

    def file(self, name, text=None):
        path = os.path.join(self.dir, name)
        if text is not None:
            with open(path, "w") as f:
                f.write(text)
        return path


class Iperf:
    """Runs a server on the peer and clients on the host, one after the other. Each waits until the server is free again."""

    def __init__(self, lab):
        self.lab, self.tests = lab, 0
        self.server = lab.start(lab.peer, "iperf", "iperf3", "-s", "--forceflush")

    def run(self, *args):
        self.tests += 1
        self.server.await_line(rf"Server listening on \d+ \(test #{self.tests}\)")
        return self.lab.run(self.lab.host, "iperf3", *args)
