#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A mock of the EC2 Instance Metadata Service, version 2 only. Standard library only.

Serves invented data by the real rules: PUT on /latest/api/token with a TTL of 1..21600 seconds, GET and HEAD with
a valid token, 401 without, 403 for a forwarded token request, XHTML error pages. Prints "ready" once it listens
(with --port 0 or --control-port 0 followed by the ports it was given).

Faults are a JSON list of rules; the first rule that matches a request is applied to it:
  {"kind": "status", "status": 503}      an error page with this status
  {"kind": "redirect", "to": URL}        a 302
  {"kind": "slow", "ms": 200}            the right answer, later
  {"kind": "hang"}                       no answer until the faults change
  {"kind": "oversize", "bytes": 70000}   200 with a body of this size; with "length": false no length is announced
  {"kind": "truncate"}                   half of the promised body, then the connection closes
  {"kind": "trickle", "ms": 20}          200 and a long body, one byte each so many milliseconds
  {"kind": "garbage"}                    200 with random bytes
  {"kind": "body", "body": TEXT}         200 with this body
  {"kind": "headers", "lines": 70}       the right answer, with so many header lines of 1000 bytes more
  {"kind": "nonsense"}                   bytes that are not HTTP
  {"kind": "forget-tokens"}              every token expires, then the request is served
  {"kind": "forwarded"}                  the request is served as one that a proxy passed on (X-Forwarded-For)
Each may have "path" (a prefix; default: every path), "method", and "count" (how many requests it applies to).
They come from --fault-file (read again whenever it changes) or through --control-port on loopback:
PUT /faults with the list, GET /faults, GET /log, DELETE /log, DELETE /tokens, PUT /macs with a list of MACs,
PUT /instance with keys of the instance (as in --config) that change. The fault file may hold an object instead of the
list: {"faults": [...], "instance": {...}}; keys of the instance that it does not name are as at the start.
"""

import argparse
import http.server
import json
import os
import secrets
import socket
import sys
import threading
import time

TOKEN_PATH = "/latest/api/token"
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
DATED = ("1.0", "2007-01-19", "2021-01-03", "latest")

INSTANCE = {
    "account": "123456789012",
    "instance_id": "i-0123456789abcdef0",
    "instance_type": "c6in.4xlarge",
    "image_id": "ami-0abcdef1234567890",
    "region": "us-east-1",
    "az": "us-east-1a",
    "az_id": "use1-az4",
    "vpc": "vpc-0a1b2c3d4e5f60718",
    "subnet": "subnet-0f1e2d3c4b5a69788",
    "macs": ["02:00:00:00:00:01", "02:00:00:00:00:02"],
    "outpost_arn": None,
    "tags": None,  # {key: value}; None: tags are not allowed in metadata, which is the default of EC2
}
TEXTS = [k for k in INSTANCE if k not in ("macs", "tags")]

PAGE = """<?xml version="1.0" encoding="iso-8859-1"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"
\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">
 <head>
  <title>{status} - {reason}</title>
 </head>
 <body>
  <h1>{status} - {reason}</h1>
 </body>
