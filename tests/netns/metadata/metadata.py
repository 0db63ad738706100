#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The metadata service and a running agent: metadata.py FFFA

The service has its two real addresses. While it is silent at the start, records wait for a bounded time; once it
answers, they have its values. A new address on an interface makes the agent ask again.
"""

import json
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "e2e"))
import lab as L  # noqa: E402

MOCK = os.path.join(HERE, "..", "..", "stubs", "imds", "imds_mock.py")
METADATA6 = "fd00:ec2::254"
FFFA = ""
CONFIG = """
capture: {{interfaces: [v0], drain_interval: 100ms}}
flows: {{idle_timeout: 200ms, active_timeout: 1s, nodata: false}}
metadata: {{imds: {{enabled: on, timeout: 10s, refresh: 1h}}}}
sinks:
  - {{name: json, type: file, format: json, path: {dir}/flows.json, batch: {{age: 50ms}}}}
"""


class Metadata(unittest.TestCase):
    maxDiff = None

    def faults(self, rules):
        self.lab.file("faults.new", json.dumps(rules))
        os.rename(self.lab.file("faults.new"), self.lab.file("faults"))

    def records(self):
        try:
            with open(self.lab.file("flows.json")) as f:
                return [json.loads(line) for line in f.read().split("\n")[:-1]]
        except FileNotFoundError:
            return []

    def ways(self, wanted):
        got = {o["flow_direction"]: tuple(o.get(k) for k in ("srcaddr", "dstaddr", "pkt_srcaddr", "pkt_dstaddr",
                                                             "traffic_path"))
               for o in self.records() if "instance_id" in o and o["protocol"] == 1}
        return got if set(got) == wanted else None

    def rounds(self):
        with open(self.lab.file("imds.log")) as f:
            return sum("/document" in line for line in f)

    def setUp(self):
        self.lab = L.Lab(offloads=True)
        self.lab.__enter__()
        self.addCleanup(self.lab.close)

    def start_mock(self, address, port=80):
        mock = self.lab.start(self.lab.host, f"mock{port}", "/usr/bin/python3", MOCK, "--listen", address, "--port", str(port),
                              "--mac", L.HOST_MAC, "--fault-file", self.lab.file("faults"), "--log",
                              self.lab.file("imds.log"))
        mock.await_line("ready")

    def start_agent(self, *env):
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir))
        agent = self.lab.start(self.lab.host, "agent", "env", *env, FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        return agent

    def test_at_its_ipv6_address(self):
        L.sh("ip", "-n", self.lab.host, "-6", "addr", "add", METADATA6 + "/128", "dev", "lo", "nodad")
        self.faults([])
        self.start_mock(METADATA6)
        agent = self.start_agent("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE=IPv6")
        agent.await_line(r"identity learned from IMDS: instance=i-0123456789abcdef0 .*interfaces=1")
        self.assertEqual(agent.end(), 0, agent.text(agent.err))

    def test_silent_then_talking(self):
        self.faults([{"kind": "hang"}])
        self.start_mock(L.METADATA)
        # The wait begins between these two moments, whenever this process gets its turn.
        before = time.monotonic()
        agent = self.start_agent()
        ready = time.monotonic()
        self.lab.start(self.lab.host, "ping", "ping", "-q", "-i", "0.1", L.PEER4)
        L.await_true("the first record", self.records)
        now = time.monotonic()
        self.assertGreater(now - before, 4)
        # The next request would begin only after 10 s, so the wait has ended.
        self.assertLess(now - ready, 10)

        def egress():
            return [o for o in self.records() if o["flow_direction"] == "egress" and o["protocol"] == 1]

        # Windows of a second ended meanwhile. They waited, too, and none is lost or joined.
        windows = L.await_true("three windows", lambda: egress()[2:] and egress())
        self.assertTrue(all(o["end_ms"] - o["start_ms"] <= 1000 for o in windows))
        first = self.records()
        self.assertTrue(all("instance_id" not in o for o in first))
        self.assertEqual([o["seq"] for o in first], list(range(1, len(first) + 1)))
        self.faults({"instance": {"interfaces": {L.HOST_MAC: {
            "local-ipv4s": "10.9.0.3\n" + L.HOST4, "vpc-ipv4-cidr-blocks": "10.8.0.0/15"}}}})
        learned = L.await_true("the identity", lambda: [o for o in self.records() if "instance_id" in o])[0]
        self.assertEqual((learned["instance_id"], learned["az_id"], learned["vpc_id"]),
                         ("i-0123456789abcdef0", "use1-az4", "vpc-0a1b2c3d4e5f60718"))
        # The address that AWS would show, and the way of the packets: within the VPC.
        ways = L.await_true("both directions", lambda: self.ways({"egress", "ingress"}))
        self.assertEqual(ways["egress"], ("10.9.0.3", L.PEER4, L.HOST4, L.PEER4, 1))
        self.assertEqual(ways["ingress"], (L.PEER4, "10.9.0.3", L.PEER4, L.HOST4, None))
        # The next refresh is an hour away, so the address is the reason to ask again.
        self.assertEqual(self.rounds(), 1)
        L.sh("ip", "-n", self.lab.host, "addr", "add", "10.9.0.77/24", "dev", "v0")
        L.await_true("a second round", lambda: self.rounds() == 2)
        self.assertEqual(agent.end(), 0, agent.text(agent.err))
        self.assertRegex(agent.text(agent.err), r"balance=ok")

    def test_one_fixed_id_names_one_interface(self):
        L.sh("ip", "-n", self.lab.host, "link", "add", "w0", "type", "veth", "peer", "name", "x0")
        L.sh("ip", "-n", self.lab.host, "link", "set", "w0", "up")
        conf = CONFIG.format(dir=self.lab.dir).replace("imds: {enabled: on", "static: {interface_id: eni-1}, imds: {enabled: off")
        config = self.lab.file("two.yaml", conf.replace("[v0]", "[v0, w0]"))
        agent = self.lab.start(self.lab.host, "two", FFFA, "run", "-c", config)
        self.assertEqual(agent.p.wait(20), 78, agent.text(agent.err))
        self.assertIn("metadata.static.interface_id names one interface, but 2", agent.text(agent.err))
        check = self.lab.start(self.lab.host, "check", FFFA, "check", "-c", config)
        self.assertEqual(check.p.wait(20), 78)
        self.assertIn("two.yaml: metadata.static.interface_id names one interface, but 2", check.text(check.out))
        L.sh("ip", "-n", self.lab.host, "link", "del", "w0")
        # One that comes later has no id, and the log says so once.
        config = self.lab.file("later.yaml", conf.replace("[v0]", '[v0, "w*"]').replace("nodata: false", "nodata: true"))
        agent = self.lab.start(self.lab.host, "later", FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        for dev in ("w1", "w2"):
            L.sh("ip", "-n", self.lab.host, "link", "add", dev, "type", "veth", "peer", "name", "x" + dev)
            L.sh("ip", "-n", self.lab.host, "link", "set", dev, "up")
            agent.await_line("attached interface=" + dev)
        L.await_true("NODATA of w1", lambda: any(o.get("ifname") == "w1" and "interface_id" not in o for o in self.records()))
        self.lab.run(self.lab.host, "ping", "-q", "-c", "1", L.PEER4)
        L.await_true("a record of v0", lambda: any(o.get("ifname") == "v0" and o.get("interface_id") == "eni-1"
                                                   for o in self.records()))
        self.assertEqual(agent.end(), 0, agent.text(agent.err))
        self.assertEqual(agent.text(agent.err).count("metadata.static.interface_id names one interface"), 1)

    def test_a_task_and_the_services_of_addresses(self):
        arn = "arn:aws:ecs:eu-west-1:111122223333:"
        task = {"TaskARN": arn + "task/prod/0123abcd", "Cluster": "prod", "Family": "fam", "Revision": "7",
                "AvailabilityZone": "eu-west-1b", "ServiceName": "web", "Containers": [{"DockerId": "cafe-1"}]}
        self.faults([{"kind": "body", "path": "/v4/cafe-1/task", "body": json.dumps(task)}])
        self.start_mock(L.METADATA)
        ranges = self.lab.file("ranges.json", json.dumps({"prefixes": [{"ip_prefix": "52.0.0.0/8", "service": "S3"}]}))
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir).replace("imds: {enabled: on", "ip_ranges: "
                               f"{ranges}, imds: {{enabled: off"))
        for ns, dev, host, other, mac in ((self.lab.host, "v0", 1, 2, L.PEER_MAC), (self.lab.peer, "v1", 2, 1, L.HOST_MAC)):
            L.sh("ip", "-n", ns, "addr", "add", f"52.0.0.{host}/24", "dev", dev)
            L.sh("ip", "-n", ns, "neigh", "replace", f"52.0.0.{other}", "lladdr", mac, "dev", dev, "nud", "permanent")
        agent = self.lab.start(self.lab.host, "agent", "env", f"ECS_CONTAINER_METADATA_URI_V4=http://{L.METADATA}/v4/cafe-1",
                               FFFA, "run", "-c", config)
        agent.await_line("kernel table ready")
        self.lab.run(self.lab.host, "ping", "-q", "-c", "3", "-i", "0.05", "52.0.0.2")
        L.await_true("records", lambda: sum(o["protocol"] == 1 for o in self.records()) >= 2)
        self.assertEqual(agent.end(), 0, agent.text(agent.err))
        for o in self.records():
            self.assertEqual({k: v for k, v in o.items() if k.startswith("ecs_")}, {
                "ecs_cluster_arn": arn + "cluster/prod", "ecs_cluster_name": "prod", "ecs_task_arn": arn + "task/prod/0123abcd",
                "ecs_task_id": "0123abcd", "ecs_task_definition_arn": arn + "task-definition/fam:7",
                "ecs_service_name": "web", "ecs_container_id": "cafe-1"})
            self.assertEqual((o["account_id"], o["region"], o["az"]), ("111122223333", "eu-west-1", "eu-west-1b"))
            ours = o["srcaddr"].startswith("52.0.0.")
            self.assertEqual((o.get("pkt_src_aws_service"), o.get("pkt_dst_aws_service")),
                             ("S3", "S3") if ours else (None, None), o)
        with open(self.lab.file("imds.log")) as f:
            self.assertEqual({json.loads(line)["path"] for line in f}, {"/v4/cafe-1/task"})

    def test_a_task_in_the_network_of_the_host(self):
        """Flows are not those of the agent's own task; the host's ECS agent names the container instance."""
        arn = "arn:aws:ecs:eu-west-1:111122223333:"
        network = {"Networks": [{"NetworkMode": "host", "IPv4Addresses": [""]}], "Type": "NORMAL"}
        task = {"TaskARN": arn + "task/prod/0123abcd", "Cluster": "prod", "Family": "fam", "Revision": "7",
                "LaunchType": "EC2", "ServiceName": "web", "Containers": [{"DockerId": "cafe-1", **network}]}
        instance = {"Cluster": "prod", "ContainerInstanceArn": arn + "container-instance/prod/4d3c", "Version": "1.90"}
        self.faults([{"kind": "body", "path": "/v4/cafe-1/task", "body": json.dumps(task)},
                     {"kind": "body", "path": "/v1/metadata", "body": json.dumps(instance)}])
        self.start_mock(L.METADATA)
        self.start_mock("127.0.0.1", port=51678)
        config = self.lab.file("fffa.yaml", CONFIG.format(dir=self.lab.dir).replace("enabled: on", "enabled: off"))
        agent = self.lab.start(self.lab.host, "agent", "env", f"ECS_CONTAINER_METADATA_URI_V4=http://{L.METADATA}/v4/cafe-1",
                               FFFA, "run", "-c", config)
        agent.await_line("ECS container instance learned: 4d3c")
        self.lab.run(self.lab.host, "ping", "-q", "-c", "3", "-i", "0.05", L.PEER4)
        L.await_true("records", lambda: sum("ecs_container_instance_id" in o for o in self.records()) >= 2)
        self.assertEqual(agent.end(), 0, agent.text(agent.err))
        last = self.records()[-1]
        self.assertEqual({k: v for k, v in last.items() if k.startswith("ecs_")}, {
            "ecs_cluster_arn": arn + "cluster/prod", "ecs_cluster_name": "prod",
            "ecs_container_instance_arn": instance["ContainerInstanceArn"], "ecs_container_instance_id": "4d3c"})
        self.assertEqual((last["account_id"], last["region"]), ("111122223333", "eu-west-1"))
        self.assertTrue(last["agent_id"].endswith("/0123abcd"), last["agent_id"])


if __name__ == "__main__":
    if os.geteuid():
        print("needs root for network namespaces")
        sys.exit(77)
    FFFA = sys.argv.pop(1)
    unittest.main()
