#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The metadata reader with AWS's own mock: aemm.py CLIENT DIR

Builds amazon-ec2-metadata-mock below DIR with the Go toolchain, once. Skipped without the toolchain or a module proxy.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import unittest

MODULE, VERSION = "github.com/aws/amazon-ec2-metadata-mock/cmd/ec2-metadata-mock", "v1.13.0"
CLIENT, DIR, AEMM = "", "", ""


def skip(why):
    print(why)
    sys.exit(77)


def build():
    binary = os.path.join(DIR, VERSION, "ec2-metadata-mock")
    if os.path.exists(binary):
        return binary
    go = shutil.which("go", path=os.environ.get("PATH", "") + ":/usr/local/go/bin")
    if not go:
        skip("no Go toolchain: the mock cannot be built")
    env = dict(os.environ, GOBIN=os.path.dirname(binary), GOFLAGS="-mod=mod")
    made = subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        print(made.stdout)
        skip(f"{MODULE} {VERSION} could not be had or built")
    return binary


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Aemm(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.home = tempfile.TemporaryDirectory()
        self.addCleanup(self.home.cleanup)
        self.port = free_port()
        self.mock = None

    def start(self, config=None):
        """Starts the mock with IMDSv2 only, on loopback; returns once it listens."""
        args = [AEMM, "-I", "-n", "127.0.0.1", "-p", str(self.port)]
        if config:
            path = os.path.join(self.home.name, "config.json")
            with open(path, "w") as f:
                json.dump(config, f)
            args += ["-c", path]
        with open(os.path.join(self.home.name, "log"), "ab") as log:
            self.mock = subprocess.Popen(args, stdout=log, stderr=log, env=dict(os.environ, HOME=self.home.name))
        self.addCleanup(self.stop, self.mock)
        end = time.monotonic() + 20
        while True:
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            self.assertIsNone(self.mock.poll(), "the mock ended")
            self.assertLess(time.monotonic(), end, "the mock does not listen")
            time.sleep(0.02)

    @staticmethod
    def stop(process):
        if process.poll() is None:
            process.kill()
        process.wait()

    def client(self, ttl=21600, refresh_ms=50, rounds=1):
        p = subprocess.Popen([CLIENT, f"http://127.0.0.1:{self.port}", str(ttl), str(refresh_ms), str(rounds)],
                             stdout=subprocess.PIPE, text=True)
        self.addCleanup(p.stdout.close)
        self.addCleanup(self.stop, p)
        return p

    def line(self, client):
        return json.loads(client.stdout.readline())

    def test_its_sample_data(self):
        self.start()
        client = self.client()
        got = self.line(client)
        self.assertEqual(client.wait(), 0)
        # The identity document and placement name different zones. AWS documents placement, which is read later.
        self.assertEqual(got, {
            "account_id": "0123456789", "instance_id": "i-1234567890abcdef0", "region": "us-east-1", "az": "us-east-1a",
            "az_id": "use1-az4", "sublocation_type": "", "instance_tag": "test%2Dinstance", "instance_tag_2": got["instance_tag_2"],
            "errors": {},
            "interfaces": [{
                "interface_id": "eni-0f95d3625f5c521cc", "subnet_id": "subnet-0ac62554", "vpc_id": "vpc-d295a6a7",
                "owner_id": "515336597381", "ipv4s": ["172.16.34.43/32"], "ipv6s": ["2001:db8:8:4::2/128"],
                "vpc_ipv4": ["192.0.2.0/24"], "vpc_ipv6": ["2001:db8::/32"], "subnet_ipv4": ["192.0.2.0/24"],
                "subnet_ipv6": ["2001:db8::/32"]}]})
        self.assertTrue(got["instance_tag_2"])

    def test_values_of_a_configuration(self):
        self.start({"metadata": {"values": {
            "placement-availability-zone": "us-west-2-lax-1a", "placement-availability-zone-id": "usw2-lax1-az1",
            "placement-region": "us-west-2", "mac-vpc-id": "vpc-0a", "mac-local-ipv4s": "10.0.0.5\n10.0.0.6"}}})
        client = self.client()
        got = self.line(client)
        self.assertEqual(client.wait(), 0)
        self.assertEqual((got["az"], got["region"]), ("us-west-2-lax-1a", "us-west-2"))
        self.assertEqual((got["sublocation_type"], got["az_id"]), ("localzone", ""))
        self.assertEqual(got["interfaces"][0]["vpc_id"], "vpc-0a")
        self.assertEqual(got["interfaces"][0]["ipv4s"], ["10.0.0.5/32", "10.0.0.6/32"])

    def test_tokens_are_renewed_before_they_die(self):
        self.start()
        client = self.client(ttl=1, refresh_ms=100, rounds=25)
        lines = [json.loads(line) for line in client.stdout]
        self.assertEqual(client.wait(), 0)
        self.assertEqual(len(lines), 25)  # more than two lifetimes of a token
        self.assertEqual(lines[-1]["errors"], {})

    def test_a_token_that_is_not_known_any_more(self):
        self.start()
        client = self.client(rounds=100000)
        first = self.line(client)
        self.stop(self.mock)
        self.start()
        while not (now := self.line(client))["errors"].get("unauthorized"):
            pass
        now = self.line(client)
        self.assertEqual(now["errors"]["unauthorized"], 1)
        for key in ("instance_id", "az_id", "interfaces", "instance_tag"):
            self.assertEqual(now[key], first[key])


if __name__ == "__main__":
    CLIENT, DIR = sys.argv[1:3]
    del sys.argv[1:]
    AEMM = build()
    unittest.main()