</html>
"""


def interface(inst, number, mac):
    """Returns the leaves below macs/MAC/. Addresses are inside the subnet, the subnet is inside the VPC."""
    digits = mac.replace(":", "")
    first, second = f"10.0.1.{10 + 2 * number}", f"10.0.1.{11 + 2 * number}"
    return {
        "device-number": str(number),
        "interface-id": "eni-" + digits.rjust(17, "0"),
        "ipv4-prefix": f"10.0.1.{128 + 16 * (number % 8)}/28",
        "ipv6-prefix": f"2001:db8:0:1:{number + 1:x}::/80",
        "ipv6s": f"2001:db8:0:1::{number + 10:x}\n2001:db8:0:1::{number + 266:x}",
        "local-hostname": f"ip-{first.replace('.', '-')}.ec2.internal",
        "local-ipv4s": f"{first}\n{second}",
        "mac": mac,
        "network-card": "0",
        "owner-id": inst["account"],
        "security-group-ids": "sg-00112233445566778",
        "security-groups": "default",
        "subnet-id": inst["subnet"],
        "subnet-ipv4-cidr-block": "10.0.1.0/24",
        "subnet-ipv6-cidr-blocks": "2001:db8:0:1::/64",
        "vpc-id": inst["vpc"],
        "vpc-ipv4-cidr-block": "10.0.0.0/16",
        "vpc-ipv4-cidr-blocks": "10.0.0.0/16\n10.7.0.0/20",
        "vpc-ipv6-cidr-blocks": "2001:db8::/56",
    }


def document(inst):
    doc = {
        "accountId": inst["account"],
        "architecture": "x86_64",
        "availabilityZone": inst["az"],
        "billingProducts": None,
        "devpayProductCodes": None,
        "marketplaceProductCodes": None,
        "imageId": inst["image_id"],
        "instanceId": inst["instance_id"],
        "instanceType": inst["instance_type"],
        "kernelId": None,
        "pendingTime": "2024-01-02T03:04:05Z",
        "privateIp": "10.0.1.10",
        "ramdiskId": None,
        "region": inst["region"],
        "version": "2017-09-30",
    }
    return json.dumps(doc, indent=2, separators=(",", " : "))


def tree(inst):
    """Returns the tree: nested dicts are directories, strings are leaves."""
    macs = {mac: interface(inst, i, mac) for i, mac in enumerate(inst["macs"])}
    for mac, leaves in inst.get("interfaces", {}).items():
        if mac in macs:
            macs[mac].update(leaves)
            macs[mac] = {k: v for k, v in macs[mac].items() if v is not None}
    placement = {
        "availability-zone": inst["az"],
        "availability-zone-id": inst["az_id"],
        "region": inst["region"],
    }
    meta = {
        "ami-id": inst["image_id"],
        "hostname": "ip-10-0-1-10.ec2.internal",
        "instance-id": inst["instance_id"],
        "instance-life-cycle": "on-demand",
        "instance-type": inst["instance_type"],
        "local-ipv4": "10.0.1.10",
        "mac": inst["macs"][0] if inst["macs"] else "",
        "network": {"interfaces": {"macs": macs}},
        "placement": {k: v for k, v in placement.items() if v},
        "services": {"domain": "amazonaws.com", "partition": "aws"},
    }
    if inst.get("outpost_arn"):
        meta["outpost-arn"] = inst["outpost_arn"]
    if inst.get("tags") is not None:
        meta["tags"] = {"instance": dict(inst["tags"])}
    return {
        "dynamic": {"instance-identity": {"document": document(inst)}},
        "meta-data": meta,
    }


class World:
    """The state of the mock, shared by the handler threads."""

    def __init__(self, inst, fault_file, log_path):
        self.lock = threading.Lock()
        self.changed = threading.Condition(self.lock)
        self.inst = dict(inst)
        self.first = dict(inst)
        self.tree = tree(inst)
        self.tokens = {}
        self.faults = []
        self.fault_file = fault_file
        self.fault_stamp = None
        self.fault_file_lock = threading.Lock()
        self.log = []
        self.log_file = open(log_path, "a", encoding="utf-8") if log_path else None

    def change(self, keys, since_start=False):
        with self.lock:
            if since_start:
                self.inst = dict(self.first)
            self.inst.update(keys)
            self.tree = tree(self.inst)

    def set_faults(self, rules):
        with self.changed:
            self.faults = [dict(r) for r in rules]
            self.changed.notify_all()

    def poll_fault_file(self):
        if self.fault_file:
            with self.fault_file_lock:
                self.read_fault_file()

    def read_fault_file(self):
        try:
            st = os.stat(self.fault_file)
            stamp = (st.st_mtime_ns, st.st_ino, st.st_size)
            if stamp == self.fault_stamp:
                return
            with open(self.fault_file, encoding="utf-8") as f:
                rules = json.loads(f.read() or "[]")
        except FileNotFoundError:
            stamp, rules = None, []
            if self.fault_stamp is None:
                return
        self.fault_stamp = stamp
        if isinstance(rules, dict):
            self.change(rules.get("instance", {}), since_start=True)
            rules = rules.get("faults", [])
        self.set_faults(rules)

    def take_fault(self, method, path):
        self.poll_fault_file()
        with self.lock:
            for rule in self.faults:
                if rule.get("method", method) != method:
                    continue
                if not path.startswith(rule.get("path", "")):
                    continue
                if "count" in rule:
                    if rule["count"] <= 0:
                        continue
                    rule["count"] -= 1
                return {**rule, "of": self.faults}
        return None

    def hang(self, before):
        """Returns once the faults have changed, which may be already."""
        while True:
            self.poll_fault_file()
            with self.changed:
                if self.faults is not before:
                    return
                self.changed.wait(0.05)

    def new_token(self, ttl):
        token = secrets.token_urlsafe(40) + "=="
        with self.lock:
            self.tokens[token] = time.monotonic() + ttl
        return token

    def token_lives(self, token):
        with self.lock:
            return time.monotonic() < self.tokens.get(token, 0)

    def forget_tokens(self):
        with self.lock:
            self.tokens.clear()

    def note(self, entry):
        with self.lock:
            self.log.append(entry)
            if self.log_file:
                self.log_file.write(json.dumps(entry) + "\n")
                self.log_file.flush()

    def find(self, path):
        """Returns (found, leaf text or directory dict) for a path below a version."""
        with self.lock:
            node = self.tree
        parts = [p for p in path.split("/") if p]
        if not parts or parts[0] not in DATED:
            return None
        for part in parts[1:]:
            if not isinstance(node, dict) or part not in node:
                return None
            node = node[part]
        return node


def listing(node):
    return "\n".join(k + "/" if isinstance(v, dict) else k for k, v in node.items())


class Metadata(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    timeout = 30
    disable_nagle_algorithm = True  # header and body are two writes
    world = None
    more_headers = 0  # of this request

    def log_message(self, format, *args):  # the request log has its own place
        pass

    def reply(self, status, body, headers=(), kind="text/plain"):
        data = body if isinstance(body, bytes) else body.encode("utf-8")
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def end_headers(self):
        for _ in range(self.more_headers):
            self.send_header("X-Filler", "f" * 988)  # 1000 bytes with the rest of the line
        self.more_headers = 0
        super().end_headers()

    def refuse(self, status):
        reason = http.HTTPStatus(status).phrase
        self.reply(status, PAGE.format(status=status, reason=reason), kind="text/html")

    def drain(self):
        n = int(self.headers.get("Content-Length") or 0)
        if n:
            self.rfile.read(min(n, 65536))

    def apply(self, fault):
        """True when the fault has answered."""
        kind = fault["kind"]
        if kind == "status":
            self.refuse(fault["status"])
        elif kind == "redirect":
            self.reply(302, "", [("Location", fault["to"])])
        elif kind == "slow":
            time.sleep(fault["ms"] / 1000)
            return False
        elif kind == "hang":
            self.world.hang(fault["of"])
            self.close_connection = True
        elif kind == "oversize":
            self.oversize(fault)
        elif kind == "truncate":
            self.close_connection = True
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.send_header("Content-Length", "400")
            self.end_headers()
            self.wfile.write(b"y" * 200)
        elif kind == "trickle":
            self.trickle(fault["ms"] / 1000)
        elif kind == "garbage":
            self.reply(200, bytes(range(256)))
        elif kind == "body":
            self.reply(200, fault["body"])
        elif kind == "nonsense":
            self.close_connection = True
            self.wfile.write(b"\x16\x03\x01\x00\x05hello\r\n\r\n")
        elif kind == "headers":
            self.more_headers = fault["lines"]
            return False
        elif kind == "forget-tokens":
            self.world.forget_tokens()
            return False
        elif kind == "forwarded":
            self.headers["X-Forwarded-For"] = "192.0.2.1"
            return False
        else:
            self.refuse(500)
        return True

    def trickle(self, pause_s):
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Length", "60000")
        self.end_headers()
        for _ in range(60000):
            self.wfile.write(b"z")
            time.sleep(pause_s)

    def oversize(self, fault):
        data = b"x" * fault.get("bytes", 70000)
        if fault.get("length", True):
            self.reply(200, data)
            return
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(data)

    def give_token(self):
        if self.headers.get("X-Forwarded-For") is not None:
            self.refuse(403)
            return
        if self.path != TOKEN_PATH:
            self.refuse(403 if self.path.endswith("/api/token") else 405)
            return
        ttl = self.headers.get(TTL_HEADER, "")
        if not ttl.isascii() or not ttl.isdigit() or not 1 <= int(ttl[:9]) <= 21600:
            self.refuse(400)
            return
        self.reply(200, self.world.new_token(int(ttl)), [(TTL_HEADER, ttl)])

    def give_data(self):
        if not self.world.token_lives(self.headers.get(TOKEN_HEADER, "")):
            self.refuse(401)
            return
        if self.path == TOKEN_PATH:
            self.refuse(405)
            return
        node = self.world.find(self.path)
        if node is None:
            self.refuse(404)
        elif isinstance(node, dict):
            self.reply(200, listing(node))
        else:
            self.reply(200, node)

    def serve(self, answer):
        fault = self.world.take_fault(self.command, self.path)
        self.world.note({
            "time": time.time(),
            "peer": self.client_address[1],
            "method": self.command,
            "path": self.path,
            "token": TOKEN_HEADER in self.headers,
            "valid": self.world.token_lives(self.headers.get(TOKEN_HEADER, "")),
            "ttl": self.headers.get(TTL_HEADER),
            "proxied": self.path.startswith("http") or "Via" in self.headers
            or "Proxy-Connection" in self.headers,
            "headers": {k.lower(): v for k, v in self.headers.items()
                        if k.lower() != TOKEN_HEADER.lower()},
            "fault": fault["kind"] if fault else None,
        })
        self.drain()
        if not fault or not self.apply(fault):
            answer()

    def do_PUT(self):
        self.serve(self.give_token)

    def do_GET(self):
        self.serve(self.give_data)

    def do_HEAD(self):
        self.serve(self.give_data)

    def do_POST(self):
        self.serve(lambda: self.refuse(405))

    do_DELETE = do_POST


class Control(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    world = None

    def log_message(self, format, *args):
        pass

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        if self.path == "/faults":
            self.answer(200, self.world.faults)
        elif self.path == "/log":
            self.answer(200, self.world.log)
        else:
            self.answer(404, None)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            value = json.loads(body)
        except ValueError as e:
            self.answer(400, str(e))
            return
        if self.path == "/faults":
            self.world.set_faults(value)
        elif self.path == "/macs":
            self.world.change({"macs": list(value)})
        elif self.path == "/instance":
            self.world.change(value)
        else:
            self.answer(404, None)
            return
        self.answer(200, value)

    def do_DELETE(self):
        if self.path == "/tokens":
            self.world.forget_tokens()
        elif self.path == "/log":
            with self.world.lock:
                self.world.log.clear()
        self.answer(200, None)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def server_bind(self):
        # The base class looks up the host's name, which may ask a resolver.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = self.server_address[:2]

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # clients may leave at any moment
            super().handle_error(request, client_address)


def serve(handler, world, address, port):
    kind = type(handler.__name__, (handler,), {"world": world})
    server_class = type("Server", (Server,), {
        "address_family": socket.AF_INET6 if ":" in address else socket.AF_INET})
    server = server_class((address, port), kind)
    threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
    return server.server_port


def arguments():
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--listen", default="127.0.0.1", metavar="ADDR")
    p.add_argument("--port", type=int, default=1338, metavar="N")
    p.add_argument("--control-port", type=int, metavar="N", help="on loopback; default: none")
    p.add_argument("--config", metavar="FILE", help="JSON object; keys: " + ", ".join(INSTANCE) +
                   ", interfaces ({MAC: {leaf: text or null}})")
    p.add_argument("--mac", action="append", metavar="MAC", help="repeatable; default: two")
    for key in TEXTS:
        p.add_argument("--" + key.replace("_", "-"), metavar="TEXT")
    p.add_argument("--fault-file", metavar="FILE")
    p.add_argument("--log", metavar="FILE", help="requests as JSON lines, appended")
    return p.parse_args()


def main():
    args = arguments()
    inst = dict(INSTANCE)
    if args.config:
        with open(args.config, encoding="utf-8") as f:
            inst.update(json.load(f))
    for key in TEXTS:
        if getattr(args, key) is not None:
            inst[key] = getattr(args, key)
    if args.mac:
        inst["macs"] = [m.lower() for m in args.mac]
    world = World(inst, args.fault_file, args.log)
    line = "ready"
    port = serve(Metadata, world, args.listen, args.port)
    if args.port == 0:
        line += f" {port}"
    if args.control_port is not None:
        control = serve(Control, world, "127.0.0.1", args.control_port)
        if args.control_port == 0:
            line += f" {control}"
    print(line, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
