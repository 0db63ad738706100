#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the agent may do, and that it can do its work with no more: privileges.py FFFA NO_TCX KAFKA_MOCK"""

import contextlib
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "e2e"), os.path.join(HERE, "..", "views")]
import lab as L  # noqa: E402
import netns_fixture as fixture  # noqa: E402
from collector import Collector  # noqa: E402

FFFA, HOOK = "", ""  # HOOK is the library that hides TCX
KAFKA_MOCK = sys.argv[3]
NOBODY = 65534
BPF_AND_NET_ADMIN = 1 << 39 | 1 << 12
SYS_ADMIN_AND_NET_ADMIN = 1 << 21 | 1 << 12
CONFIG = """
capture: {{interfaces: ["v*"], drain_interval: 200ms}}
flows: {{idle_timeout: 200ms, active_timeout: 20s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
spool_dir: {dir}/spool
status: {{listen: "unix:{dir}/status"}}
sinks: [{{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}, queue: {{spool: 8MiB}}}}]
{more}
"""


class Agent(fixture.Agent):
    def __init__(self, lab, more="", prefix=()):
        self.lab = lab
        config = lab.file("fffa.yaml", CONFIG.format(dir=lab.dir, more=more))
        self.process = lab.start(lab.host, "agent", *prefix, lab.fffa, "run", "-c", config)

    def await_ready(self):
        self.process.await_line("kernel table ready")
        L.await_true("ready", lambda: self.get("readyz").endswith("200"))
        return self

    def get(self, page):
        return subprocess.run(["curl", "-s", "-w", "\n%{http_code}", "--unix-socket", self.lab.file("status"),
                               "http://localhost/" + page], stdout=subprocess.PIPE, text=True, check=False).stdout

    def threads(self):
        """What /proc says of each thread, as a list of maps."""
        found = []
        for path in glob.glob(f"/proc/{self.process.p.pid}/task/*/status"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                found.append(dict(line.split(":", 1) for line in self.process.text(path).splitlines()))
        return found

    def said(self):
        return self.process.text(self.process.err)


def granted(*names):
    """The words that start a program as nobody with these capabilities."""
    caps = "-all" + "".join(",+" + n for n in names)
    return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps={caps}",
            f"--ambient-caps={caps}", f"--bounding-set={caps}")


# Every kind of sink, each with its spool, compression and threads; names that a thread looks up.
EVERY_SINK = """
capture: {{interfaces: ["v*"], drain_interval: 200ms}}
flows: {{idle_timeout: 200ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: on, endpoint: "http://localhost:1"}}}}
spool_dir: {dir}/spool
status: {{listen: "127.0.0.1:9977"}}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}, sync: batch, queue: {{spool: 8MiB}}}}
  - {{name: old, type: file, format: vpc, path: {dir}/old.log, rotate: {{size: 64KiB, interval: 1m, compress: zstd}}, batch: {{age: 50ms}}}}
  - {{name: http, type: http, format: json, url: "http://localhost:8080/", compress: gzip, batch: {{age: 50ms}}, queue: {{spool: 8MiB}}}}
  - {{name: kafka, type: kafka, format: msgpack, brokers: ["{brokers}"], topic: flows, properties: {{compression.type: zstd}},
      batch: {{age: 50ms}}, queue: {{spool: 8MiB}}}}
"""
# What the C library and libuv do without (agent/service/syscall_filter.c).
NOT_NEEDED = ("clone3", "io_uring_setup")


