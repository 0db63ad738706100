#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The shapes as their servers read them, and answers with verdicts for single records."""
import base64
import hashlib
import json
import socket
import struct
import unittest

import collector as c
import http_fixture
import program

# Where a shape has the fields that it does not show under their own names.
OCSF = {"host_name": "device.hostname", "src_network": "src_endpoint.zone", "dst_network": "dst_endpoint.zone",
        **{name: "unmapped." + name for name in ("src_az_id", "dst_az_id", "next_hop_subnet_id", "next_hop_az_id",
                                                 "next_hop_vpc_id", "next_hop_interface_type", "community_id")}}
ECS = {"host_name": "host.name", "community_id": "network.community_id", "traffic_path": "aws.vpcflow.traffic_path",
       **{name: "fffa." + name for name in ("src_network", "dst_network", "src_az_id", "dst_az_id")},
       **{name: "aws.vpcflow." + name for name in ("next_hop_subnet_id", "next_hop_az_id", "next_hop_vpc_id",
                                                    "next_hop_interface_type")}}


def community_id(src, dst, proto, sport, dport):
    """Community ID v1. The source is the lower end."""
    ends = socket.inet_aton(src) + socket.inet_aton(dst)
    return "1:" + base64.b64encode(hashlib.sha1(bytes(2) + ends + struct.pack("!BBHH", proto, 0, sport, dport)).digest()).decode()


