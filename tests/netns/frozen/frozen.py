#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A disk that stands still takes nothing along but its own sinks: frozen.py FFFA FLOOD

The disk is a file system on a loop device, frozen with fsfreeze. A thread that writes to it waits until the thaw, and no
signal ends it. So a process that has called exit stays a zombie until then, which is what the test looks for.
"""

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "..", "stubs")]
import collector  # noqa: E402
import lab as L  # noqa: E402
import namespace  # noqa: E402

FFFA, FLOOD = "", ""
SHUTDOWN_S = 5  # a busy machine takes seconds for what the healthy sink holds
END_S = SHUTDOWN_S + 1  # the promise: the final ledger is out and exit called
CONFIG = f"""
capture: {{{{interfaces: [v0], drain_interval: 100ms}}}}
flows: {{{{idle_timeout: 500ms, active_timeout: 1s}}}}
metadata: {{{{imds: {{{{enabled: off}}}}}}}}
status: {{{{listen: "unix:{{dir}}/status.sock"}}}}
spool_dir: {{disk}}/spool
shutdown_timeout: {SHUTDOWN_S}s
sinks:
  - {{{{name: good, type: http, url: "http://127.0.0.1:18080/", format: json, compress: gzip, batch: {{{{age: 200ms}}}}}}}}
  - {{{{name: spooled, type: http, url: "http://127.0.0.1:18081/", format: json, compress: gzip, batch: {{{{age: 200ms}}}}, queue: {{{{spool: 16MiB}}}}}}}}