class Privileges(unittest.TestCase):
    def setUp(self):
        self.lab = L.Lab(offloads=False)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        fixture.quiet(self.lab)
        # The build folder need not be open for others.
        self.lab.fffa = shutil.copy(FFFA, self.lab.file("fffa"))
        os.chmod(self.lab.fffa, 0o755)
        os.chown(self.lab.dir, NOBODY, NOBODY)

    def check_threads(self, agent, capabilities):
        threads = agent.threads()
        self.assertTrue(threads)
        for t in threads:
            self.assertEqual(t["Uid"].split(), [str(NOBODY)] * 4, t["Name"])
            self.assertEqual(t["Gid"].split(), [str(NOBODY)] * 4, t["Name"])
            self.assertEqual(t["Groups"].split(), [], t["Name"])
            self.assertEqual([int(t[c], 16) for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")],
                             [0, capabilities, capabilities, 0], t["Name"])
            self.assertEqual(t["NoNewPrivs"].strip(), "1", t["Name"])
            self.assertEqual(t["Seccomp"].strip(), "2", t["Name"])

    def ping(self, n, address=L.PEER4):
        self.lab.run(self.lab.host, "ping", "-c", str(n), "-i", "0.002", "-q", address)

    def take_off(self, pid, device, clsact):
        if clsact:
            L.sh("tc", "-n", self.lab.host, "qdisc", "del", "dev", device, "clsact")
            return
        # A descriptor may be gone before grep reads of it, and then its status is not 0.
        links = subprocess.run(f"grep -hs ^link_id: /proc/{pid}/fdinfo/*", shell=True, check=False,
                               stdout=subprocess.PIPE, text=True).stdout.split()[1::2]
        self.assertTrue(links)
        for link in links:
            self.lab.run(self.lab.host, "bpftool", "link", "detach", "id", link)

    def health(self):
        got = self.lab.start(self.lab.host, "health", self.lab.fffa, "health", "-c", self.lab.file("fffa.yaml"))
        return got.p.wait(20), got.text(got.out)

    def work(self, agent, clsact=False):
        """Records, a hook that is put back, a device that comes later, HUP, and a clean end."""
        self.ping(10)
        L.await_true("records", lambda: sum(r.get("packets", 0) for r in agent.records()) == 20)
        self.take_off(agent.process.p.pid, "v0", clsact)
        for direction in ("ingress", "egress"):
            L.await_true("put back", lambda d=direction: f'put_back_total{{interface="v0",direction="{d}"}} 1'
                         in agent.get("metrics"))
        L.sh("ip", "-n", self.lab.host, "link", "add", "v8", "type", "veth", "peer", "name", "w8")
        L.sh("ip", "-n", self.lab.host, "link", "set", "v8", "up")
        agent.process.await_line("attached interface=v8")
        self.assertEqual(self.health(), (0, "ready\n"))
        agent.signal(signal.SIGHUP)
        L.await_true("reload", lambda: 'reloads_total{result="ok"} 1' in agent.get("metrics")
                     or 'reloads_total{result="success"} 1' in agent.get("metrics"))
        self.ping(5)
        agent.process.end(signal.SIGTERM)
        self.assertEqual(agent.process.p.returncode, 0, agent.said())
        self.assertNotIn(" error ", agent.said())
        self.assertNotIn("clsact", L.sh("tc", "-n", self.lab.host, "qdisc", "show"))

    def test_becomes_the_user(self):
        agent = Agent(self.lab, "user: nobody", prefix=["setpriv", "--groups=0,7"]).await_ready()
        self.check_threads(agent, BPF_AND_NET_ADMIN)
        self.assertEqual(agent.threads()[0]["Umask"].strip(), "0027")
        self.work(agent)

    def test_becomes_a_number_without_tcx(self):
        agent = Agent(self.lab, f"user: {NOBODY}", prefix=["env", "LD_PRELOAD=" + HOOK]).await_ready()
        self.check_threads(agent, BPF_AND_NET_ADMIN)
        self.work(agent, clsact=True)

    def every_sink(self):
        """The configuration with peers for each sink."""
        mock = subprocess.Popen(["ip", "netns", "exec", self.lab.host, KAFKA_MOCK], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, text=True)
        self.addCleanup(mock.wait)
        self.addCleanup(mock.stdout.close)
        self.addCleanup(mock.stdin.close)
        collector = Collector(("127.0.0.1", 8080), netns=self.lab.host)
        self.addCleanup(collector.close)
        return EVERY_SINK.format(dir=self.lab.dir, brokers=mock.stdout.readline().strip()), collector

    def curl(self, page):
        return self.lab.run(self.lab.host, "curl", "-s", "http://127.0.0.1:9977/" + page)

    def delivered(self):
        """Whether each sink has delivered something."""
        found = re.findall(r'fffa_sink_records_total\{sink="(\w+)",outcome="delivered"\} [1-9]', self.curl("metrics"))
        return sorted(found) == ["http", "json", "kafka", "old"]

    def test_every_feature_under_the_filter(self):
        """The kernel refuses no call that the agent makes, whatever it does."""
        config, collector = self.every_sink()
        name, trace = self.lab.file("fffa.yaml", config), self.lab.file("trace")
        agent = self.lab.start(self.lab.host, "agent", "strace", "-f", "-qqq", "-Z", "-o", trace, self.lab.fffa, "run",
                               "-c", name)
        agent.await_line("kernel table ready")
        pid = int(L.sh("pgrep", "-P", str(agent.p.pid), "fffa"))
        if "\nSeccomp:\t0\n" in agent.text(f"/proc/{pid}/status"):
            self.skipTest("a build with sanitizers has no filter")
        tail = self.lab.start(self.lab.host, "tail", self.lab.fffa, "tail", "-c", name)
        self.ping(10)
        L.await_true("records", lambda: self.ping(1) or tail.text(tail.out) and self.delivered())
        self.take_off(pid, "v0", clsact=False)
        L.await_true("put back", lambda: re.findall(r"put_back_total.* (\d)\n", self.curl("metrics")) == ["1", "1"])
        L.sh("ip", "-n", self.lab.host, "link", "add", "v8", "type", "veth", "peer", "name", "w8")
        L.sh("ip", "-n", self.lab.host, "link", "set", "v8", "up")
        agent.await_line("attached interface=v8")
        for page in ("status", "flows?n=5", "healthz", ""):
            self.curl(page)
        self.lab.file("fffa.yaml", config.replace("age: 50ms", "age: 60ms").replace(":9977", ":9978"))
        os.kill(pid, signal.SIGUSR1)
        os.kill(pid, signal.SIGHUP)
        agent.await_line("listening address=127.0.0.1:9978")
        os.kill(pid, signal.SIGTERM)
        self.assertEqual(agent.p.wait(30), 0, agent.text(agent.err))
        self.assertTrue(collector.records())
        refused = [line for line in agent.text(trace).splitlines() if " ENOSYS " in line or " EPERM " in line]
        self.assertEqual([line for line in refused if not any(call + "(" in line for call in NOT_NEEDED)], [])

    def test_without_root(self):
        agent = Agent(self.lab, prefix=granted("bpf", "perfmon", "net_admin")).await_ready()
        self.check_threads(agent, BPF_AND_NET_ADMIN)
        self.work(agent)

    def test_older_container_engines(self):
        agent = Agent(self.lab, "user: nobody", prefix=granted("sys_admin", "net_admin")).await_ready()
        self.check_threads(agent, SYS_ADMIN_AND_NET_ADMIN)
        self.work(agent)

    def test_file_capabilities(self):
        L.sh("setcap", "cap_bpf,cap_net_admin,cap_perfmon+ep", self.lab.fffa)
        agent = Agent(self.lab, prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
                      ).await_ready()
        self.check_threads(agent, BPF_AND_NET_ADMIN)
        agent.process.end()

    def test_file_capabilities_that_only_some_are_to_be_had_of(self):
        """As in the image: a bounding set of BPF and NET_ADMIN, or of SYS_ADMIN and NET_ADMIN."""
        L.sh("setcap", "cap_bpf,cap_net_admin,cap_perfmon,cap_sys_admin=p", self.lab.fffa)
        for names, got in ((("bpf", "perfmon"), BPF_AND_NET_ADMIN), (("sys_admin",), SYS_ADMIN_AND_NET_ADMIN)):
            caps = "-all,+net_admin,+setuid,+setgid,+setpcap" + "".join(",+" + n for n in names)
            agent = Agent(self.lab, prefix=("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                                            "--bounding-set=" + caps)).await_ready()
            self.check_threads(agent, got)
            agent.process.end()

    def fails(self, code, *words, more="", prefix=()):
        agent = Agent(self.lab, more, prefix)
        self.assertEqual(agent.process.p.wait(20), code, agent.said())
        for word in words:
            self.assertIn(word, agent.said())

    def test_signals_while_it_loads(self):
        """They are handled once it runs: HUP reloads, and TERM ends it as at any other time."""
        for number in (signal.SIGUSR2, signal.SIGHUP, signal.SIGTERM):
            agent = Agent(self.lab)
            L.await_true("a map", lambda a=agent: subprocess.run(
                f"grep -ls ^map_type: /proc/{a.process.p.pid}/fdinfo/*", shell=True, check=False,
                stdout=subprocess.DEVNULL).returncode == 0)
            agent.signal(number)
            if number != signal.SIGTERM:
                agent.await_ready()
            if number == signal.SIGHUP:
                L.await_true("reload", lambda a=agent: 'reloads_total{result="success"} 1' in a.get("metrics"))
            self.assertEqual(agent.process.end(signal.SIGTERM), 0, agent.said())

    def test_names_what_is_missing(self):
        self.fails(77, "lacking CAP_BPF:", prefix=granted("perfmon", "net_admin"))
        self.fails(77, "lacking CAP_NET_ADMIN:", prefix=granted("bpf", "perfmon"))
        self.fails(77, "lacking CAP_BPF and CAP_NET_ADMIN:", prefix=granted())
        self.fails(77, "refused to load the programs, lacking CAP_PERFMON: ", prefix=granted("bpf", "net_admin"))
        got = self.check(CONFIG.format(dir=self.lab.dir, more=""), prefix=granted("bpf", "net_admin"))
        self.assertIn("privileges: the kernel refused to load the programs, lacking CAP_PERFMON: ", got.stdout)
        self.fails(77, "user: lacking CAP_SETUID and CAP_SETGID", more="user: root",
                   prefix=granted("bpf", "perfmon", "net_admin"))
        self.fails(77, "user: lacking CAP_SETGID to", more="user: nobody", prefix=("setpriv", "--bounding-set=-setgid"))
        self.fails(78, 'user: this host has no user "nosuchuser"', more="user: nosuchuser")

    def check(self, config, prefix=(), name=None, **more):
        return subprocess.run([*prefix, self.lab.fffa, "check", "-c", name or self.lab.file("fffa.yaml", config)],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)

    def test_check_reads_as_the_user(self):
        config = CONFIG.format(dir=self.lab.dir, more="user: nobody")
        good = self.check(config)
        self.assertEqual((good.returncode, "privileges: sufficient" in good.stdout), (0, True), good.stdout)
        with open(self.lab.file("flows.json"), "w", encoding="ascii"):
            os.chmod(self.lab.file("flows.json"), 0o600)  # root's
        for got in (self.check(config), self.check(config, name="-", input=config)):
            self.assertEqual(got.returncode, 78, got.stdout)
            self.assertIn("flows.json", got.stdout)
        self.assertEqual(self.check(CONFIG.format(dir=self.lab.dir, more="")).returncode, 0)
        os.chmod(self.lab.file("fffa.yaml", config), 0o600)
        self.assertIn("cannot be read", self.check(config).stdout)
        # Who cannot become the user still gets every other problem named.
        config = config.replace("nobody", "root")
        got = self.check(config, prefix=granted(), name="-", input=config)
        self.assertIn("warning: user: lacking CAP_SETUID and CAP_SETGID", got.stdout)


if __name__ == "__main__":
    fixture.main(unittest, sys.modules[__name__])
