# SPDX-License-Identifier: MIT
"""Answers of an agent for the page, made of a real agent's answers: busy, empty, a sink down, loss, hostile texts."""
import copy
import http.server
import json
import math
import random
import threading
import urllib.parse

STEP_MS, SAMPLES = 5000, 181
MARKUP = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;'\u202e"


def flow(at, rng, start_ms):
    inside, outside = f"10.0.{rng.randrange(4)}.{rng.randrange(2, 250)}", f"203.0.113.{rng.randrange(1, 250)}"
    if at % 9 == 0:
        inside, outside = "2001:db8:1:2::%x" % rng.randrange(1 << 16), "2001:db8:ffff:1::443"
    size = int(4e9 / (at + 1) ** 1.6) + rng.randrange(500)
    out = at % 3 == 0
    one = {"interface": "ens5" if at % 4 else "ens6", "direction": "egress" if out else "ingress",
           "srcaddr": inside if out else outside, "dstaddr": outside if out else inside,
           "srcport": rng.randrange(32768, 61000), "dstport": rng.choice((443, 443, 443, 5432, 9092, 22, 53)),
           "protocol": 6, "packets": size // 900 + 1, "bytes": size, "start_ms": start_ms - rng.randrange(58000),
           "end_ms": start_ms, "tcp_flags_raw": 0x18, "encapsulated": False}
    if one["dstport"] == 53:
        one["protocol"] = 17
        del one["tcp_flags_raw"]
    return one


