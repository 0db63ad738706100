#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fffa replay makes exactly these records of these captures."""
import json
import subprocess
import unittest

import frames as f
import program

HEADER = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
          "action log-status")
S = 10**9
T0 = 1_700_000_000
SYN, SYNACK, ACK, FIN, RST = 0x02, 0x12, 0x10, 0x11, 0x04


def at(seconds, packet):
    return int((T0 + seconds) * S), f.eth(packet)


def tcp4(src, sport, dst, dport, flags, size=0):
    return f.ip(src, dst, 6, f.tcp(sport, dport, flags, size))


def line(src, dst, sport, dport, proto, packets, size, start, end):
    return f"2 - - {src} {dst} {sport} {dport} {proto} {packets} {size} {T0 + start} {T0 + end} ACCEPT OK"


class Replay(program.Case):
    def setUp(self):
        super().setUp()
        self.conf = self.file("fffa.yaml", "log: {level: info}\n")

    def config(self, sink, flows="{}", capture="{}"):
        self.file("fffa.yaml", f"flows: {flows}\ncapture: {capture}\nsinks: [{{name: out, type: file, path: \"-\", "
                               f"{sink}}}]\n")

    def replay(self, *args, code=0, **more):
        """Returns the lines of standard output, after checks that hold for every successful replay."""
        done = program.fffa("replay", "-c", self.conf, *args, **more)
        err = done.stderr if isinstance(done.stderr, str) else done.stderr.decode()
        out = done.stdout if isinstance(done.stdout, str) else done.stdout.decode()
        self.assertEqual(done.returncode, code, err)
        self.ledger = program.ledger(err)
        self.assertEqual(self.ledger["balance"], "ok")
        self.assertEqual(self.ledger["held_packets"], 0)
        for unit in ("packets", "bytes"):
            self.assertEqual(self.ledger[f"seen_{unit}"],
                             self.ledger[f"recorded_{unit}"] + self.ledger[f"lost_{unit}"])
        return out.splitlines()

    def records(self, *args, **more):
        lines = self.replay(*args, **more)
        self.assertEqual(lines[0], HEADER)
        return sorted(lines[1:])

    def capture(self, *packets, name="a.pcap", make=f.pcap):
        return self.file(name, make(packets))

    def talk(self):
        return [at(0, tcp4("10.0.0.1", 40000, "10.0.0.2", 443, SYN)),
                at(0.25, tcp4("10.0.0.2", 443, "10.0.0.1", 40000, SYNACK)),
                at(1.5, tcp4("10.0.0.1", 40000, "10.0.0.2", 443, ACK, 100)),
                at(2, f.ip("10.0.0.1", "10.0.0.53", 17, f.udp(5353, 53, bytes(30)))),
                at(3, f.ip("10.0.0.1", "10.0.0.9", 1, f.icmp(8, 0, 56))),
                at(4, f.ip("fd00::1", "fd00::2", 6, f.tcp(1024, 80, SYN))),
                at(5, f.ip("fd00::1", "fd00::2", 17, f.udp(1025, 53, bytes(10)))),
                at(6, f.ip("fd00::1", "fd00::2", 58, f.icmp(128, 0, 4)))]

    TALK = sorted([line("10.0.0.1", "10.0.0.2", 40000, 443, 6, 2, 40 + 140, 0, 1),
                   line("10.0.0.2", "10.0.0.1", 443, 40000, 6, 1, 40, 0, 0),
                   line("10.0.0.1", "10.0.0.53", 5353, 53, 17, 1, 58, 2, 2),
                   line("10.0.0.1", "10.0.0.9", 0, 0, 1, 1, 84, 3, 3),
                   line("fd00::1", "fd00::2", 1024, 80, 6, 1, 60, 4, 4),
                   line("fd00::1", "fd00::2", 1025, 53, 17, 1, 58, 5, 5),
                   line("fd00::1", "fd00::2", 0, 0, 58, 1, 52, 6, 6)])

    def test_pcap(self):
        self.assertEqual(self.records(self.capture(*self.talk())), self.TALK)
        self.assertEqual(self.ledger["seen_packets"], 8)
        self.assertEqual(self.ledger["records"], 7)

    def test_pcapng(self):
        self.assertEqual(self.records(self.capture(*self.talk(), make=f.pcapng)), self.TALK)

    def test_other_link_types(self):
        bare = [(ns, data[14:]) for ns, data in self.talk()]
        self.assertEqual(self.records(self.file("raw.pcap", f.pcap(bare, f.RAW))), self.TALK)
        cooked = [(ns, bytes(14) + data[12:]) for ns, data in self.talk()]
        self.assertEqual(self.records(self.file("sll.pcap", f.pcap(cooked, f.SLL))), self.TALK)

    def test_from_a_pipe(self):
        data = self.capture(*self.talk()).read_bytes()
        self.assertEqual(self.records("-", input=data, text=False), self.TALK)

    def test_several_files_are_one_stream(self):
        talk = self.talk()
        files = [self.capture(*talk[:2], name="1"), self.capture(*talk[2:5], name="2", make=f.pcapng),
                 self.capture(*talk[5:], name="3")]
        self.assertEqual(self.records(*files), self.TALK)

    def test_an_empty_capture(self):
        self.assertEqual(self.records(self.capture()), [])
        self.assertEqual(self.ledger["seen_packets"], 0)

    def test_paced_gives_the_same(self):
        path = self.capture(*self.talk())
        self.assertEqual(self.records("--speed", "1000", path), self.records("--speed", "max", path))

    def test_what_is_in_no_record_is_counted(self):
        path = self.capture(at(0, tcp4("10.0.0.1", 1, "10.0.0.2", 2, ACK)), (T0 * S, f.ETHER + b"\x08\x06" + bytes(46)),
                            (T0 * S, f.ETHER + b"\x08\x00" + b"\x44" + bytes(45)), (T0 * S, f.ETHER + b"\x08\x00\x45"))
        # One SKIPDATA record for each reason, in the same stream.
        skipped = f"2 - - - - - - - - - {T0} {T0} - SKIPDATA"
        self.assertEqual(self.records(path),
                         [skipped, skipped, line("10.0.0.1", "10.0.0.2", 1, 2, 6, 1, 40, 0, 0)])
        self.assertEqual(self.ledger["seen_packets"], 3)
        self.assertEqual(self.ledger["lost_malformed"], 1)
        self.assertEqual(self.ledger["lost_truncated"], 1)
        self.assertEqual(self.ledger["not_ip_frames"], 1)

    def test_local_prefixes_give_the_direction(self):
        path = self.capture(*self.talk())
        self.config('format: vpc, fields: "${srcaddr} ${dstaddr} ${srcport} ${flow-direction}"')
        got = self.replay("--local", "10.0.0.1", "--local", "fd00::/126", path)
        self.assertEqual(sorted(got[1:]), sorted([
            "10.0.0.1 10.0.0.2 40000 egress", "10.0.0.2 10.0.0.1 443 ingress", "10.0.0.1 10.0.0.53 5353 egress",
            "10.0.0.1 10.0.0.9 0 egress", "fd00::1 fd00::2 1024 egress", "fd00::1 fd00::2 1025 egress",
            "fd00::1 fd00::2 0 egress"]))
        got = self.replay(path)
        self.assertEqual({one.split()[3] for one in got[1:]}, {"ingress"})

    def test_capture_direction_leaves_the_other_out(self):
        self.config("format: vpc", capture="{direction: egress}")
        got = self.records("--local", "10.0.0.2", self.capture(*self.talk()))
        self.assertEqual(got, [line("10.0.0.2", "10.0.0.1", 443, 40000, 6, 1, 40, 0, 0)])

    def tunnelled(self):
        inner = tcp4("192.168.1.10", 8080, "192.168.1.20", 443, SYN, 20)
        options = f.gwlb(0x0123456789ABCDEF, 0xFEDCBA9876543210, 0xC00C1E)
        return self.capture(at(0, f.ip("10.0.1.100", "10.0.1.200", 17, f.udp(60000, 6081, f.geneve(inner, options, 7)))))

    def test_geneve_is_recorded_as_the_packet_inside(self):
        self.assertEqual(self.records(self.tunnelled()),
                         [line("192.168.1.10", "192.168.1.20", 8080, 443, 6, 1, 60, 0, 0)])
        self.config("format: vpc", capture="{decapsulate: []}")
        self.assertEqual(self.records(self.tunnelled()),
                         [line("10.0.1.100", "10.0.1.200", 60000, 6081, 17, 1, 28 + 8 + 32 + 60, 0, 0)])

    def test_json(self):
        self.config("format: json, fields: all")
        one, = [json.loads(text) for text in self.replay("--local", "10.0.1.0/24", self.tunnelled())]
        want = {"schema": 1, "srcaddr": "192.168.1.10", "dstaddr": "192.168.1.20", "srcport": 8080, "dstport": 443,
                "protocol": 6, "packets": 1, "bytes": 60, "start": T0, "end": T0, "start_ms": T0 * 1000,
                "end_ms": T0 * 1000, "flow_direction": "egress", "tcp_flags": 2, "tcp_flags_raw": 2,
                "end_reason": "forced", "encapsulated": True, "tunnel": "geneve", "tunnel_src": "10.0.1.100",
                "tunnel_dst": "10.0.1.200", "vni": 7, "gwlb_flow_cookie": 0xC00C1E, "log_status": "OK"}
        self.assertEqual({name: one.get(name) for name in want}, want)
        self.assertIn("0123456789abcdef", one["gwlbe_id"])

    def test_flowlog(self):
        self.config("format: flowlog")
        one, = self.replay("--local", "10.0.1.0/24", self.tunnelled())
        self.assertTrue(one.startswith(
            "flowlog version=2 proto=TCP src=10.0.1.100:8080 dst=10.0.1.200:443 pkt-src=192.168.1.10 "
            "pkt-dst=192.168.1.20 direction=1 encapsulated=true "), one)
        self.assertTrue(one.endswith(" time=2023-11-14T22:13:20Z"), one)

    def udp_at(self, *seconds):
        return self.capture(*[at(s, f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(1, 2))) for s in seconds])

    def test_idle_flows_end_by_capture_time(self):
        self.config("format: vpc", flows="{idle_timeout: 5s}")
        self.assertEqual(self.records(self.udp_at(0, 4, 8, 14, 15, 30)),
                         [line("10.0.0.1", "10.0.0.2", 1, 2, 17, n, 28 * n, a, b)
                          for n, a, b in ((1, 30, 30), (2, 14, 15), (3, 0, 8))])

    def test_long_flows_are_split_by_capture_time(self):
        self.config("format: vpc", flows="{idle_timeout: 1m, active_timeout: 1m}")
        self.assertEqual(self.records(self.udp_at(0, 25, 50, 75, 100, 125, 150)),
                         [line("10.0.0.1", "10.0.0.2", 1, 2, 17, n, 28 * n, a, b)
                          for n, a, b in ((1, 150, 150), (3, 0, 50), (3, 75, 125))])

    def test_a_reset_ends_both_directions(self):
        self.config("format: json, fields: [srcaddr, end_reason, packets]")
        path = self.capture(at(0, tcp4("10.0.0.1", 1, "10.0.0.2", 2, SYN)),
                            at(0.1, tcp4("10.0.0.2", 2, "10.0.0.1", 1, RST)),
                            at(30, f.ip("10.0.0.3", "10.0.0.4", 17, f.udp(1, 2))))
        got = {one["srcaddr"]: one["end_reason"] for one in map(json.loads, self.replay("--local", "10.0.0.1", path))}
        self.assertEqual(got, {"10.0.0.1": "end", "10.0.0.2": "end", "10.0.0.3": "forced"})

    def services(self, code=0):
        self.file("fffa.yaml", f"metadata: {{ip_ranges: {self.dir}/ranges.json}}\nsinks: [{{name: out, type: file, "
                               "path: '-', header: false, format: vpc, fields: "
                               "'${pkt-srcaddr} ${pkt-src-aws-service} ${pkt-dst-aws-service}'}]\n")
        many = [at(0, f.ip(src, dst, 17, f.udp(1, 2))) for src, dst in (
            ("52.0.0.1", "10.0.0.1"), ("10.0.0.2", "52.95.0.1"), ("2600:1f00::1", "fd00::1"), ("9.9.9.9", "51.0.0.0"))]
        return sorted(self.replay(self.capture(*many), code=code))

    def test_services_of_addresses(self):
        self.file("ranges.json", json.dumps({
            "prefixes": [{"ip_prefix": "52.0.0.0/8", "service": "AMAZON"}, {"ip_prefix": "52.95.0.0/16", "service": "S3"}],
            "ipv6_prefixes": [{"ipv6_prefix": "2600:1f00::/24", "service": "EC2"}]}))
        # Also in the first record: a replay waits for the file.
        for _ in range(5):
            self.assertEqual(self.services(), ["10.0.0.2 - S3", "2600:1f00::1 EC2 -", "52.0.0.1 AMAZON -", "9.9.9.9 - -"])

    NETWORKS = ("10.0.0.0/16,web,111122223333,vpc-1,subnet-1,use1-az4,local\n"
                "10.0.1.0/24,db,111122223333,vpc-1,subnet-2,use1-az6,local\n"
                "10.9.0.0/16,other,111122223333,vpc-9,,use1-az6,local\n"
                "0.0.0.0/0,internet,,,,,igw\n10.7.0.0/16,shared,,,,,tgw\n"
                + "".join(f"10.{20 + i}.0.0/16,path{i},,,,,{i}\n" for i in range(1, 9)))

    def networks(self, text, dst):
        self.file("networks.csv", text)
        self.file("fffa.yaml", f"metadata: {{networks: {self.dir}/networks.csv}}\nsinks: [{{name: out, type: file, "
                               "path: '-', format: json}]\n")
        path = self.capture(at(0, f.ip("10.0.0.1", dst, 17, f.udp(1, 2))), at(1, f.ip(dst, "10.0.0.1", 17, f.udp(2, 1))))
        both = {o["flow_direction"]: {k: o[k] for k in o if k.startswith(("next_hop", "traffic_p")) or "network" in k or
                                      k in ("src_az_id", "dst_az_id")}
                for o in map(json.loads, self.replay("--local", "10.0.0.1", path))}
        return both["egress"], both["ingress"]

    def test_networks_of_both_ends(self):
        web = {"src_network": "web", "src_az_id": "use1-az4"}
        hop = {"next_hop_subnet_id": "subnet-2", "next_hop_az_id": "use1-az6", "next_hop_vpc_id": "vpc-1"}
        out, back = self.networks(self.NETWORKS, "10.0.1.9")
        self.assertEqual(out, {**web, **hop, "dst_network": "db", "dst_az_id": "use1-az6", "traffic_path": 1})
        self.assertEqual(back, {**hop, "src_network": "db", "src_az_id": "use1-az6", "dst_network": "web",
                                "dst_az_id": "use1-az4"})
        self.assertEqual(self.networks(self.NETWORKS, "9.9.9.9")[0], {**web, "dst_network": "internet", "traffic_path": 8})
        # "local" is said of another VPC's network: nothing is known of the way to it.
        self.assertEqual(self.networks(self.NETWORKS, "10.9.9.9")[0], {**web, "dst_network": "other",
                                                                       "dst_az_id": "use1-az6"})
        self.assertEqual(self.networks(self.NETWORKS, "10.7.0.1")[0],
                         {**web, "dst_network": "shared", "traffic_path": 1, "next_hop_interface_type": "transit_gateway"})
        for i in range(1, 9):
            self.assertEqual(self.networks(self.NETWORKS, f"10.{20 + i}.0.1")[0]["traffic_path"], i)

    def test_a_bad_file_of_networks_names_its_line(self):
        self.assertEqual(self.networks("10.0.0.0/16,web\n10.0.0.0/40,x\n", "10.0.1.9"), ({}, {}))
        got = program.fffa("check", "-c", f"{self.dir}/fffa.yaml")
        self.assertEqual(got.returncode, 78, got.stdout)
        self.assertIn('networks.csv: line 2: "10.0.0.0/40" is no prefix', got.stdout)

    def test_services_without_the_file(self):
        self.assertEqual(self.services(), ["10.0.0.2 - -", "2600:1f00::1 - -", "52.0.0.1 - -", "9.9.9.9 - -"])

    def test_standard_output_closed_early_is_no_crash(self):
        many = [at(i / 1000, f.ip("10.0.0.1", "10.0.0.2", 17, f.udp(1 + i % 60000, 2))) for i in range(20000)]
        path = self.capture(*many)
        self.file("fffa.yaml", "shutdown_timeout: 200ms\n")
        with subprocess.Popen([program.FFFA, "replay", "-c", self.conf, path], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as child:
            self.assertEqual(child.stdout.readline().strip(), HEADER)
            child.stdout.close()
            child.terminate()  # retried for ever otherwise: a reader may come back to a pipe, by design
            err = child.stderr.read()
            self.assertEqual(child.wait(program.WAIT_S), 1, err)
        self.assertEqual(program.ledger(err)["balance"], "ok")


if __name__ == "__main__":
    unittest.main()
