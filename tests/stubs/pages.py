# SPDX-License-Identifier: MIT
"""The pages of a status listener, as a test wants them."""
import http.server
import json
import threading
import time
import urllib.parse

GOOD = {"/status": json.dumps({"ledger": {}}).encode(), "/flows": json.dumps({"flows": []}).encode()}


class Pages(http.server.BaseHTTPRequestHandler):
    """pages: {path: body}; a body of type str is the path of a redirect. A function makes it of the query. An int is
    the status of an empty answer."""
    pages = {}

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        body = self.pages.get(url.path)
        if callable(body):
            body = body(dict(urllib.parse.parse_qsl(url.query)))
        if isinstance(body, str):
            self.send_response(302)
            self.send_header("Location", body)
            body = b""
        elif isinstance(body, int):
            self.send_response(body)
            body = b""
        else:
            self.send_response(200 if body is not None else 404)
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args):
        pass


class Server:
    """An agent's listener on loopback, on a port of its own. asked: (path, when, before the answer)."""

    def __init__(self, case, pages, port=0):
        self.asked = asked = []

        class Kept(Pages):
            def do_GET(self):
                asked.append((self.path, time.monotonic()))
                super().do_GET()

        Kept.pages = pages
        self.http = http.server.HTTPServer(("127.0.0.1", port), Kept)
        self.port = self.http.server_port
        self.listen = f"127.0.0.1:{self.port}"
        self.conf = case.file("fffa.yaml", f"status: {{listen: '{self.listen}'}}\n")
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()
        case.addCleanup(self.stop)

    def paths(self):
        return [path for path, _ in self.asked]

    def stop(self):
        if self.thread:
            self.http.shutdown()
            self.thread.join()
            self.http.server_close()
            self.thread = None
