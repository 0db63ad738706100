#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""HUP adds, changes and removes sinks of a running agent; the others lose and repeat nothing."""
import http.server
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import agent
import namespace
import program

IMDS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "stubs", "imds", "imds_mock.py")


class Collector(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port, token=None):
        self.lines, self.types, self.lock, self.token = [], [], threading.Lock(), token
        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.server.token in (None, self.headers["Authorization"])
        with self.server.lock:
            if good:
                self.server.lines += body.splitlines()
                first = int(self.headers["FFFA-Batch"].split("-")[-2])
                self.server.types.append((first, self.headers["Content-Type"]))
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def ip(*args):
    subprocess.run(["ip", *args], check=True)


def ipv4_udp(src, dst, sport, dport):
    """The headers of a packet without payload; nobody looks at the checksums."""
    return struct.pack("!BBHHHBBH4s4sHHHH", 0x45, 0, 28, 0, 0, 64, 17, 0, socket.inet_aton(src), socket.inet_aton(dst),
                       sport, dport, 8, 0)


class Reload(program.Case):
    def sink(self, name, more=""):
        return f"{{name: {name}, type: file, format: json, path: {self.dir}/{name}.json, batch: {{age: 50ms}}{more}}}"

    def start(self, sinks):
        (self.dir / "conf.d").mkdir()
        self.file("conf.d/0.yaml", f"spool_dir: {self.dir}/spool\n")
        self.agent = agent.Agent(self, "127.0.0.1:9977", sinks=sinks, flows="{idle_timeout: 200ms, active_timeout: 1s, nodata: false}")
        self.sinks, self.ended = sinks, threading.Event()
        self.traffic = threading.Thread(target=self.send)
        self.traffic.start()
        self.addCleanup(self.traffic.join)
        self.addCleanup(self.ended.set)

    def send(self):
        port = 0
        while not self.ended.is_set():
            agent.send(20000 + port % 20000)
            port += 1
            time.sleep(0.002)

    def hup(self, sinks):
        """Writes the new sinks and waits until the agent has read them."""
        conf = self.dir / "fffa.yaml"
        text = conf.read_text()
        self.assertEqual(text.count(self.sinks), 1)
        conf.write_text(text.replace(self.sinks, sinks))
        self.sinks = sinks
        self.reload()

    def capture(self, text, moved=True):
        """Writes the keys of capture beside the file and waits until the agent has read them."""
        self.file("conf.d/capture.yaml", f"capture: {text}\n")
        listen = re.search("listen: '(.*?)'", text)
        self.reload(listen[1] if listen and moved else None)

    def reload(self, listen=None):
        before = self.agent.metrics().sum("fffa_config_reloads_total")
        self.agent.process.send_signal(signal.SIGHUP)
        self.agent.listen = listen or self.agent.listen

        def done():
            try:
                return self.agent.metrics().sum("fffa_config_reloads_total") > before
            except OSError:  # nobody listens there now
                return False
        program.await_that("the reload", done, self.agent.process, self.agent.log)

    def names(self):
        return [s["name"] for s in self.agent.json("/status")["sinks"]]

    def seqs(self, name):
        """Of the complete lines: a write of more than a page is seen in parts."""
        path = self.dir / f"{name}.json"
        lines = path.read_text().splitlines(True) if path.exists() else []
        return [json.loads(line)["seq"] for line in lines if line.endswith("\n")]

    def whole(self, seqs):
        """Each number once, without a hole."""
        self.assertEqual(len(seqs), len(set(seqs)), "a record was repeated")
        self.assertEqual(sorted(seqs), list(range(min(seqs), max(seqs) + 1)), "a record is missing")

    def test_added_changed_removed(self):
        a = self.sink("a")
        self.start(f"[{a}]")
        program.await_that("records", lambda: self.seqs("a"), self.agent.process)
        self.hup(f"[{a}, {self.sink('b')}]")
        self.assertEqual(self.names(), ["a", "b"])
        program.await_that("records of b", lambda: self.seqs("b"), self.agent.process)
        # b writes smaller batches, to another file; it keeps its numbers.
        changed = self.sink("b").replace("b.json", "c.json").replace("age: 50ms", "age: 50ms, records: 3")
        self.hup(f"[{a}, {changed}]")
        program.await_that("records of c", lambda: len(self.seqs("c")) > 20, self.agent.process)
        self.hup(f"[{a}]")
        self.assertEqual(self.names(), ["a"])
        self.agent.logged("sink b is removed: ")
        self.whole(self.seqs("b") + self.seqs("c"))
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def hooked(self, *expected):
        """The hooks follow when no drain runs."""
        program.await_that(f"the hooks {expected}", lambda: set(expected) == {
            (h["interface"], h["direction"]) for h in self.agent.json("/status")["hooks"]}, self.agent.process)

    def records(self, name, of, to="127.0.0.1"):
        """The records that the sink has of a flow that begins only now."""
        self.port = getattr(self, "port", 50000) + 1
        path, port = self.dir / f"{name}.json", self.port
        found = []

        def look():
            agent.send(port, 100, to)
            lines = path.read_text().splitlines(True)[:-1] if path.exists() else []
            found[:] = [r for r in map(json.loads, lines) if r.get("dstport") == port and of(r)]
            return found
        program.await_that(f"records to port {port}", look, self.agent.process)
        return found

    def test_capture_keys(self):
        ip("link", "add", "c0", "type", "veth", "peer", "name", "c1")
        self.addCleanup(ip, "link", "del", "c0")
        self.start(f"[{self.sink('a')}]")
        lo = ("lo", "egress"), ("lo", "ingress")
        self.hooked(*lo)
        self.capture("{interfaces: [lo, 'c*'], exclude: [c1]}")
        self.hooked(("c0", "egress"), ("c0", "ingress"), *lo)
        self.capture("{interfaces: [lo], direction: ingress}")
        self.hooked(lo[1])
        self.records("a", lambda r: r["flow_direction"] == "ingress")
        self.capture("{direction: ingress, hook: xdp}")
        self.agent.logged("XDP does not fit")
        self.assertEqual(self.agent.get("/readyz")[0], 503)
        self.capture("{direction: both, hook: tc}")
        self.hooked(*lo)
        self.assertEqual(self.agent.get("/readyz")[0], 200)
        self.capture("{sample: 4, drain_interval: 200ms, geneve_ports: [6082], tunnel_view: outer}")
        self.records("a", lambda r: r.get("sampled") == 4)
        self.capture("{sample: 1}")
        self.records("a", lambda r: "sampled" not in r)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.capture("{max_flows: 2048}")
        self.agent.logged("capture.max_flows: the new value needs a restart")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 1)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_a_tunnel_is_opened_from_now_on(self):
        """Its port was not that of a tunnel before; then nobody receives it, then somebody, then it is named."""
        self.start(f"[{self.sink('a')}]")

        def send(port, vni):
            inner = bytes(12) + b"\x08\x00" + ipv4_udp("192.0.2.1", "192.0.2.2", 1111, 2222)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
                out.sendto(bytes([8, 0, 0, 0, 0, 0, vni, 0]) + inner, ("127.0.0.1", port))

        def records():
            path = self.dir / "a.json"
            return map(json.loads, path.read_text().splitlines(True)[:-1] if path.exists() else [])

        def arrives(port, vni, what):
            def look():
                send(port, vni)
                return any(what(r) for r in records())
            program.await_that(f"a record of port {port}", look, self.agent.process)

        def opened(vni):
            return lambda r: r.get("dstport") == 2222 and r.get("vni") == vni
        arrives(5000, 6, lambda r: r.get("dstport") == 5000)
        self.capture("{vxlan_ports: [5001]}")
        arrives(5001, 7, lambda r: r.get("dstport") == 5001 and not r["encapsulated"])
        self.agent.logged("tunnels that no socket and no tunnel device of this host receives")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 5001))
            arrives(5001, 8, opened(8))
        self.assertFalse([r for r in records() if r.get("vni") == 7])
        self.capture("{vxlan_ports: [5000], decapsulate: [vxlan]}")
        arrives(5000, 9, opened(9))
        self.capture("{vxlan_ports: [5000], decapsulate: [vxlan], tunnel_view: outer}")
        self.agent.logged("capture.tunnel_view: the new value is in use")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()

    def test_status_moves_and_queues_get_other_bounds(self):
        self.start(f"[{self.sink('a')}]")
        self.capture("{}\nstatus: {listen: '127.0.0.1:9978'}")
        self.assertEqual(self.agent.listen, "127.0.0.1:9978")
        self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", 9977))
        with socket.create_server(("127.0.0.1", 9979)):
            self.capture("{}\nstatus: {listen: '127.0.0.1:9979'}", moved=False)
        self.agent.logged("cannot listen at 127.0.0.1:9979")
        self.agent.logged("status.listen: the old address stays in use")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 1)
        self.capture("{}\nstatus: {listen: '127.0.0.1:9977'}\n"
                     "sinks: [{name: a, queue: {memory: 1MiB, when_full: drop_oldest}, batch: {bytes: 64KiB}}]")
        program.await_that("the bound", lambda: self.agent.metrics().sum("fffa_sink_queue_capacity_bytes", sink="a") == 1 << 20)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_a_wrong_drop_in_changes_nothing(self):
        self.start(f"[{self.sink('a')}]")
        self.capture("{sample: 0}")
        self.agent.logged(f"{self.dir}/conf.d/capture.yaml:1: capture.sample: 0 is out of range")
        self.assertEqual(self.agent.metrics().sum("fffa_config_last_reload_successful"), 0)
        self.capture("{sample: 2}")
        self.assertEqual(self.agent.metrics().sum("fffa_config_last_reload_successful"), 1)

    def imds(self, account):
        """The URL of a metadata service of this account."""
        mock = subprocess.Popen([sys.executable, IMDS, "--port", "0", "--account", account], stdout=subprocess.PIPE, text=True)
        self.addCleanup(mock.stdout.close)
        self.addCleanup(mock.wait)
        self.addCleanup(mock.kill)
        return f"http://127.0.0.1:{mock.stdout.readline().split()[1]}"

    def test_metadata_keys(self):
        """Records carry the new identity from then on. What the new settings could not learn stays as it was."""
        first, second = self.imds("111111111111"), self.imds("222222222222")
        ranges = {"prefixes": [{"ip_prefix": "52.95.0.0/16", "region": "us-east-1", "service": "S3", "network_border_group": "us-east-1"}],
                  "ipv6_prefixes": [], "syncToken": "1", "createDate": "2026-01-01-00-00-00"}
        path = self.file("ranges.json", json.dumps(ranges))

        def change(imds, more=""):
            self.capture(f"{{}}\nmetadata: {{imds: {{enabled: on, timeout: 500ms, endpoint: '{imds}'}}{more}}}")

        def carries(**fields):
            self.records("a", lambda r: all(r.get(k) == v for k, v in fields.items()), "52.95.1.1")
        ip("addr", "add", "52.95.1.1/32", "dev", "lo")
        self.start(f"[{self.sink('a')}]")
        self.records("a", lambda r: "account_id" not in r)
        change(first)
        carries(account_id="111111111111", az_id="use1-az4")
        change(first, ", static: {account_id: '333333333333', az_id: use1-az9}, interfaces: {lo: {vpc_id: vpc-0123}}")
        carries(account_id="333333333333", az_id="use1-az9", vpc_id="vpc-0123")
        change(second, f", ip_ranges: {path}, interfaces: {{'l*': {{vpc_id: vpc-4567}}}}, host_name: h1")
        carries(account_id="222222222222", az_id="use1-az4", vpc_id="vpc-4567", host_name="h1", pkt_dst_aws_service="S3")
        # Nothing answers there, and no such file: what was learned stays.
        change("http://127.0.0.1:9", f", ip_ranges: {path}.gone, static: {{az_id: use1-az8}}")
        carries(account_id="222222222222", az_id="use1-az8", pkt_dst_aws_service="S3")
        program.await_that("the failure", lambda: self.agent.json("/status")["metadata"]["imds"] == "failing", self.agent.process)
        self.assertGreater(self.agent.metrics().sum("fffa_metadata_errors_total"), 0)
        change("ftp://x")
        self.agent.logged("is not an endpoint; ")
        carries(account_id="222222222222", az_id="use1-az8")
        self.capture("{}\nmetadata: {imds: {enabled: off}}")
        carries(account_id=None, az_id=None)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        ip("link", "add", "m0", "type", "veth", "peer", "name", "m1")
        self.addCleanup(ip, "link", "del", "m0")
        self.capture("{interfaces: [lo, m0]}")
        self.hooked(("lo", "egress"), ("lo", "ingress"), ("m0", "egress"), ("m0", "ingress"))
        self.capture("{interfaces: [lo, m0]}\nmetadata: {static: {interface_id: eni-1, account_id: '444444444444'}}")
        self.agent.logged("metadata.static.interface_id names one interface, but 2 are captured on")
        carries(account_id=None)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 1)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_names_of_networks(self):
        """A map that comes, changes and goes; a bad one leaves the last good one in use."""
        def change(name, text=None, more=""):
            path = self.file(name, text) if text else self.dir / name
            self.capture(f"{{}}\nmetadata: {{networks: '{path}'{more}}}")

        def carries(name, zone):
            self.records("a", lambda r: (r.get("src_network"), r.get("dst_network"), r.get("dst_az_id")) == (name, name, zone))
        self.start(f"[{self.sink('a')}]")
        carries(None, None)
        change("home.csv", "127.0.0.0/8,home,,,,use1-az4\n")
        carries("home", "use1-az4")
        change("office.csv", "127.0.0.0/8,office,,,,use1-az6\n127.0.0.0/31,door\n")
        carries("door", None)
        change("bad.csv", "127.0.0.0/8,bad\n127.0.0.0/77,bad\n")
        self.agent.logged('bad.csv: line 2: "127.0.0.0/77" is no prefix')
        self.agent.logged("metadata.networks: what was read before stays in use")
        carries("door", None)
        change("gone.csv")
        self.agent.logged("gone.csv: ")
        carries("door", None)
        self.assertGreater(self.agent.metrics().sum("fffa_metadata_errors_total", reason="networks"), 0)
        change("home.csv", more=", ecs: perhaps")  # refused whole
        self.assertEqual(self.agent.metrics().sum("fffa_config_last_reload_successful"), 0)
        carries("door", None)
        change("home.csv")
        carries("home", "use1-az4")
        self.capture("{}")
        carries(None, None)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_a_filter_comes_and_goes(self):
        """With it the sink has a stream of its own, and keeps it. There is no hole where nothing is lost, and no restart misses a number."""
        a = self.sink("a", ", queue: {spool: 16MiB}")
        tcp, udp = a[:-1] + ", filter: tcp}", a[:-1] + ", filter: udp}"
        def last():
            return json.loads((self.dir / "a.json").read_text().splitlines(True)[:-1][-1])
        self.start(f"[{a}, {self.sink('b')}]")
        self.more("a")
        for sink in (udp, tcp, udp, a, udp, a):
            self.hup(f"[{sink}, {self.sink('b')}]")
            self.more("b" if sink == tcp else "a")
            if sink != tcp:
                program.await_that("the stream", lambda: "stream" in last(), self.agent.process)
        self.hup(f"[{self.sink('b')}]")
        self.hup(f"[{a}, {self.sink('b')}]")
        self.more("a")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.assertEqual(self.agent.metrics().sum("fffa_records_lost_total"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        records = [json.loads(line) for line in (self.dir / "a.json").read_text().splitlines()]
        seqs = [r["seq"] for r in records]
        self.assertEqual(seqs, sorted(set(seqs)), "a number was given twice")
        self.assertEqual({r.get("stream") for r in records}, {None, "a"})
        self.assertEqual(["stream" in r for r in records], sorted("stream" in r for r in records), "it is back in the common stream")
        self.assertGreater(len([r for r in records if "stream" in r]), 40)
        self.whole(seqs)
        self.whole(self.seqs("b"))
        again = agent.Agent(self, "127.0.0.1:9977", sinks=f"[{a}]")
        self.assertEqual(again.metrics().sum("fffa_records_lost_total"), 0)
        self.assertEqual([line for line in again.log if "earlier run" in line], [])
        again.stop()

    def test_what_capture_leaves_out_is_counted(self):
        """capture.filter comes, changes and goes. Each packet is in a record or counted as filtered."""
        def sums():
            """The filtered packets and bytes, of books that balance."""
            books = self.agent.json("/status")["ledger"]
            for unit in ("packets", "bytes"):
                terms = {name: sum(n.values()) if name == "lost" else n for name, n in books[unit].items()}
                self.assertEqual(terms.pop("seen"), sum(terms.values()), books)
            return [books[unit]["filtered"] for unit in ("packets", "bytes")]

        def leaves_out(port):
            """Sends 5 datagrams of 100 bytes, which cross the device twice, and waits until they are counted."""
            packets, size = sums()
            agent.send(port, 5)
            program.await_that(f"what is left out of port {port}", lambda: sums()[0] >= packets + 10, self.agent.process)
            self.assertEqual(sums(), [packets + 10, size + 1000])

        def keeps(port):
            before = sums()
            agent.send(port, 5)
            program.await_that(f"records to port {port}", lambda: sum(r["packets"] for r in self.agent.records(port)) == 10,
                               self.agent.process)
            self.assertEqual(sums(), before)
        (self.dir / "conf.d").mkdir()
        # The requests of this test and the answers of closed ports are on the device, too. No filter leaves them out.
        self.agent = agent.Agent(self, "127.0.0.1:9977")
        keeps(4001)
        self.capture("{filter: 'not udp or port 4002'}")
        keeps(4002)
        leaves_out(4001)
        self.capture("{filter: 'not udp or net 10.0.0.0/77'}")  # refused: the last one stays
        self.agent.logged("capture.filter: column ")
        leaves_out(4003)
        self.capture("{filter: 'not udp or port 4003'}")
        leaves_out(4002)
        keeps(4003)
        self.capture("{}")
        keeps(4004)
        self.assertEqual(sums(), [30, 3000])
        # Flags are known at the end of a window: the requests of this test end without RST.
        self.capture("{filter: 'not tcp or tcp[tcpflags] & tcp-rst != 0'}")
        program.await_that("requests that are left out", lambda: sums()[0] > 50, self.agent.process)
        with socket.socket() as refused:
            refused.bind(("127.0.0.1", 4005))
            self.assertNotEqual(refused.connect_ex(("127.0.0.1", 9)), 0)
        program.await_that("the RST, out and in", lambda: len(self.agent.records(4005)) == 2, self.agent.process)
        agent.send(4007)  # when its window ends, so have those before
        program.await_that("the records of a later flow", lambda: len(self.agent.records(4007)) == 2, self.agent.process)
        self.capture("{}")
        keeps(4006)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.assertEqual(self.agent.metrics().sum("fffa_packets_filtered_total"), sums()[0])
        books = self.agent.stop()
        self.assertEqual(books["seen_packets"], books["recorded_packets"] + books["filtered_packets"])
        self.assertEqual(books["seen_bytes"], books["recorded_bytes"] + books["filtered_bytes"])
        records = [json.loads(line) for line in self.agent.out.read_text().splitlines()]
        self.whole([r["seq"] for r in records])
        self.assertEqual(sum(r["packets"] for r in records), books["recorded_packets"])
        self.assertEqual([r for r in records if r.get("dstport") == 9], [], "the SYN's own flow has no RST")

    def in_flight(self, name):
        return self.agent.metrics().sum("fffa_sink_in_flight_records", sink=name)

    def waiting(self, name):
        """Waits for more records that the sink cannot deliver."""
        n = self.in_flight(name)
        program.await_that("records that wait", lambda: self.in_flight(name) > n + 20, self.agent.process)

    def spooled(self, name):
        return self.agent.metrics().sum("fffa_sink_spool_bytes", sink=name)

    def account(self, name):
        """The highest number that the sink was given, and how many are settled (agent/spool/README.md)."""
        raw = (self.dir / f"spool/{name}/ack").read_bytes()
        slot = max((raw[at:at + 4096] for at in (0, 4096)), key=lambda slot: int.from_bytes(slot[:8], "little"))
        count, = struct.unpack_from("<Q", slot, 56)
        return struct.unpack_from("<2Q", slot, 64 + 56 * (count - 1) + 8)

    def restarted(self, sinks):
        """What a killed agent left: the one that follows has lost nothing that was delivered."""
        self.agent.kill()
        os.unlink(self.dir / "conf.d/capture.yaml")
        again = agent.Agent(self, "127.0.0.1:9977", sinks=sinks)
        program.await_that("records", lambda: again.metrics().sum("fffa_sink_records_total", outcome="delivered") > 0, again.process)
        self.assertEqual([line for line in again.log if "earlier run are lost" in line], [])
        again.stop()

    def test_a_spool_comes_and_goes(self):
        """What waits in memory goes to the disk, and what is on the disk is delivered; nothing is lost or repeated."""
        server = Collector(8095)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        h = "{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8095/', " \
            "retry: {min: 20ms, max: 50ms}, batch: {age: 20ms}}"
        spool = h[:-1] + ", queue: {spool: 16MiB}}"
        self.start(f"[{h}]")
        self.more("h")
        for i in range(3):
            server.token = "nobody"
            self.waiting("h")
            self.assertEqual(self.spooled("h"), 0)
            self.hup(f"[{spool}]")
            self.waiting("h")
            program.await_that("the spool", lambda: self.spooled("h") > 4000, self.agent.process)
            self.hup(f"[{h}]")
            self.waiting("h")
            if not i:
                self.hup(f"[{spool}]")
                self.agent.logged("queue.spool: the spool of before is not empty yet")
                self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 1)
                self.hup(f"[{h}]")
            server.token = None
            self.agent.logged("its spool is empty and is not used any more")
            program.await_that("the end of the spool", lambda: not self.spooled("h") and not os.path.exists(self.dir / "spool/h/ack"))
        self.more("h")
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.assertEqual(self.agent.metrics().sum("fffa_records_lost_total"), 0)
        self.hup(f"[{spool}]")
        self.more("h")
        self.ended.set()
        self.traffic.join()
        self.capture("{interfaces: [gone]}")
        program.await_that("the last records", lambda: not self.agent.metrics().sum("fffa_flows_active") and not self.in_flight("h"))
        seqs = [json.loads(line)["seq"] for line in server.lines]
        program.await_that("the account", lambda: self.account("h") == (max(seqs), max(seqs)), self.agent.process)
        self.whole(seqs)
        self.restarted(f"[{spool}]")

    def test_tables_and_dumps(self):
        """flows.max_flows and log.core_dumps."""
        def core():
            with open(f"/proc/{self.agent.process.pid}/limits", encoding="utf-8") as text:
                return next(line.split()[4] for line in text if line.startswith("Max core file size"))
        self.start(f"[{self.sink('a')}]")
        self.assertEqual(core(), "0")
        self.capture("{}\nflows: {max_flows: 2048}\nlog: {core_dumps: on}")
        self.assertEqual(self.agent.metrics().sum("fffa_flow_table_capacity"), 2048)
        self.assertNotEqual(core(), "0")
        self.capture("{}\nflows: {max_flows: 4000000}")
        self.assertEqual(self.agent.metrics().sum("fffa_flow_table_capacity"), 4000000)
        self.assertEqual(core(), "0")
        self.records("a", lambda r: True)
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def delivered(self, name):
        return self.agent.metrics().sum("fffa_sink_records_total", sink=name, outcome="delivered")

    def more(self, name):
        """Waits for more records of a sink."""
        n = self.delivered(name)
        program.await_that(f"records of {name}", lambda: self.delivered(name) > n + 20, self.agent.process)

    def test_the_format_of_a_file(self):
        """A file of another format, fields or header is rotated, as at a start; nothing is lost or repeated."""
        a, all_a = self.sink("a", ", rotate: {compress: none}"), "format: json, fields: [seq, epoch, dstport]"
        few = a.replace("format: json", all_a)
        self.start(f"[{a}]")
        kept = []
        for sink in (few, a.replace("format: json", "format: vpc"), a.replace("format: json", "format: flowlog"), few, a):
            self.more("a")
            self.hup(f"[{sink}]")
            self.more("a")
            program.await_that("the rotation", lambda: len(list(self.dir.glob("a.json.2*"))) > len(kept), self.agent.process)
            kept = sorted(self.dir.glob("a.json.2*"))
        self.assertEqual(self.agent.metrics().sum("fffa_config_pending_restart"), 0)
        self.assertEqual(self.agent.metrics().sum("fffa_records_lost_total", sink="a"), 0)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.assertEqual(len(kept), 5)
        texts = [path.read_text().splitlines() for path in (*kept, self.dir / "a.json")]
        self.assertTrue(all('"schema"' in line for line in texts[0] + texts[5]))
        self.assertTrue(all(sorted(json.loads(line)) == ["dstport", "epoch", "seq"] for line in texts[1] + texts[4] if "SKIP" not in line))
        self.assertEqual(texts[2][0].split()[0], "version")
        self.assertTrue(texts[3][0].startswith("flowlog version="))
        seqs = [json.loads(line)["seq"] for i in (0, 1, 4, 5) for line in texts[i]]
        self.assertEqual(len(seqs), len(set(seqs)))
        self.assertEqual(max(seqs), len(seqs) + len(texts[2]) - 1 + len(texts[3]))

    def test_the_format_of_what_a_collector_gets(self):
        """Each batch has the media type of its own bytes; what waits in the spool is sent as it is."""
        server = Collector(8096)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        h = "{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8096/', queue: {spool: 16MiB}, " \
            "retry: {min: 20ms, max: 50ms}, batch: {age: 20ms}}"
        text = h.replace("format: json", "format: flowlog")
        self.start(f"[{h}]")
        self.more("h")
        server.token = "nobody"
        self.agent.logged("HTTP 401")
        n = self.agent.metrics().sum("fffa_sink_in_flight_records", sink="h")
        program.await_that("records that wait", lambda: self.agent.metrics().sum("fffa_sink_in_flight_records", sink="h") > n + 20)
        self.hup(f"[{text}]")
        n = self.agent.metrics().sum("fffa_sink_in_flight_records", sink="h")
        program.await_that("records that wait", lambda: self.agent.metrics().sum("fffa_sink_in_flight_records", sink="h") > n + 20)
        server.token = None
        program.await_that("all formats", lambda: len({kind for _, kind in server.types}) == 2, self.agent.process)
        self.hup(f"[{h}]")
        self.more("h")
        self.more("h")
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        server.types.sort()  # by the records' numbers: several requests are under way at once, and arrive in any order
        types = [kind for i, (_, kind) in enumerate(server.types) if not i or kind != server.types[i - 1][1]]
        self.assertEqual(types, ["application/x-ndjson", "text/plain", "application/x-ndjson"])
        lines = [json.loads(line)["seq"] for line in server.lines if line.startswith(b"{")]
        self.assertEqual(len(lines), len(set(lines)))
        self.assertEqual(max(lines), len(server.lines))

    def test_a_sink_that_could_not_start_changes_nothing(self):
        """What `fffa check` finds on this host, HUP finds too; sinks that stay are not looked at."""
        a, good = self.sink("a"), self.sink("b")
        self.start(f"[{a}]")
        wrong = (a.replace("a.json", "gone/a.json"), "sinks[a].path: the directory "), \
            ("{name: h, type: http, format: json, url: 'https://127.0.0.1:9/', tls: {ca_file: /gone.pem}}", "sinks[h].tls.ca_file: "), \
            ("{name: k, type: kafka, format: json, topic: t, brokers: ['127.0.0.1:9'], properties: {foo.bar: 1}}", "foo.bar")
        for sink, words in wrong:
            self.hup(f"[{sink}, {good}]")
            self.agent.logged(words)
            self.assertEqual(self.names(), ["a"])
            self.assertEqual(self.agent.metrics().sum("fffa_config_last_reload_successful"), 0)
        self.hup(f"[{a}, {good}]")
        self.more("b")
        (self.dir / "b.json").rename(self.dir / "c.json")
        (self.dir / "b.json").mkdir()
        self.hup(f"[{a}, {good}, {self.sink('d')}]")
        self.assertEqual(self.names(), ["a", "b", "d"])
        self.assertEqual(self.agent.metrics().sum("fffa_config_last_reload_successful"), 1)
        (self.dir / "b.json").rmdir()
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))

    def test_a_secret_is_changed(self):
        """The collector's token was rotated: what is refused waits for the new one, which needs no HUP."""
        server = Collector(8098, "Bearer old")
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        token = self.file("token", "old")
        h = f"{{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8098/', auth: {{bearer_file: {token}}}, " \
            "retry: {min: 20ms, max: 50ms}, batch: {age: 50ms}}"
        self.start(f"[{h}]")
        program.await_that("records", lambda: server.lines, self.agent.process)
        server.token = "Bearer new"
        self.agent.logged("HTTP 401")
        self.file("token", "new")
        n = len(server.lines)
        program.await_that("records again", lambda: len(server.lines) > n + 50, self.agent.process)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole([json.loads(line)["seq"] for line in server.lines])

    def test_a_storm(self):
        """Sinks and devices come, change and go all the time under load."""
        a, server = self.sink("a"), Collector(8097)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        h = "{name: h, type: http, format: json, compress: none, url: 'http://127.0.0.1:8097/%d', batch: {age: 20ms}}"
        more = ["metadata: {static: {az_id: use1-az%d}}\nflows: {max_flows: 20000}", "flows: {max_flows: 1024}",
                "metadata: {interfaces: {lo: {vpc_id: vpc-%d}}}\nlog: {core_dumps: on}"]
        # One sink whose bytes, filter and spool change all the time.
        c = [self.sink("c", f", rotate: {{compress: none, keep: 0}}{keys}").replace("format: json", form) for form, keys in (
            ("format: json", ""), ("format: json, fields: [seq, stream, log_status]", ", filter: udp"),
            ("format: json", ", filter: udp, queue: {spool: 8MiB}"), ("format: json, fields: [seq, stream, log_status]", ""),
            ("format: json", ", filter: ip"))]
        self.start(f"[{a}, {c[0]}]")
        for sink in "ac":  # so their files are open
            self.more(sink)
        before = len(os.listdir(f"/proc/{self.agent.process.pid}/fd"))
        for i in range(100):
            self.hup("[" + ", ".join({0: [a, self.sink("b")], 1: [h % 1, a], 2: [a, h % 2], 3: [a]}[i % 4] + [c[i % 5]]) + "]")
            text = more[i % 3] % i if "%d" in more[i % 3] else more[i % 3]
            self.capture(["{interfaces: [lo, 's*']}", "{interfaces: [lo], sample: 1}", "{interfaces: [lo, s0], exclude: [s1]}"][i % 3] + "\n" + text)
            if i % 10 == 0:
                ip("link", "add", "s0", "type", "veth", "peer", "name", "s1")
                self.addCleanup(subprocess.run, ["ip", "link", "del", "s0"], stderr=subprocess.DEVNULL, check=False)
            if i % 10 == 5:
                ip("link", "del", "s0")
            for port in range(30000, 30020):
                agent.send(port)
        self.hup(f"[{a}, {c[0]}]")
        self.capture("{}")
        program.await_that("descriptors", lambda: len(os.listdir(f"/proc/{self.agent.process.pid}/fd")) <= before + 2, self.agent.process)
        self.ended.set()
        self.traffic.join()
        self.agent.stop()
        self.whole(self.seqs("a"))
        records = [json.loads(line) for path in (*sorted(self.dir.glob("c.json.2*")), self.dir / "c.json")
                   for line in path.read_text().splitlines()]
        seqs = [r["seq"] for r in records]
        self.assertEqual(len(seqs), len(set(seqs)), "a record was repeated")
        self.assertEqual([r for r in records if r["log_status"] == "SKIPDATA"], [])
        final = next(line for line in self.agent.log if "sink=c " in line)
        self.assertIn(f"delivered={len(records)}", final)
        for seqs in (self.seqs("b"), [json.loads(line)["seq"] for line in server.lines]):
            self.assertEqual(len(seqs), len(set(seqs)))
        removed = [line for line in self.agent.log if "is removed: " in line]
        self.assertEqual(len(removed), 50)
        self.assertEqual([line for line in removed if not line.endswith(" lost=0\n")], [])


if __name__ == "__main__":
    why = namespace.enter()
    if why:
        program.skip_all(why)
    unittest.main()
