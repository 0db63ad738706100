#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What others do to the hooks of a running agent: hooks.py FFFA tcx|clsact|xdp STRANGER NO_TCX

A known number of pings passes while a hook is off, behind another program, or blind. The stream must have each packet
in a record or in a SKIPDATA record, and /readyz, the metrics and the log must say what is wrong.
"""

import collections
import json
import os
import sys
import unittest
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "views"))
import netns_fixture as fixture  # noqa: E402
import lab as L  # noqa: E402

FFFA, HOOK, STRANGER, NO_TCX = "", "", "", ""
CONFIG = """
capture: {{interfaces: [v0], hook: {hook}, drain_interval: {drain}}}
flows: {{idle_timeout: 1h, active_timeout: {active}}}
metadata: {{imds: {{enabled: off}}}}
spool_dir: ""
status: {{listen: "unix:{dir}/status"}}
sinks: [{{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}}}]
"""
# At once as many as two checks need for a verdict (FFFA_HOOK_BLIND_PACKETS), so that no pace of a busy machine matters.
SEND = """
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(10):
    for _ in range(100):
        s.sendto(b"x" * 100, (sys.argv[1], 9))
    time.sleep(0.2)
"""
BYTES = 84  # of an echo of 56 bytes, by IP


class Agent(fixture.Agent):
    def __init__(self, lab, drain="1s", active="1h", hook=None):
        self.lab = lab
        hook = hook or ("xdp" if HOOK == "xdp" else "tc")
        config = lab.file("fffa.yaml", CONFIG.format(dir=lab.dir, hook=hook, drain=drain, active=active))
        preload = ["env", "LD_PRELOAD=" + NO_TCX] if HOOK == "clsact" else []
        self.process = lab.start(lab.host, "agent", *preload, FFFA, "run", "-c", config)
        self.process.await_line("kernel table ready")
        self.says = lambda: self.process.text(self.process.err)

    def get(self, page):
        """Status and text of a page."""
        out = L.subprocess.run(["curl", "-s", "-w", "\n%{http_code}", "--unix-socket", self.lab.file("status"),
                                "http://localhost/" + page], stdout=L.subprocess.PIPE, text=True, check=True).stdout
        text, code = out.rsplit("\n", 1)
        return int(code), text

    def metric(self, name, direction="ingress"):
        return int(L.re.search(rf'^{name}{{interface="v0",direction="{direction}"}} (\d+)$', self.get("metrics")[1],
                               L.re.M)[1])

    def skipped(self):
        return [(r["lost_packets"], r["lost_bytes"]) for r in self.records()
                if r["log_status"] == "SKIPDATA" and r["lost_reason"] == "not_attached"]


class Hooks(unittest.TestCase):
    def setUp(self):
        self.lab = L.Lab(offloads=False)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        fixture.quiet(self.lab)
        self.strangers = 0

    def ping(self, n):
        self.lab.run(self.lab.host, "ping", "-c", str(n), "-i", "0.002", "-q", "-s", "56", L.PEER4)

    def take_off(self, agent, how="detach"):
        """Takes all hooks off."""
        if HOOK == "clsact":
            L.sh("tc", "-n", self.lab.host, "qdisc", "del", "dev", "v0", "clsact")
            return
        # Only this agent's: links of other namespaces name devices of the same number.
        out = L.subprocess.run(f"grep -hs ^link_id: /proc/{agent.process.p.pid}/fdinfo/*", shell=True, check=False,
                               stdout=L.subprocess.PIPE, text=True).stdout
        links = [line.split()[1] for line in out.splitlines()]
        self.assertEqual(len(links), 2)
        self.lab.run(self.lab.host, STRANGER, how, *links)

    def stand_in_front(self, answer, how=None, direction="ingress"):
        self.strangers += 1
        p = self.lab.start(self.lab.host, f"stranger{self.strangers}", STRANGER, "front", how or HOOK, "v0", direction,
                           str(answer))
        return p, p.await_line(r"id (\d+)")[1]

    def await_up(self, agent, times, directions=("ingress", "egress")):
        for direction in directions:
            L.await_true(f"{times} times put back",
                         lambda d=direction: agent.metric("fffa_hook_put_back_total", d) == times)
        L.await_true("ready", lambda: agent.get("readyz")[0] == 200)
        self.assertEqual(agent.metric("fffa_hook_up"), 1)

    def gone_off(self, *how):
        """The hooks are taken off while 20 echoes pass, and count again afterwards."""
        agent = Agent(self.lab, drain="500ms")
        self.ping(10)
        agent.signal(L.signal.SIGSTOP)  # it does not look meanwhile, however long this takes
        self.take_off(agent, *how)
        self.ping(20)
        agent.signal(L.signal.SIGCONT)
        self.await_up(agent, 1)
        L.await_true("SKIPDATA", lambda: sum(n for n, _ in agent.skipped()) >= 40)
        self.ping(5)
        agent.process.await_line("a hook was taken off from outside and is put back interface=v0 direction=ingress")
        ledger = agent.end(self)
        self.assertEqual((ledger["seen_packets"], ledger["lost_not_attached"]), (70, 40))
        # With XDP a veth counts its bytes without the link header.
        self.assertIn(ledger["lost_bytes"], range(40 * (BYTES - 14), 40 * BYTES + 1) if HOOK == "xdp" else [40 * BYTES])
        self.assertEqual((sum(n for n, _ in agent.skipped()), sum(b for _, b in agent.skipped())),
                         (ledger["lost_packets"], ledger["lost_bytes"]))

    def test_taken_off(self):
        self.gone_off()

    def test_replaced(self):
        if HOOK == "clsact":
            self.skipTest("a filter is replaced by its handle, which others do not use")
        self.gone_off("replace")

    def test_taken_off_again_and_again(self):
        """It is put back three times and then stays off, and all of it is told."""
        agent = Agent(self.lab, drain="100ms")
        for i in range(3):
            self.take_off(agent)
            self.await_up(agent, i + 1)
        self.take_off(agent)
        L.await_true("both off", lambda: [agent.metric("fffa_hook_up", d) for d in ("ingress", "egress")] == [0, 0])
        self.assertEqual(agent.get("readyz")[0], 503)
        self.assertRegex(agent.get("readyz")[1], "v0 (in|e)gress: the hook was taken off; it was put back several times")
        self.assertFalse(json.loads(agent.get("status")[1])["hooks"][0]["up"])
        self.ping(20)
        L.await_true("SKIPDATA", lambda: sum(n for n, _ in agent.skipped()) == 40)
        self.assertEqual(agent.metric("fffa_hook_put_back_total"), 3)
        self.assertEqual(agent.end(self)["lost_not_attached"], 40)

    def test_another_program_in_front(self):
        """It ends the chain. The hook goes before it, three times; then the log and /readyz name the other one."""
        if HOOK == "xdp":
            self.skipTest("a device has one XDP program")
        agent = Agent(self.lab, drain="500ms")
        end_of_chain = 0  # TC_ACT_OK, TCX_PASS
        strangers = []
        for i in range(3):
            strangers.append(self.stand_in_front(end_of_chain))
            self.await_up(agent, i + 1, ("ingress",))
            self.ping(10)
        agent.process.await_line(f"first again interface=v0 direction=ingress hook={HOOK} program_id={strangers[0][1]} "
                                 'name="stranger" attempt=1')
        p, number = self.stand_in_front(end_of_chain)
        L.await_true("not ready", lambda: agent.get("readyz")[0] == 503)
        what = f"v0 ingress: program {number} (stranger) stands in front"
        self.assertIn(what, agent.get("readyz")[1])
        agent.process.await_line(L.re.escape(what))
        self.assertEqual((agent.metric("fffa_hook_up"), agent.metric("fffa_hook_up", "egress")), (0, 1))
        self.ping(20)
        L.await_true("SKIPDATA", lambda: sum(n for n, _ in agent.skipped()) == 20)
        if HOOK == "tcx":
            p.end()
            L.await_true("ready", lambda: agent.get("readyz")[0] == 200)
            self.ping(10)
        ledger = agent.end(self)
        self.assertEqual(ledger["lost_not_attached"], 20)
        self.assertEqual(ledger["seen_packets"], 120 if HOOK == "tcx" else 100)

    def test_no_packet_is_lost_or_counted_twice_in_a_move(self):
        if HOOK == "xdp":
            self.skipTest("a device has one XDP program")
        agent = Agent(self.lab, drain="100ms")
        flood = self.lab.start(self.lab.host, "flood", "ping", "-i", "0.001", "-q", "-s", "56", L.PEER4)
        for i, direction in enumerate(("ingress", "egress", "ingress", "egress")):
            self.stand_in_front(-1, direction=direction)  # TC_ACT_UNSPEC, TCX_NEXT: passes all packets on
            L.await_true("put back", lambda: agent.says().count("the hook is first again") == i + 1)
        self.assertEqual(flood.end(L.signal.SIGINT), 0)
        sent, received = map(int, L.re.search(r"(\d+) packets transmitted, (\d+) received", flood.text(flood.out)).groups())
        self.assertEqual(received, sent)
        ledger = agent.end(self)
        # A packet between the two programs at the very moment of the move is seen by none.
        self.assertLessEqual(ledger["recorded_packets"], 2 * sent)
        self.assertGreaterEqual(ledger["recorded_packets"], 2 * sent - 4)

    def test_blind(self):
        """An XDP program drops what arrives: the hook is in its place and counts nothing."""
        if HOOK == "xdp":
            self.skipTest("a device has one XDP program")
        agent = Agent(self.lab, drain="300ms", active="1s")
        p, number = self.stand_in_front(1, how="xdp")  # XDP_DROP
        fixture.python(self.lab, self.lab.peer, SEND, L.HOST4)
        L.await_true("not ready", lambda: agent.get("readyz")[0] == 503)
        self.assertIn("v0 ingress: the hook counts nothing while the device counts packets; the device runs XDP program "
                      f"{number} (stranger)", agent.get("readyz")[1])
        p.end()
        L.await_true("no XDP", lambda: "prog/xdp" not in L.sh("ip", "-n", self.lab.host, "link", "show", "v0"))
        self.ping(10)
        L.await_true("ready", lambda: agent.get("readyz")[0] == 200)
        ledger = agent.end(self)
        self.assertEqual(sum(n for n, _ in agent.skipped()), ledger["lost_not_attached"])
        self.assertGreaterEqual(ledger["lost_not_attached"], 900)
        self.assertLessEqual(ledger["lost_not_attached"], 1000)

    def test_super_packets_that_passed_meanwhile(self):
        """The device counts each of them as one packet: its bytes tell what passed."""
        self.lab.__exit__(None, None, None)
        self.lab = L.Lab(offloads=True)
        self.lab.__enter__()
        self.addCleanup(self.lab.__exit__, None, None, None)
        agent = Agent(self.lab)
        server = L.Iperf(self.lab).server
        server.await_line(r"Server listening on \d+ ")
        before = self.sent()
        client = self.lab.start(self.lab.host, "client", "iperf3", "-c", L.PEER4, "-n", "700M", "-b", "800M")
        L.await_true("a drain in traffic", lambda: agent.metric("fffa_bytes_total", "egress") > 50_000_000)
        self.take_off(agent)
        self.await_up(agent, 1)
        self.assertEqual(client.p.wait(60), 0)
        packets, size = (after - start for after, start in zip(self.sent(), before))
        self.assertGreater(size / packets, 3000)  # else there are no super-packets
        ledger = agent.end(self)
        self.assertGreater(ledger["lost_bytes"], 5_000_000)
        # By IP: the segments' headers come on top, one for 1448 bytes.
        sums = collections.defaultdict(int)
        for r in agent.records():
            sums[r.get("flow_direction", "lost")] += r.get("bytes", 0) + r.get("lost_bytes", 0)
        self.assertAlmostEqual((sums["egress"] + sums["lost"]) / (size * 1500 / 1448), 1, delta=0.03)

    def sent(self):
        """Packets and bytes that v0 has sent."""
        stats = "/sys/class/net/v0/statistics/"
        return [int(n) for n in self.lab.run(self.lab.host, "cat", stats + "tx_packets", stats + "tx_bytes").split()]

    def test_no_nodata_while_off(self):
        agent = Agent(self.lab, drain="100ms", active="1s")

        def nodata():
            return [r for r in agent.records() if r["log_status"] == "NODATA"]

        L.await_true("NODATA", nodata)
        for i in range(4):
            self.take_off(agent)
            if i < 3:
                self.await_up(agent, i + 1)
        L.await_true("not ready", lambda: agent.get("readyz")[0] == 503)
        off_ms = L.time.time() * 1000
        began = L.time.monotonic()
        L.await_true("three intervals", lambda: L.time.monotonic() - began > 3)
        agent.end(self)
        self.assertEqual([r for r in nodata() if r["end_ms"] > off_ms], [])


if __name__ == "__main__":
    STRANGER, NO_TCX = sys.argv[3:5]
    fixture.main(unittest, sys.modules[__name__])
