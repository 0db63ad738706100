#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The OpenTelemetry Collector's reader of AWS logs reads our files and returns the values under its names."""
import json
import os
import pathlib
import unittest

import peer

HERE = pathlib.Path(__file__).parent
PROGRAM = peer.PEERS / "otel/fffa-peer-otel"
ENV = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}

# Its names. Addresses, protocol, type and direction are below.
NAMES = {
    "version": "aws.vpc.flow.log.version", "account_id": "cloud.account.id", "interface_id": "network.interface.name",
    "srcport": "source.port", "dstport": "destination.port", "packets": "aws.vpc.flow.packets",
    "bytes": "aws.vpc.flow.bytes", "start": "aws.vpc.flow.start", "end": "timestamp", "action": "aws.vpc.flow.action",
    "log_status": "aws.vpc.flow.status", "vpc_id": "aws.vpc.id", "subnet_id": "aws.vpc.subnet.id",
    "instance_id": "host.id", "tcp_flags": "network.tcp.flags", "region": "cloud.region", "az_id": "aws.az.id",
    "sublocation_type": "aws.sublocation.type", "sublocation_id": "aws.sublocation.id",
    "pkt_src_aws_service": "aws.vpc.flow.source.service", "pkt_dst_aws_service": "aws.vpc.flow.destination.service",
    "traffic_path": "aws.vpc.flow.traffic_path",
}
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 58: "ipv6-icmp", 132: "sctp"}


def install():
    go = peer.need("go", (1, 24))
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    peer.fetch("awslogsencodingextension", go, "list", "-deps", "-f", "{{.ImportPath}}", ".", cwd=HERE, env=ENV)
    peer.build("awslogsencodingextension", go, "build", "-o", PROGRAM, ".", cwd=HERE, env=ENV)


def addresses(record):
    """Returns the addresses of the packet, and those of the interface if they differ."""
    said = {}
    for end, name in (("src", "source"), ("dst", "destination")):
        shown, packet = record[f"{end}addr"], record.get(f"pkt_{end}addr")
        said[f"{name}.address"] = packet or shown
        if packet and packet != shown:
            said["network.local.address"] = shown
    return said


def as_otel(record):
    said = {"cloud.provider": "aws", **addresses(record)}
    said.update({name: record.get(field) for field, name in NAMES.items()})
    for field in ("tcp_flags", "traffic_path"):  # stays a text
        if record.get(field) is not None:
            said[NAMES[field]] = str(record[field])
    if record["protocol"] is not None:
        said["network.protocol.name"] = PROTOCOLS[record["protocol"]]
    if record.get("type"):
        said["network.type"] = record["type"].lower()
    if record.get("flow_direction"):
        said["network.io.direction"] = {"ingress": "receive", "egress": "transmit"}[record["flow_direction"]]
    return {name: value for name, value in said.items() if value is not None}


class Otel(peer.Case):
    def test_files(self):
        # It reads no field of versions 7 and up, and logs that.
        for path, want in self.vpc_files("vpc-default.log", "vpc-v5.log", "vpc-all.log"):
            got = [json.loads(line) for line in peer.run(PROGRAM, path).splitlines()]
            self.assertEqual(len(got), len(want), path)
            for record, line in zip(got, want):
                if line["version"] != 2:
                    self.assertIn("type", line)
                self.assertEqual(record, as_otel(line), path)


if __name__ == "__main__":
    install()
    unittest.main()
