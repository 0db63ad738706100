# SPDX-License-Identifier: MIT
"""Shared by the tests of readers: files of records, their expected values, and how to fetch a reader."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import frames as f
import program

PEERS = pathlib.Path(os.environ["FFFA_PEERS"])
GOLDENS = program.ROOT / "tests/data/encode"
T0 = 1_700_000_000
INTS = {"version", "srcport", "dstport", "protocol", "packets", "bytes", "start", "end", "tcp_flags", "traffic_path",
        "encryption_status"}
IDENTITY = ("{account_id: '111122223333', interface_id: eni-0aa11bb22cc33dd44, vpc_id: vpc-12345678, "
            "subnet_id: subnet-87654321, instance_id: i-1234567890abcdef0, region: us-east-1, az: us-east-1a, "
            "az_id: use1-az4}")


def run(*command, **more):
    """Runs a command and returns its output as text; shows the output on failure."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        raise AssertionError(f"{command[0]}: status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def fetch(what, *command, **more):
    """Runs a step that needs a package source; without one the test is skipped."""
    began = time.monotonic()
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **more)
    if done.returncode:
        print(done.stdout, done.stderr)
        program.skip_all(f"{what} cannot be fetched here")
    print(f"{what} fetched in {time.monotonic() - began:.1f} s")


def build(what, *command, **more):
    began = time.monotonic()
    run(*command, **more)
    print(f"{what} built in {time.monotonic() - began:.1f} s")


def need(tool, version=None):
    """Returns the tool's path; skips the test when it is missing or older than version (two numbers)."""
    path = shutil.which(tool)
    if not path:
        program.skip_all(f"{tool} is not installed")
    if version:
        said = run(path, "version" if tool == "go" else "--version")
        words = [word.removeprefix("go").split(".") for word in said.split() if "." in word and word[-1].isdigit()]
        if tuple(int(part) for part in words[0][:2]) < version:
            program.skip_all(f"{tool} is older than {version[0]}.{version[1]}: {said.strip()}")
    return path


def talk():
    """Writes a capture with one of each: TCP with its end, UDP, ICMP, IPv6, ICMPv6, GENEVE, a protocol without ports, loss."""
    def at(seconds, packet):
        return int((T0 + seconds) * 10**9), f.eth(packet)

    inner = f.ip("192.168.1.10", "192.168.1.20", 6, f.tcp(8080, 443, 0x18, 10))
    outer = f.udp(50000, 6081, f.geneve(inner, options=f.gwlb(1, 2, 3)))
    return [at(0, f.ip("10.0.0.1", "10.0.0.2", 6, f.tcp(40000, 443, 0x02))),
            at(0.25, f.ip("10.0.0.2", "10.0.0.1", 6, f.tcp(443, 40000, 0x12))),
            at(1.5, f.ip("10.0.0.1", "10.0.0.2", 6, f.tcp(40000, 443, 0x11, 100))),
            at(2, f.ip("10.0.0.1", "10.0.0.53", 17, f.udp(5353, 53, bytes(30)))),
            at(3, f.ip("10.0.0.1", "10.0.0.9", 1, f.icmp(8, 0, 56))),
            at(4, f.ip("2001:db8::1", "2001:db8::2", 6, f.tcp(1024, 80, 0x02))),
            at(5, f.ip("2001:db8::1", "2001:db8::2", 58, f.icmp(128, 0, 4))),
            at(6, f.ip("10.0.1.100", "10.0.1.200", 17, outer)),
            at(7, f.ip("10.0.0.1", "10.0.0.2", 47, bytes(24))),
            (T0 * 10**9, f.ETHER + b"\x08\x00" + b"\x44" + bytes(45))]  # malformed: a SKIPDATA record


def expected(path):
    """Reads a vpc file by AWS's rule: names in the first line, separated by one space, "-" for no value."""
    header, *lines = path.read_text().splitlines()
    names = [name.replace("-", "_") for name in header.split(" ")]
    records = []
    for line in lines:
        values = line.split(" ")
        assert len(values) == len(names), line
        records.append({name: None if value == "-" else int(value) if name in INTS else value
                        for name, value in zip(names, values)})
    return records


class Case(unittest.TestCase):
    """A test with a folder in which the program has replayed one capture into every format."""
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="fffa-")
        cls.addClassCleanup(folder.cleanup)
        cls.dir = pathlib.Path(folder.name)
        capture = cls.dir / "talk.pcap"
        capture.write_bytes(f.pcap(talk()))
        sinks = [("vpc-default.log", "vpc, fields: default"), ("vpc-v5.log", "vpc, fields: v5"),
                 ("vpc-all.log", "vpc, fields: all"), ("vpc-firehose.json", "vpc, envelope: firehose"),
                 ("all.json", "json"), ("all.msgpack", "msgpack"), ("ocsf.json", "ocsf"), ("ecs.json", "ecs")]
        rows = "".join(f"  - {{name: s{i}, type: file, path: '{cls.dir / name}', format: {what}}}\n"
                       for i, (name, what) in enumerate(sinks))
        conf = cls.dir / "fffa.yaml"
        conf.write_text(f"metadata: {{static: {IDENTITY}}}\nsinks:\n{rows}")
        done = program.fffa("replay", "-c", conf, "--local", "10.0.0.1/32", capture)
        if done.returncode:
            raise AssertionError(done.stderr)

    def vpc_files(self, *names):
        """Returns the golden files and those of the replay."""
        for folder in (GOLDENS, self.dir):
            for name in names:
                path = folder / name
                records = expected(path)
                self.assertGreaterEqual(len(records), 9, path)
                yield path, records