"""
LATE_SINK = """  - {{name: late, type: http, url: "http://127.0.0.1:18081/", format: json, batch: {{age: 200ms}}, queue: {{spool: 16MiB}}}}
"""
FROZEN_SINK = "  - {{name: bad{n}, type: file, path: {disk}/file{n}, format: vpc, batch: {{age: 200ms}}, {more}}}\n"


class Disk:
    """A file system that can be frozen."""

    def __init__(self, lab):
        image = lab.file("image")
        self.path = lab.file("disk")
        self.watchdogs = []
        os.mkdir(self.path)
        with open(image, "wb") as f:
            f.truncate(64 << 20)
        L.sh("mkfs.ext4", "-q", image)
        L.sh("mount", "-o", "loop", image, self.path)
        lab.callback(subprocess.run, ["umount", self.path], check=False)
        lab.callback(lambda: [watchdog.close() for watchdog in self.watchdogs])
        lab.callback(self.thaw)

    def freeze(self):
        """Whatever becomes of the test, also when it is killed, the end of its pipe thaws the file system."""
        watchdog = subprocess.Popen(["setsid", "--fork", "sh", "-c", 'cat; fsfreeze -u "$0" 2>/dev/null', self.path],
                                    stdin=subprocess.PIPE)
        watchdog.wait()
        self.watchdogs.append(watchdog.stdin)
        L.sh("fsfreeze", "-f", self.path)

    def thaw(self):
        subprocess.run(["fsfreeze", "-u", self.path], check=False, stderr=subprocess.DEVNULL)


def get(path, page):
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(60)
        s.connect(path)
        s.sendall(f"GET {page} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := s.recv(65536):
            answer += chunk
    head, body = answer.split(b"\r\n\r\n", 1)
    return head.split(b"\r\n")[0].decode(), body.decode()


def has_exited(pid):
    """The main thread is gone; others may be stuck in the kernel."""
    try:
        with open(f"/proc/{pid}/task/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


class Frozen(unittest.TestCase):
    def setUp(self):
        self.lab = L.Lab(offloads=False)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        self.disk = Disk(self.lab)
        self.good, self.spooled = (collector.Collector(("127.0.0.1", port), netns=self.lab.host) for port in (18080, 18081))
        self.addCleanup(self.good.close)
        self.addCleanup(self.spooled.close)

    def start(self, sinks, more="sync: none", shutdown_s=SHUTDOWN_S):
        text = CONFIG.format(dir=self.lab.dir, disk=self.disk.path)
        text = text.replace(f"shutdown_timeout: {SHUTDOWN_S}s", f"shutdown_timeout: {shutdown_s}s")
        text += "".join(FROZEN_SINK.format(n=n, disk=self.disk.path, more=more) for n in range(sinks))
        config = self.lab.file("fffa.yaml", text)
        self.agent = self.lab.start(self.lab.host, "agent", FFFA, "run", "-c", config)
        self.agent.await_line("kernel table ready")
        self.flood = self.lab.start(self.lab.host, "flood", FLOOD, L.PEER4, "100000", "2000", "60")
        L.await_true("records at the healthy sink", lambda: len(self.good.records()) > 100)
        files = [f"{self.disk.path}/file{n}" for n in range(sinks)]  # opened by the sinks' threads
        L.await_true("records in each file", lambda: all(os.path.exists(path) and os.path.getsize(path) for path in files))

    def status(self):
        return json.loads(get(self.lab.file("status.sock"), "/status")[1])

    def expect_life(self):
        """The drain, the healthy sink and the status pages go on."""
        before = len(self.good.records())
        end = time.monotonic() + 3
        while time.monotonic() < end:
            began = time.monotonic()
            self.assertIn(" 200 ", get(self.lab.file("status.sock"), "/healthz")[0])
            held = self.status()["ledger"]["packets"]["held"]
            self.assertLess(time.monotonic() - began, 10)  # not until the thaw
            self.assertLess(held, 20000)
            time.sleep(0.1)
        self.assertGreater(len(self.good.records()), before + 2000)

    def stop(self):
        """Returns the seconds from TERM until the process called exit, and what it said."""
        began = time.monotonic()
        self.agent.p.send_signal(signal.SIGTERM)
        L.await_true("the end", lambda: has_exited(self.agent.p.pid))
        took = time.monotonic() - began
        return took, self.agent.text(self.agent.err)

    def ledger(self, said, sink):
        line, = re.findall(rf"ledger: sink={sink} (.*)", said)
        self.assertIn("balance=ok", line)
        return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", line)}

    def expect_end(self, sinks, *others):
        took, said = self.stop()
        self.assertLessEqual(took, END_S, said)
        packets = [line for line in said.splitlines() if "ledger: seen_packets=" in line]
        self.assertEqual(len(packets), 1, said)
        self.assertIn("balance=ok", packets[0])
        self.assertIn("held_packets=0 ", packets[0])
        good = self.ledger(said, "good")
        self.assertEqual((good["delivered"], good["lost"], good["in_flight"]), (good["records"], 0, 0), said)
        self.assertEqual(len(self.good.records()), good["records"])
        for name in ["spooled", *(f"bad{n}" for n in range(sinks)), *others]:
            ledger = self.ledger(said, name)
            self.assertGreater(ledger["lost_shutdown"], 0, said)
            self.assertRegex(said, rf"warn +ledger: sink {name}: {ledger['lost']} records lost:.* shutdown=")
        self.disk.thaw()
        self.assertEqual(self.agent.p.wait(20), 0, said)

    def test_one_frozen_file(self):
        self.start(1)
        self.disk.freeze()
        self.expect_life()
        self.expect_end(1)

    def test_four_frozen_files_that_sync_and_reopen(self):
        """More than libuv's pool has threads. HUP opens files of the frozen disk again."""
        self.start(4, "sync: batch, rotate: {size: 64KiB}")
        self.disk.freeze()
        self.agent.p.send_signal(signal.SIGHUP)
        self.expect_life()
        self.expect_end(4)

    def test_sinks_that_hup_adds(self):
        """A file and a spool are opened while the others work, and never, as long as the disk stands still."""
        self.start(0)
        self.disk.freeze()
        with open(self.lab.file("fffa.yaml"), "a") as f:
            f.write(FROZEN_SINK.format(n=0, disk=self.disk.path, more="sync: none") + LATE_SINK.format())
        self.agent.p.send_signal(signal.SIGHUP)
        for name in ("bad0", "late"):
            self.agent.await_line(rf"sinks\[{name}\]: is added")
        self.expect_life()
        self.expect_end(1, "late")

    def test_a_start(self):
        """It says what it waits for and ends. Each needs the disk for something else: a file, the spools, one spool, the socket."""
        agents = []
        os.mkdir(f"{self.disk.path}/spooled")
        self.disk.freeze()
        for case, why in (("file", "sink bad0: .*file0: cannot be opened within 10 s"),
                          ("spools", "spool_dir: .* does not answer within 10 s"),
                          ("spool", "sink spooled: spool .*/spooled: its disk does not answer within 10 s"),
                          ("socket", "status.listen: the disk of .* does not answer within 10 s")):
            name = f"start-{case}"
            os.mkdir(self.lab.file(name))
            text = CONFIG.format(dir=self.disk.path if case == "socket" else self.lab.file(name),
                                 disk=self.disk.path if case == "spools" else self.lab.file(name))
            if case == "file":
                text += FROZEN_SINK.format(n=0, disk=self.disk.path, more="sync: none")
            elif case == "spool":
                os.mkdir(self.lab.file(f"{name}/spool"))
                os.symlink(f"{self.disk.path}/spooled", self.lab.file(f"{name}/spool/spooled"))
            config = self.lab.file(f"{name}.yaml", text)
            agents.append((self.lab.start(self.lab.host, name, FFFA, "run", "-c", config), why))
        for agent, why in agents:
            L.await_true("the end", lambda agent=agent: has_exited(agent.p.pid))
        self.disk.thaw()
        for agent, why in agents:
            self.assertEqual(agent.p.wait(20), 1)
            self.assertRegex(agent.text(agent.err), why)

    def test_a_status_socket(self):
        """HUP makes one on the frozen disk: never, and the old address stays. One that lies there keeps nobody from the end."""
        self.start(0)
        path = self.lab.file("fffa.yaml")
        with open(path) as f:
            text = f.read()
        self.listen(text, f"{self.disk.path}/status.sock")
        L.await_true("the new address", lambda: os.path.exists(f"{self.disk.path}/status.sock") and
                     not os.path.exists(self.lab.file("status.sock")))
        self.disk.freeze()
        before = len(self.good.records())
        self.listen(text, f"{self.disk.path}/other.sock")
        L.await_true("records meanwhile", lambda: len(self.good.records()) > before + 2000)
        self.assertIn(" 200 ", get(f"{self.disk.path}/status.sock", "/healthz")[0])
        took, said = self.stop()
        self.assertLessEqual(took, END_S, said)
        self.assertRegex(said, "ledger: seen_packets=.* balance=ok")
        good = self.ledger(said, "good")
        self.assertEqual((good["delivered"], good["lost"]), (good["records"], 0), said)
        self.disk.thaw()
        self.assertEqual(self.agent.p.wait(20), 0, said)

    def test_a_status_socket_is_not_removed(self):
        """HUP goes from the frozen disk to another address. The old socket stays there, and the pages are at the new one."""
        self.start(0)
        with open(self.lab.file("fffa.yaml")) as f:
            text = f.read()
        self.listen(text, f"{self.disk.path}/status.sock")
        L.await_true("the new address", lambda: not os.path.exists(self.lab.file("status.sock")))
        self.disk.freeze()
        self.listen(text, self.lab.file("status.sock"))
        L.await_true("the old address", lambda: os.path.exists(self.lab.file("status.sock")))
        self.expect_life()
        took, said = self.stop()
        self.assertLessEqual(took, END_S, said)
        self.disk.thaw()
        self.assertEqual(self.agent.p.wait(20), 0, said)

    def listen(self, text, at):
        with open(self.lab.file("fffa.yaml"), "w") as f:
            f.write(text.replace(self.lab.file("status.sock"), at))
        self.agent.p.send_signal(signal.SIGHUP)

    def test_a_process_that_stands_still(self):
        """Nobody drains meanwhile. The kernel's programs end the windows, so no record covers more."""
        self.start(0)
        self.lab.start(self.lab.host, "few", FLOOD, L.PEER4, "5", "500", "60")
        self.agent.p.send_signal(signal.SIGSTOP)
        time.sleep(4)
        self.agent.p.send_signal(signal.SIGCONT)
        after = time.time()
        L.await_true("records of later", lambda: any(r["start_ms"] > after * 1000 for r in self.good.records()))
        spans = [r["end_ms"] - r["start_ms"] for r in self.good.records() if "end_ms" in r]
        self.assertLessEqual(max(spans), 1000)

    def test_a_reader_of_the_log_that_stands_still(self):
        """It costs log lines, which are counted, and nothing else. When it goes on, the log does, too."""
        reader, writer = os.pipe()
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir, disk=self.disk.path))
        agent = subprocess.Popen(["ip", "netns", "exec", self.lab.host, FFFA, "run", "-c", config], stderr=writer)
        self.addCleanup(agent.kill)
        os.close(writer)
        log = b""
        while b"kernel table ready" not in log:
            log += os.read(reader, 65536)

        def lost():
            return self.status()["log_lines_lost"]

        def lost_some():
            agent.send_signal(signal.SIGUSR1)
            return lost()
        L.await_true("log lines that are lost", lost_some)
        self.assertIn(" 200 ", get(self.lab.file("status.sock"), "/healthz")[0])
        os.set_blocking(reader, False)

        def said():
            nonlocal log
            try:
                log += os.read(reader, 65536)
            except BlockingIOError:
                pass
            return re.search(rb"warn +log: lines lost, the reader of standard error stood still: lines=(\d+)\n", log)
        self.assertEqual(int(L.await_true("the end of the gap", said)[1]), lost())
        for line in log.decode().splitlines():
            self.assertRegex(line, r"^\d{4}-\d\d-\d\dT[\d:.]+Z (error|warn |info |debug) \S+: ")
        before = lost()
        L.await_true("more lost lines", lambda: lost_some() > before)  # now nobody reads again
        began = time.monotonic()
        agent.send_signal(signal.SIGTERM)
        self.assertEqual(agent.wait(20), 0)
        self.assertLessEqual(time.monotonic() - began, END_S)
        os.close(reader)

    def test_the_thaw(self):
        """Nothing is lost when the disk comes back in time, and nobody waits for that time to be over."""
        shutdown_s = 20  # a busy machine takes seconds for what the sinks hold
        self.start(4, shutdown_s=shutdown_s)
        self.disk.freeze()
        self.expect_life()
        self.disk.thaw()
        self.flood.end(signal.SIGKILL)
        took, said = self.stop()
        self.assertLess(took, shutdown_s, said)
        self.assertEqual(self.agent.p.wait(20), 0, said)
        for name in ["good", "spooled", *(f"bad{n}" for n in range(4))]:
            ledger = self.ledger(said, name)
            self.assertEqual((ledger["delivered"], ledger["lost"]), (ledger["records"], 0), said)


def main():
    global FFFA, FLOOD
    FFFA, FLOOD = sys.argv[1:3]
    del sys.argv[1:3]
    missing = [tool for tool in ("ip", "mkfs.ext4", "fsfreeze", "ethtool") if not shutil.which(tool)]
    why = f"needs {', '.join(missing)}" if missing else "run as root" if os.geteuid() else namespace.enter_mounts()
    if why:
        print(why)
        sys.exit(77)
    unittest.main(verbosity=2)


if __name__ == "__main__":
    main()