def history(start_ms, uptime_ms, scale=1.0, lost=None):
    """Fifteen minutes with a wave and some noise."""
    rng = random.Random(7)
    lists = {k: [] for k in ("uptime_ms", "ingress_packets", "egress_packets", "ingress_bytes", "egress_bytes", "flows",
                             "records", "delivered")}
    total = dict.fromkeys(lists, 10 ** 9)
    for at in range(SAMPLES):
        wave = (1.3 + math.sin(at / 23) + 0.5 * math.sin(at / 5.3) * 0.4 + rng.random() * 0.25) * scale
        total["ingress_packets"] += int(41000 * wave * 5)
        total["egress_packets"] += int(29000 * wave * 5)
        total["ingress_bytes"] += int(38e6 * wave * 5)
        total["egress_bytes"] += int(11e6 * wave * 5)
        total["records"] += int(310 * wave * 5)
        total["delivered"] += int(310 * wave * 5)
        total["flows"] = int(3400 * wave + 2723 * scale)
        total["uptime_ms"] = uptime_ms - (SAMPLES - 1 - at) * STEP_MS
        for key, value in total.items():
            lists[key].append(value)
    lists["flows"] = [n * 9423 // lists["flows"][-1] for n in lists["flows"]]
    return {"start_ms": start_ms, "step_ms": STEP_MS, "span_ms": 900000, **lists, "lost_packets": {}, "lost_records": {},
            **(lost or {})}


def empty_history(status):
    lists = ("ingress_packets", "egress_packets", "ingress_bytes", "egress_bytes", "flows", "records", "delivered")
    return {"start_ms": status["start_ms"], "step_ms": STEP_MS, "span_ms": 900000, "uptime_ms": [status["uptime_ms"]],
            **{name: [0] for name in lists}, "lost_packets": {}, "lost_records": {}}


def sink(template, **more):
    one = copy.deepcopy(template)
    one.update(up=True, delivered=1834211, records=1834423, rejected=0, in_flight=212, retries=3, queue_bytes=1_200_000,
               queue_capacity_bytes=33554432, spool_bytes=0, spool_capacity_bytes=0, oldest_record_age_ms=140,
               last_error="", filtered=0)
    one.update(more)
    return one


def busy(real):
    """real: /status of an agent. Returns {path: answer}."""
    s = copy.deepcopy(real)
    now = s["start_ms"] + 3 * 86400_000
    s["uptime_ms"] = 3 * 86400_000
    s["agent_id"] = s["metadata"]["instance_id"] = "i-0a1b2c3d4e5f67890"
    s["metadata"].update(imds="known", age_ms=93000, account_id="123456789012", region="eu-central-1", az="eu-central-1a",
                         az_id="euc1-az2", endpoint="http://169.254.169.254", last_error="")
    s["config_file"] = "/etc/fffa/fffa.yaml"
    s["flows"] = {"active": 9423, "capacity": 1048576}
    packets, size = s["ledger"]["packets"], s["ledger"]["bytes"]
    packets.update(seen=18_230_411_200, recorded=18_230_300_000 - 411, held=110_000, filtered=1200 + 411)
    size.update(seen=14_930_411_200_111, recorded=14_930_300_000_000, held=110_000_000, filtered=1_200_111)
    s["ledger"]["records"] = 1834423
    template = s["sinks"][0]
    s["sinks"] = [
        sink(template, name="stream", type="kafka", last_delivery_ms=now - 300, spool_bytes=0,
             spool_capacity_bytes=10 << 30, facts={"brokers": "b1:9092,b2:9092,b3:9092", "topic": "flows"}),
        sink(template, name="collector", type="http", last_delivery_ms=now - 2400, retries=17, queue_bytes=340_000,
             last_error="503 from https://collector.example/v1/flows: upstream connect error", last_error_ms=now - 7 * 60000),
        sink(template, name="local", type="file", last_delivery_ms=now - 900, queue_bytes=0, in_flight=0, retries=0),
    ]
    hook = s["hooks"][0]
    s["hooks"] = [dict(hook, interface=name, ifindex=index, direction=direction, hook="tcx", up=True, problem="", put_back=0,
                       selected_by="auto: an ENI of this instance", why="the kernel has tcx, which other programs cannot displace")
                  for index, name in ((2, "ens5"), (3, "ens6")) for direction in ("ingress", "egress")]
    s["interfaces"] = [{"interface": name, "ingress": {"packets": 8_100_411_200 // n, "bytes": 9_930_411_200_111 // n},
                        "egress": {"packets": 6_100_411_200 // n, "bytes": 2_930_411_200_111 // n}} for n, name in ((1, "ens5"), (7, "ens6"))]
    s["kernel"].update(drains=259200, drains_ns=259200 * 2_100_000)
    rng = random.Random(3)
    flows = {"time_ms": now, "active": 9423, "flows": [flow(at, rng, now) for at in range(200)]}
    return {"/status": s, "/flows": flows, "/history": history(s["start_ms"], s["uptime_ms"])}


def empty(real):
    s = copy.deepcopy(real)
    s["uptime_ms"] = 2000
    s["flows"]["active"] = 0
    return {"/status": s, "/flows": {"time_ms": s["start_ms"] + 2000, "active": 0, "flows": []}, "/history": empty_history(s)}


def down(real):
    scene = busy(real)
    s = scene["/status"]
    now = s["start_ms"] + s["uptime_ms"]
    s["sinks"][1].update(up=False, last_delivery_ms=now - 9 * 60000, queue_bytes=32 << 20, in_flight=412_000, retries=220,
                         spool_bytes=int(8.9e9), spool_capacity_bytes=10 << 30, oldest_record_age_ms=9 * 60000,
                         last_error="collector.example:443: Connection refused (111), next attempt in 30 s",
                         last_error_ms=now - 4000)
    s["hooks"][1].update(up=False, put_back=3, problem="ens5 egress: another program stands in front of the hook")
    s.update(ready=False, not_ready="ens5 egress: another program stands in front of the hook")
    return scene


def loss(real):
    scene = busy(real)
    ramp = lambda first, last, each: [max(0, min(at, last) - first) * each for at in range(SAMPLES)]
    scene["/history"].update(
        lost_packets={"table_full": ramp(40, 60, 912), "malformed": [at // 20 for at in range(SAMPLES)]},
        lost_records={"queue_full": ramp(90, 130, 1400), "gave_up": ramp(100, 104, 3000)})
    s = scene["/status"]
    s["ledger"]["packets"]["lost"].update(table_full=182400, malformed=9)
    s["sinks"][1]["lost"].update(queue_full=56000, gave_up=12000)
    s["config_reloads"]["last_successful"] = False
    return scene


def hostile(real):
    """Each text of the answers is markup."""
    def taint(value, key=""):
        if isinstance(value, dict):
            return {k: taint(v, k) for k, v in value.items()}
        if isinstance(value, list):
            return [taint(v) for v in value]
        return MARKUP + key if isinstance(value, str) and key != "balance" else value

    scene = {path: taint(answer) for path, answer in down(real).items()}
    s = scene["/status"]
    for at, one in enumerate(s["sinks"]):
        one["name"] += str(at)
        one["facts"] = {MARKUP: MARKUP}
    s["metadata"]["errors"] = {MARKUP: 3}
    scene["/history"]["lost_packets"] = {MARKUP: list(range(SAMPLES))}
    return scene


SCENES = {"filled": busy, "empty": empty, "down": down, "loss": loss, "hostile": hostile}


class Server:
    """Serves the agent's page with the answers of a scene. refusal: of any filter; silent: no answers but the page."""

    def __init__(self, case, page, headers):
        self.scene, self.refusal, self.asked, self.silent = {}, None, [], False
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path, _, words = self.path.partition("?")
                outer.asked.append(self.path)
                if path == "/":
                    return self.answer(200, page, headers)
                if outer.silent or path not in outer.scene:
                    return self.answer(503, b"stopped\n", {})
                if outer.refusal and "filter" in urllib.parse.parse_qs(words):
                    return self.answer(400, outer.refusal.encode(), {"Content-Type": "text/plain"})
                return self.answer(200, json.dumps(outer.scene[path]).encode(), {"Content-Type": "application/json"})

            def answer(self, code, body, more):
                self.send_response(code)
                for name, value in more.items():
                    if name.lower() not in ("date", "content-length", "connection", "etag"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 9978), Handler)
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for step in (server.server_close, thread.join, server.shutdown):
            case.addCleanup(step)
