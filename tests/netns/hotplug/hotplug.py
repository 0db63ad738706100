#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Devices that come, go and change while the agent runs: hotplug.py FFFA

Each test makes its own two namespaces. A known number of pings crosses the devices. The records say on which device
and how often they were counted, and the ledger must balance at the end of every run.
"""

import json
import os
import re
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402

FFFA = ""
PINGS = 7
CONFIG = """
capture: {{interfaces: {interfaces}, exclude: {exclude}, hook: {hook}, drain_interval: 100ms}}
flows: {{idle_timeout: 30s, active_timeout: 30s, nodata: false}}
metadata: {{imds: {{enabled: off}}}}
log: {{level: debug}}
sinks: [{{name: json, type: file, format: json, path: {path}, batch: {{age: 100ms}}}}]
"""


class Hotplug(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.lab = L.Lab(offloads=True)
        self.lab.__enter__()
        self.addCleanup(self.lab.close)

    def start(self, interfaces, exclude="[]", hook="auto"):
        config = self.lab.file("fffa.yaml", CONFIG.format(interfaces=interfaces, exclude=exclude, hook=hook,
                                                          path=self.lab.file("flows.json")))
        self.agent = self.lab.start(self.lab.host, "agent", FFFA, "run", "-c", config)
        self.agent.await_line("kernel table ready")

    def says(self):
        return self.agent.text(self.agent.err)

    def await_times(self, text, times):
        L.await_true(f"{times} times {text!r}", lambda: self.says().count(" " + text) == times)

    def ip(self, *args):
        L.sh("ip", "-n", self.lab.host, *args)

    def peer_ip(self, *args):
        L.sh("ip", "-n", self.lab.peer, *args)

    def plug(self, name, net, *options):
        """Creates a device, 10.NET.0.1 here and 10.NET.0.2 in the peer."""
        L.sh("ip", "link", "add", name, "netns", self.lab.host, *options, "type", "veth", "peer", "name", "p" + name, "netns",
             self.lab.peer)
        self.ip("addr", "add", f"10.{net}.0.1/24", "dev", name)
        self.peer_ip("addr", "add", f"10.{net}.0.2/24", "dev", "p" + name)
        self.ip("link", "set", name, "up")
        self.peer_ip("link", "set", "p" + name, "up")

    def ping(self, net):
        self.lab.run(self.lab.host, "ping", "-q", "-c", str(PINGS), "-i", "0.01", "-W", "5", f"10.{net}.0.2")

    def settle(self):
        """Waits until the agent has handled all changes: it reports a device created now as the last one."""
        self.marks = getattr(self, "marks", 0) + 1
        self.ip("link", "add", f"zmark{self.marks}", "type", "bridge")
        self.agent.await_line(f"(attached|left out) interface=zmark{self.marks}")

    def stop(self):
        """Returns {(device, direction): echoes} by network, after a clean end with a balanced ledger."""
        self.assertEqual(self.agent.end(), 0, self.says())
        found = re.search(r"seen_packets=(\d+) seen_bytes=(\d+) recorded_packets=\1 recorded_bytes=\2 held_packets=0 "
                          r"held_bytes=0 lost_packets=0 .*balance=ok", self.says())
        self.assertTrue(found, self.says())
        echoes, total = {}, 0
        with open(self.lab.file("flows.json")) as f:
            for o in map(json.loads, f):
                total += o["packets"]
                net = re.match(r"10\.(\d+)\.", o["srcaddr"])
                if net and o["protocol"] == 1:
                    where = echoes.setdefault(int(net[1]), {})
                    key = (o.get("ifname", "-"), o["flow_direction"])
                    where[key] = where.get(key, 0) + o["packets"]
        self.assertEqual(total, int(found[1]))
        return echoes

    def once(self, *devices):
        return {(d, way): PINGS for d in devices for way in ("ingress", "egress")}

    def test_a_device_appears_under_a_glob(self):
        self.start("[v0, 'hp*']")
        self.plug("hp0", 20)
        self.agent.await_line('attached interface=hp0 .*selected_by="a glob" why="auto: TC')
        self.ping(20)
        self.ping(9)
        self.assertEqual(self.stop(), {20: self.once("hp0"), 9: self.once("v0")})

    def test_a_device_vanishes_and_its_flows_stay(self):
        self.plug("hp0", 20)
        self.start("[v0, 'hp*']")
        self.ping(20)
        self.ip("link", "del", "hp0")
        self.agent.await_line('detached interface=hp0 .*why="the device is gone"')
        self.ping(9)
        self.assertEqual(self.stop(), {20: self.once("hp0"), 9: self.once("v0")})

    def test_the_only_device_vanishes_and_comes_back(self):
        self.plug("hp0", 20)
        self.start("['hp*']")
        self.ping(20)
        self.ip("link", "del", "hp0")
        self.agent.await_line("no interface is left to capture on")
        self.plug("hp0", 21)
        self.await_times("attached interface=hp0", 2)
        self.ping(21)
        self.assertEqual(self.stop(), {20: self.once("hp0"), 21: self.once("hp0")})

    def test_another_device_under_the_same_number(self):
        """The agent sees both changes at once: only the hooks tell that this is another device. They are put back."""
        # No packet of IPv6 passes the new device before it has its hooks: it would be counted as lost.
        self.lab.run(self.lab.host, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        add = "link add hp0 index 77 type veth peer name hp1 index 78\n"
        batch = self.lab.file("batch", "link del hp0\n" + add + "link set hp0 up\nlink set hp1 up\n")
        self.ip(*add.split())
        self.start("[hp0]")
        self.agent.p.send_signal(signal.SIGSTOP)
        self.ip("-batch", batch)
        self.agent.p.send_signal(signal.SIGCONT)
        for direction in ("ingress", "egress"):
            self.agent.await_line("a hook was taken off from outside and is put back interface=hp0 "
                                  f"direction={direction} ")
        self.assertIn(self.tcx("hp0"), (["1", "1"], ["none"]))
        self.stop()

    def test_what_passes_another_device_under_the_same_number_is_told(self):
        for ns in (self.lab.host, self.lab.peer):
            self.lab.run(ns, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1")
        self.plug("hp0", 20, "index", "77")
        self.start("[hp0]")
        for _ in range(3):
            self.ping(20)
        self.agent.p.send_signal(signal.SIGSTOP)
        self.ip("link", "del", "hp0")
        self.plug("hp0", 20, "index", "77")
        self.ping(20)
        self.agent.p.send_signal(signal.SIGCONT)
        self.await_times("capture: a hook was taken off from outside and is put back interface=hp0", 2)
        self.assertEqual(self.agent.end(), 0, self.says())
        books = re.search(r"recorded_packets=(\d+) .*lost_not_attached=(\d+) .*balance=ok", self.says())
        self.assertEqual(int(books[1]), 2 * 3 * PINGS)
        self.assertIn(int(books[2]), range(2 * PINGS, 2 * PINGS + 5))  # ARP, too: the device tells no frame from another

    def change_in_traffic(self, before, after, times):
        """Changes the text in the configuration and back, so often, while pings pass; returns how many passed."""
        for ns in (self.lab.host, self.lab.peer):
            self.lab.run(ns, "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
        self.start("[v0]", hook="tc")
        with open(self.lab.file("fffa.yaml")) as f:
            text = f.read()
        self.assertIn(before, text)
        flood = self.lab.start(self.lab.host, "flood", "ping", "-q", "-i", "0.001", L.PEER4)
        for i in range(times):
            self.lab.file("fffa.yaml", text if i % 2 else text.replace(before, after))
            self.agent.p.send_signal(signal.SIGHUP)
            self.await_times("capture: attached interface=v0", i + 2)
        self.assertEqual(flood.end(signal.SIGINT), 0)
        self.assertEqual(self.agent.end(), 0, self.says())
        found = re.search(r"(\d+) packets transmitted, (\d+) received", flood.text(flood.out))
        self.assertEqual(found[1], found[2])
        return int(found[1])

    def echoes(self, direction):
        with open(self.lab.file("flows.json")) as f:
            return sum(o["packets"] for o in map(json.loads, f) if o.get("flow_direction") == direction and o["protocol"] == 1)

    def test_one_direction_more_leaves_the_other_as_it_is(self):
        sent = self.change_in_traffic("hook: tc", "direction: ingress, hook: tc", 6)
        self.assertEqual(self.echoes("ingress"), sent)
        self.assertRegex(self.says(), "lost_packets=0 .*balance=ok")

    def test_what_passes_while_hooks_are_exchanged_is_told(self):
        changes = 6
        sent = self.change_in_traffic("hook: tc", "hook: xdp", changes)
        books = re.search(r"seen_packets=(\d+) .* lost_packets=(\d+) .*lost_not_attached=\2 .*balance=ok", self.says())
        self.assertTrue(books, self.says())
        self.assertEqual(self.echoes("egress"), sent)
        self.assertGreater(int(books[2]), 0)  # nothing else tells what nobody counted
        # The device's counters and the hook's are read one after the other: what passes between, ten packets in 10 ms, is
        # told by one of them alone.
        self.assertAlmostEqual(int(books[1]), 2 * sent, delta=10 * changes)

    def test_a_renamed_device_stays_and_has_its_new_name(self):
        self.plug("hp0", 20)
        self.start("['hp*', 'zmark*']")
        self.ip("link", "set", "hp0", "down")
        self.ip("link", "set", "hp0", "name", "lan0")
        self.ip("link", "set", "lan0", "up")
        self.agent.await_line("renamed interface=lan0 .*was=hp0")
        self.settle()
        self.ping(20)
        self.assertNotIn("detached interface=lan0", self.says())
        self.assertEqual(self.stop(), {20: self.once("lan0")})

    def tun(self, *trailing):
        """A tun device, whose other end answers each echo."""
        try:
            end = self.lab.start(self.lab.host, "tun", "/usr/bin/python3", os.path.join(HERE, "tun.py"), "tun0", *trailing)
            end.await_line("ready")
        except L.Failed as e:
            self.skipTest(f"this kernel has no tun devices: {e}")
        self.ip("addr", "add", "10.70.0.1", "peer", "10.70.0.2", "dev", "tun0")
        self.ip("-6", "addr", "add", "fd70::1", "peer", "fd70::2", "dev", "tun0", "nodad")
        self.ip("link", "set", "tun0", "up")
        self.ip("-6", "route", "replace", "fd70::2", "dev", "tun0")

    def test_a_tun_that_holds_the_default_route(self):
        """Its packets begin with IP. hook: xdp does not matter to it."""
        self.tun()
        self.ip("route", "add", "default", "dev", "tun0")
        for hook in ("auto", "xdp"):
            with self.subTest(hook=hook):
                self.start("[auto]", hook=hook)
                self.agent.await_line('attached interface=tun0 .*why="a device without Ethernet header: TC"')
                self.ping(70)
                self.lab.run(self.lab.host, "ping", "-6", "-q", "-c", str(PINGS), "-i", "0.01", "-W", "5", "fd70::2")
                self.assertEqual(self.stop(), {70: self.once("tun0")})
                with open(self.lab.file("flows.json")) as f:
                    flows = [json.loads(line) for line in f]
                echoes = sorted((o["srcaddr"], o["packets"], o["bytes"]) for o in flows if o["protocol"] in (1, 58)
                                and o["packets"] == PINGS)
                self.assertEqual(echoes, [("10.70.0.1", PINGS, 84 * PINGS), ("10.70.0.2", PINGS, 84 * PINGS),
                                          ("fd70::1", PINGS, 104 * PINGS), ("fd70::2", PINGS, 104 * PINGS)])
                os.unlink(self.lab.file("flows.json"))

    def test_a_tun_whose_packets_end_before_the_frame(self):
        """What follows the packet does not count, and a length above the frame is malformed, with the bytes of the frame."""
        self.tun("24")
        self.start("[tun0]")
        self.ping(70)
        self.lab.run(self.lab.host, "ping", "-6", "-q", "-c", str(PINGS), "-i", "0.01", "-W", "5", "fd70::2")
        self.assertEqual(self.agent.end(), 0, self.says())
        self.assertRegex(self.says(), rf"lost_packets={2 * PINGS} lost_bytes={(84 + 104) * PINGS} lost_malformed={2 * PINGS} "
                                      ".*balance=ok")
        with open(self.lab.file("flows.json")) as f:
            flows = [json.loads(line) for line in f]
        self.assertEqual(sorted((o["srcaddr"], o["packets"], o["bytes"]) for o in flows if o.get("flow_direction") == "ingress"),
                         [("10.70.0.2", PINGS, 84 * PINGS), ("fd70::2", PINGS, 104 * PINGS)])

    def child(self, kind):
        """A device on top of v0, and its peer on the other side."""
        extra = ["id", "7"] if kind == "vlan" else []
        try:
            self.ip("link", "add", "link", "v0", "name", "v0.c", "type", kind, *extra)
        except L.subprocess.CalledProcessError as e:
            if "Unknown device type" not in e.output:
                raise
            self.skipTest(f"this kernel has no {kind} devices")
        far = "v1"
        if kind == "vlan":
            far = "v1.c"
            self.peer_ip("link", "add", "link", "v1", "name", far, "type", kind, *extra)
        for ip, dev, host in ((self.ip, "v0.c", 1), (self.peer_ip, far, 2)):
            ip("addr", "add", f"10.30.0.{host}/24", "dev", dev)
            ip("link", "set", dev, "up")

    def child_under_a_glob(self, kind):
        self.start("['v*']")
        self.child(kind)
        self.agent.await_line(r'left out interface=v0\.c why="its packets are seen on v0 already')
        self.ping(30)
        self.assertEqual(self.says().count("left out interface=v0.c"), 1)
        self.assertEqual(self.stop(), {30: self.once("v0")})

    def child_named(self, kind):
        self.child(kind)
        self.start("[v0, v0.c]")
        self.ping(30)
        self.assertEqual(self.stop(), {30: self.once("v0", "v0.c")})

    def test_a_vlan_under_a_glob_counts_once(self):
        self.child_under_a_glob("vlan")

    def test_a_vlan_and_its_parent_count_twice_when_named(self):
        self.child_named("vlan")

    def test_a_macvlan_under_a_glob_counts_once(self):
        self.child_under_a_glob("macvlan")

    def test_a_macvlan_and_its_parent_count_twice_when_named(self):
        self.child_named("macvlan")

    def bridge(self):
        self.ip("link", "add", "br0", "type", "bridge")
        self.ip("link", "set", "v0", "master", "br0")
        self.ip("addr", "add", "10.40.0.1/24", "dev", "br0")
        self.ip("link", "set", "br0", "up")
        self.peer_ip("addr", "add", "10.40.0.2/24", "dev", "v1")

    def test_a_bridge_under_a_glob_gives_way_to_its_port(self):
        self.start("['v*', 'br*']")
        self.bridge()
        self.agent.await_line('left out interface=br0 why="its packets are seen on v0 already')
        self.ping(40)
        self.assertEqual(self.stop(), {40: self.once("v0")})

    def test_a_bridge_is_taken_again_when_its_port_leaves(self):
        self.bridge()
        self.start("['v*', 'br*']")
        self.ip("link", "set", "v0", "nomaster")
        self.agent.await_line("attached interface=br0")
        self.ip("link", "set", "v0", "master", "br0")
        self.agent.await_line('detached interface=br0 .*why="its packets are seen on another device now"')
        self.ping(40)
        self.assertEqual(self.stop(), {40: self.once("v0")})

    def test_a_bridge_and_its_port_count_twice_when_named(self):
        self.bridge()
        self.start("[v0, br0]")
        self.ping(40)
        self.assertEqual(self.stop(), {40: self.once("v0", "br0")})

    def test_excluded_devices_stay_out(self):
        self.start("[v0, 'hp*']", exclude="['hp9*']")
        self.plug("hp90", 50)
        self.plug("hp0", 20)
        self.agent.await_line("attached interface=hp0")
        self.ping(50)
        self.ping(20)
        self.assertNotIn("interface=hp90", self.says())
        self.assertEqual(self.stop(), {20: self.once("hp0")})

    def test_auto_follows_the_default_route(self):
        self.ip("route", "add", "default", "via", L.PEER4)
        self.start("[auto]")
        self.plug("hp0", 20)
        self.ip("route", "replace", "default", "via", "10.20.0.2")
        self.agent.await_line("attached interface=hp0")
        self.agent.await_line('detached interface=v0 .*why="it holds no default route any more"')
        self.ping(20)
        self.ping(9)
        self.ip("route", "del", "default")
        self.agent.await_line("no device holds a default route now")
        self.ip("-6", "route", "add", "default", "via", L.PEER6)
        self.agent.await_line('detached interface=hp0 .*why="it holds no default route any more"')
        self.await_times("attached interface=v0", 2)
        self.assertEqual(self.stop(), {20: self.once("hp0")})

    def test_a_device_that_xdp_does_not_fit_is_said_once(self):
        self.start("[v0, 'zmark*', 'hp*']", hook="xdp")
        self.ip("link", "add", "zmark0", "type", "bridge")
        self.agent.await_line("zmark0: .*no native XDP.*capture.hook: tc")
        self.plug("hp0", 20)
        self.agent.await_line("attached interface=hp0 .*ingress=xdp")
        self.ping(20)
        self.assertEqual(len(re.findall("zmark0: ", self.says())), 1)
        self.assertEqual(self.stop(), {20: self.once("hp0")})

    def tcx(self, device="v0"):
        return self.lab.run(self.lab.host, sys.executable, os.path.join(HERE, "tcx.py"), device).split()

    def test_nothing_stays_attached_after_kill(self):
        if self.tcx() == ["none"]:
            self.skipTest("this kernel has no TCX: a filter on clsact outlives the process")
        for hook, held in (("tc", ["1", "1"]), ("xdp", ["0", "1"])):
            with self.subTest(hook=hook):
                self.start("[v0]", hook=hook)
                self.assertEqual(self.tcx(), held)
                self.assertEqual("prog/xdp" in L.sh("ip", "-n", self.lab.host, "link", "show", "v0"), hook == "xdp")
                self.assertEqual(self.agent.end(signal.SIGKILL), -signal.SIGKILL)
                L.await_true("empty hooks", lambda: self.tcx() == ["0", "0"])
                L.await_true("no XDP", lambda: "prog/xdp" not in L.sh("ip", "-n", self.lab.host, "link", "show", "v0"))
        self.start("[v0]")
        self.ping(9)
        self.assertEqual(self.stop(), {9: self.once("v0")})
        self.assertEqual(self.tcx(), ["0", "0"])


if __name__ == "__main__":
    if os.geteuid():
        print("skipped: needs root for network namespaces")
        sys.exit(77)
    FFFA = os.path.abspath(sys.argv[1])
    # VLAN is a test of its own, so that a kernel without VLAN devices skips it visibly.
    only_vlan = sys.argv[2:] == ["vlan"]
    names = [n for n in unittest.TestLoader().getTestCaseNames(Hotplug) if ("_vlan_" in n) == only_vlan]
    result = unittest.TextTestRunner(verbosity=2).run(unittest.TestSuite(map(Hotplug, names)))
    if result.wasSuccessful() and len(result.skipped) == len(names):
        print("skipped:", result.skipped[0][1])
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