class Shapes(http_fixture.Case):
    def collector(self, *script):
        server = c.Collector(script)
        self.addCleanup(server.close)
        server.base = f"http://127.0.0.1:{server.port}"
        return server

    def shape(self, shape, script=(), records=30, **more):
        server = self.collector(*script)
        if shape == "elasticsearch":
            more.setdefault("index", "flows")
        conf = self.conf(server.base, shape=shape, compress="gzip", batch="{records: 10, age: 50ms}", **more)
        books = self.replay(conf, records)
        return server, books

    def test_splunk(self):
        token = self.file("token", "11111111-2222")
        server, books = self.shape("splunk_hec", auth=f"{{bearer_file: {token}}}", index="main", sourcetype="fffa:flow")
        self.all_delivered(books, 30)
        events = []
        for post in server.posts:
            self.assertEqual(post.path, "/services/collector/event")
            self.assertEqual(post.headers["Authorization"], "Splunk 11111111-2222")
            self.assertEqual(post.headers["Content-Type"], "application/json")
            text, read = post.body.decode(), json.JSONDecoder()
            while text:  # objects one after the other
                event, end = read.raw_decode(text)
                events.append(event)
                text = text[end:].lstrip()
        self.assertEqual(len({e["event"]["seq"] for e in events}), 30)
        for e in events:
            self.assertEqual((e["index"], e["sourcetype"], e["source"]), ("main", "fffa:flow", "fffa"))
            self.assertAlmostEqual(e["time"], e["event"]["end_ms"] / 1000, places=3)

    def bulk(self, post):
        lines = [json.loads(line) for line in post.body.splitlines()]
        return list(zip(lines[::2], lines[1::2]))

    def test_elasticsearch(self):
        server, books = self.shape("elasticsearch", [c.Answer(body=b'{"errors":false}')] * 3, index="flows")
        self.all_delivered(books, 30)
        ids = set()
        for post in server.posts:
            self.assertEqual(post.path, "/_bulk?filter_path=errors,items.*.status,items.*.error.type,error,status")
            self.assertEqual(post.headers["Content-Type"], "application/x-ndjson")
            self.assertTrue(post.body.endswith(b"\n"))
            for action, document in self.bulk(post):
                self.assertEqual(action["create"]["_index"], "flows")
                self.assertTrue(action["create"]["_id"].endswith(f"-{document['epoch']}-{document['seq']}"))
                self.assertEqual(document["@timestamp"], document["end_ms"])
                ids.add(action["create"]["_id"])
        self.assertEqual(len(ids), 30)

    def test_elasticsearch_judges_each(self):
        """A node that serves _bulk: it never takes some documents, refuses others at first, and one answer is lost."""
        store, tried, conflicts = {}, set(), []

        def serve(post):
            items, first = [], not tried
            for action, document in self.bulk(post):
                at, key = document["seq"] % 10, action["create"]["_id"]
                if key in store:
                    status = 409
                    conflicts.append(key)
                elif at == 3:
                    status = 400
                elif at in (5, 6) and key not in tried:
                    status = 429
                else:
                    status = 201
                    store[key] = document
                tried.add(key)
                items.append({"create": {"status": status}})
            if first:
                return c.Answer(act=c.reset)
            errors = any(item["create"]["status"] != 201 for item in items)
            return c.Answer(body=json.dumps({"errors": errors, "items": items}).encode())

        _, books = self.shape("elasticsearch", [serve] * 1000, requests=1)
        self.assertEqual((books["delivered"], books["rejected"]), (27, 3), self.said)
        self.assertEqual(len(store), 27)
        self.assertEqual({d["seq"] % 10 for d in store.values()}, set(range(10)) - {3})
        self.assertTrue(conflicts)  # the retry after the lost answer wrote no second document

    def test_elasticsearch_says_nothing_useful(self):
        good = c.Answer(body=b'{"errors":false}')
        server, books = self.shape("elasticsearch", [c.Answer(body=b"<html>"), c.Answer(body=b'{"errors":true,"items":[]}'), good],
                                   records=10)
        self.all_delivered(books, 10)
        self.assertEqual(len(server.posts), 3)
        # The answer is too long to be stored, so the next request has half as many records.
        long = c.Answer(body=b'{"errors":false,"items":[' + b" " * 600_000 + b"]}")
        server, books = self.shape("elasticsearch", [long, good, good], records=10)
        self.all_delivered(books, 10)
        self.assertEqual([len(self.bulk(p)) for p in server.posts], [10, 5, 5])

    def test_otlp(self):
        server, books = self.shape("otlp", labels="{deployment.environment: test}")
        self.all_delivered(books, 30)
        numbers = set()
        for post in server.posts:
            self.assertEqual(post.path, "/v1/logs")
            self.assertEqual(post.headers["Content-Type"], "application/json")
            resource = json.loads(post.body)["resourceLogs"][0]
            about = {a["key"]: a["value"]["stringValue"] for a in resource["resource"]["attributes"]}
            self.assertEqual((about["service.name"], about["deployment.environment"]), ("fffa", "test"))
            for record in resource["scopeLogs"][0]["logRecords"]:
                fields = {v["key"]: v["value"] for v in record["body"]["kvlistValue"]["values"]}
                self.assertEqual(record["timeUnixNano"], fields["end_ms"]["intValue"] + "000000")
                self.assertIsInstance(fields["srcaddr"]["stringValue"], str)
                numbers.add(fields["seq"]["intValue"])
        self.assertEqual(len(numbers), 30)

    def test_otlp_has_what_metadata_adds(self):
        """Names of host and networks, the path and Community ID: in the record of each format, which OTLP has as values."""
        common = {"host_name": "web-1", "src_network": "web", "dst_network": "db", "src_az_id": "use1-az4", "dst_az_id": "use1-az6",
                  "traffic_path": 1, "community_id": community_id("10.0.0.0", "10.9.9.9", 17, 1, 2)}
        kinds = {"local": {"next_hop_subnet_id": "subnet-2", "next_hop_az_id": "use1-az6", "next_hop_vpc_id": "vpc-1"},
                 "nat": {"next_hop_interface_type": "nat_gateway"}}

        def value(v):
            """An AnyValue as what it stands for."""
            (kind, inner), = v.items()
            if kind == "kvlistValue":
                return {one["key"]: value(one["value"]) for one in inner["values"]}
            return [value(one) for one in inner["values"]] if kind == "arrayValue" else int(inner) if kind == "intValue" else inner

        def at(record, path):
            for name in path.split("."):
                record = record[name]
            return record
        for form, names, kind in ((form, names, kind) for form, names in (("json", {}), ("ecs", ECS), ("ocsf", OCSF)) for kind in kinds):
            with self.subTest(form, kind=kind):
                server, more = self.collector(), {**common, **kinds[kind]}
                networks = self.file("networks.csv", "10.0.0.0/16,web,,vpc-1,subnet-1,use1-az4,local\n"
                                                     f"10.9.0.0/16,db,,vpc-1,subnet-2,use1-az6,{kind}\n")
                conf = self.conf(server.base, shape="otlp", compress="none", format=form, fields="'all, community_id'")
                done = program.fffa("replay", "-c", conf, "--local", "10.0.0.0/16", self.pcap(1), env={
                    "FFFA_METADATA_NETWORKS": str(networks), "FFFA_METADATA_HOST_NAME": "web-1"})
                self.assertEqual(done.returncode, 0, done.stderr)
                log = json.loads(server.posts[0].body)["resourceLogs"][0]
                self.assertIn({"key": "host.name", "value": {"stringValue": "web-1"}}, log["resource"]["attributes"])
                [record] = log["scopeLogs"][0]["logRecords"]
                record = value(record["body"])
                if form == "ocsf":
                    self.assertEqual(at(record, "connection_info.boundary_id"), 4)  # as path 1
                    del more["traffic_path"]
                self.assertEqual({name: at(record, names.get(name, name)) for name in more}, more)

    def test_otlp_partial_success(self):
        part = c.Answer(body=b'{"partialSuccess":{"rejectedLogRecords":"4","errorMessage":"no"}}')
        server, books = self.shape("otlp", [part])
        self.assertEqual((books["delivered"], books["rejected"]), (26, 4), self.said)
        self.assertEqual(len(server.posts), 3)  # what was rejected is not sent again

    def test_loki(self):
        server, books = self.shape("loki", [c.Answer(204)] * 3, labels="{env: test}")
        self.all_delivered(books, 30)
        numbers = set()
        for post in server.posts:
            self.assertEqual(post.path, "/loki/api/v1/push")
            [stream] = json.loads(post.body)["streams"]
            self.assertEqual((stream["stream"]["job"], stream["stream"]["env"]), ("fffa", "test"))
            for when, line in stream["values"]:
                record = json.loads(line)
                self.assertEqual(when, f"{record['end_ms']}000000")
                numbers.add(record["seq"])
        self.assertEqual(len(numbers), 30)

    def test_datadog(self):
        token = self.file("token", "0123abcd")
        server, books = self.shape("datadog", [c.Answer(202)] * 3, auth=f"{{bearer_file: {token}}}", labels="{env: test}")
        self.all_delivered(books, 30)
        numbers = set()
        for post in server.posts:
            self.assertEqual(post.path, "/api/v2/logs")
            self.assertEqual(post.headers["DD-API-KEY"], "0123abcd")
            for entry in json.loads(post.body):
                record = json.loads(entry["message"])
                self.assertEqual((entry["ddsource"], entry["service"], entry["ddtags"]), ("fffa", "fffa", "env:test"))
                self.assertEqual(entry["timestamp"], record["end_ms"])
                numbers.add(record["seq"])
        self.assertEqual(len(numbers), 30)

    def test_datadog_takes_a_thousand_at_once(self):
        server = self.collector()
        conf = self.conf(server.base, shape="datadog", compress="gzip", batch="{records: 5000, bytes: 8MiB, age: 1s}")
        self.all_delivered(self.replay(conf, 3000), 3000)
        self.assertTrue(all(len(json.loads(p.body)) <= 1000 for p in server.posts))

    def test_formats_of_other_schemas(self):
        """OCSF and ECS are JSON with nested objects. An ECS document has its own time."""
        server, books = self.shape("elasticsearch", [c.Answer(body=b'{"errors":false}')] * 3, format="ecs")
        self.all_delivered(books, 30)
        for post in server.posts:
            self.assertEqual(post.body.count(b'"@timestamp"'), len(self.bulk(post)))
        server, books = self.shape("otlp", format="ocsf")
        self.all_delivered(books, 30)
        records = json.loads(server.posts[0].body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"]
        fields = {v["key"]: v["value"] for v in records[0]["body"]["kvlistValue"]["values"]}
        self.assertEqual(fields["class_uid"], {"intValue": "4001"})
        self.assertIn("kvlistValue", fields["src_endpoint"])

    def test_a_path_of_ones_own(self):
        server = self.collector(c.Answer(body=b'{"errors":false}'))
        conf = self.conf(server.base + "/es/_bulk?pipeline=x", shape="elasticsearch", compress="none", format="vpc")
        self.all_delivered(self.replay(conf, 10), 10)
        self.assertEqual(server.posts[0].path, "/es/_bulk?pipeline=x&filter_path=errors,items.*.status,items.*.error.type,error,status")
        self.assertTrue(all(document["message"].startswith("2 ") for _, document in self.bulk(server.posts[0])))


if __name__ == "__main__":
    unittest.main()
