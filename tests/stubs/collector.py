# SPDX-License-Identifier: MIT
"""An HTTP collector that stores what it has confirmed, and fails as a test wants."""

import ctypes
import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


CLONE_NEWNET = 0x40000000


def enter_netns(name):
    """Moves this thread into a network namespace; its new sockets belong to that namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(f"/run/netns/{name}") as ns:
        if libc.setns(ns.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Collector:
    """netns: a network namespace, or None. fail(n): None confirms request n, "store" stores it and then answers 503, a
        number is the status that refuses it."""

    def __init__(self, address, fail=lambda n: None, netns=None):
        self.batches = {}  # FFFA-Batch: [(epoch, seq), ...], each once
        self.stored = self.lost = 0  # records in batches, and what they report as lost
        self.repeats = 0
        self.different = []  # the same FFFA-Batch with other records
        self.lock = threading.Lock()
        self.requests = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with outer.lock:
                    outer.requests += 1
                    how = fail(outer.requests)
                    if how in (None, "store"):
                        outer.take(self.headers, body)
                self.send_response({None: 204, "store": 503}.get(how, how))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        listening = threading.Event()

        def serve():
            try:
                if netns:
                    enter_netns(netns)
                self.server = ThreadingHTTPServer(address, Handler)
            finally:
                listening.set()
            self.server.serve_forever(poll_interval=0.05)

        self.thread = threading.Thread(target=serve)
        self.thread.start()
        listening.wait()

    def take(self, headers, body):
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        records = [json.loads(line) for line in body.splitlines()]
        name = headers["FFFA-Batch"]
        if name in self.batches:
            self.repeats += 1
            if self.batches[name] != records:
                self.different.append(name)
        else:
            self.stored += len(records)
            self.lost += sum(r.get("lost_records", 0) for r in records)
        self.batches[name] = records

    def records(self):
        """Returns each batch once."""
        with self.lock:
            return [r for records in self.batches.values() for r in records]

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
