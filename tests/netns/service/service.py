#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The agent under a service manager, and its unit: service.py FFFA TREE"""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "views")]
import lab as L  # noqa: E402
import netns_fixture as fixture  # noqa: E402

FFFA, HOOK = "", ""  # HOOK is the tree
CONFIG = """
capture: {{interfaces: [v0]}}
metadata: {{imds: {{enabled: off}}}}
spool_dir: ""
status: {{listen: ""}}
shutdown_timeout: 3s
sinks: [{{name: json, type: file, format: json, path: {dir}/flows.json}}]
"""


class Manager:
    """Listens as systemd does."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(20)

    def next(self, wanted):
        """Returns the first message from now on with a line that begins so."""
        while True:
            text = self.socket.recv(4096).decode()
            lines = dict(line.split("=", 1) for line in text.splitlines())
            if wanted in lines:
                return lines


class Notify(unittest.TestCase):
    def setUp(self):
        self.lab = L.Lab(offloads=False)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)

    def agent(self, address, *env):
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir))
        return self.lab.start(self.lab.host, "agent", "env", "NOTIFY_SOCKET=" + address, *env, FFFA, "run", "-c", config)

    def test_life(self):
        path = self.lab.file("notify")
        manager = Manager(path)
        self.addCleanup(manager.socket.close)
        agent = self.agent(path, "WATCHDOG_USEC=300000")
        ready = manager.next("READY")
        self.assertRegex(ready["STATUS"], r"^1 interfaces, \d+ flows, \d of 1 sinks up, 0 packets lost$")
        # The log has a thread of its own.
        L.await_true("hooks", lambda: "attached interface=v0" in agent.text(agent.err))
        for _ in range(3):
            self.assertEqual(manager.next("WATCHDOG")["WATCHDOG"], "1")
        agent.p.send_signal(signal.SIGHUP)
        self.assertRegex(manager.next("RELOADING")["MONOTONIC_USEC"], r"^\d+$")
        self.assertEqual(manager.next("READY")["READY"], "1")
        self.lab.file("fffa.yaml", "nonsense: 1\n")
        agent.p.send_signal(signal.SIGHUP)
        manager.next("RELOADING")
        manager.next("READY")  # with the configuration of before
        agent.p.send_signal(signal.SIGTERM)
        self.assertEqual(manager.next("STOPPING")["EXTEND_TIMEOUT_USEC"], "8000000")
        self.assertEqual(agent.p.wait(20), 0)

    def test_abstract_socket_and_a_watchdog_of_another(self):
        name = f"fffa-test-{os.getpid()}"
        # An abstract name belongs to a network namespace: the listener is made in the agent's.
        with open(f"/run/netns/{self.lab.host}", encoding="ascii") as there, open("/proc/self/ns/net",
                                                                                   encoding="ascii") as here:
            enter(there.fileno())
            try:
                manager = Manager("\0" + name)
            finally:
                enter(here.fileno())
        self.addCleanup(manager.socket.close)
        self.agent("@" + name, "WATCHDOG_PID=1", "WATCHDOG_USEC=300000")
        ready = manager.next("READY")
        self.assertNotIn("WATCHDOG", ready)
        self.assertNotIn("WATCHDOG", manager.next("STATUS"))

    def test_journal(self):
        """Priorities where standard error is the journal, and nowhere else."""
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir))
        for ours in (True, False):
            with open(self.lab.file("journal"), "w+", encoding="utf-8") as err:
                st = os.fstat(err.fileno())
                stream = f"{st.st_dev}:{st.st_ino if ours else st.st_ino + 1}"
                p = subprocess.Popen(["ip", "netns", "exec", self.lab.host, "env", "JOURNAL_STREAM=" + stream, FFFA, "run",
                                      "-c", config], stderr=err, stdout=subprocess.DEVNULL)
                self.addCleanup(p.kill)
                L.await_true("start", lambda: "kernel table ready" in open_text(self.lab.file("journal")))
                p.send_signal(signal.SIGTERM)
                self.assertEqual(p.wait(20), 0)
            for line in open_text(self.lab.file("journal")).splitlines():
                self.assertEqual(bool(re.match(r"<[3467]>\d{4}-", line)), ours, line)


def enter(namespace):
    if ctypes.CDLL(None, use_errno=True).setns(namespace, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def open_text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


class Unit(unittest.TestCase):
    """The unit as systemd reads it, offline."""

    @classmethod
    def setUpClass(cls):
        if not shutil.which("systemd-analyze"):
            raise unittest.SkipTest("no systemd-analyze")

    def setUp(self):
        self.dir = L.tempfile.TemporaryDirectory()
        self.addCleanup(self.dir.cleanup)
        text = open_text(os.path.join(HOOK, "docker/service/fffa.service"))
        text = text.replace("@SBINDIR@/fffa", FFFA).replace("@SYSCONFDIR@", "/etc")
        self.unit = os.path.join(self.dir.name, "fffa.service")
        with open(self.unit, "w", encoding="utf-8") as f:
            f.write(text)

    def test_is_confined(self):
        out = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=20", self.unit],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(out.returncode, 0, out.stdout)

    def test_is_valid(self):
        out = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", self.unit],
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual((out.returncode, out.stdout), (0, ""))


if __name__ == "__main__":
    fixture.main(unittest, sys.modules[__name__])
