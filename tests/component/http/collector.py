# SPDX-License-Identifier: MIT
"""An HTTP collector whose answers the test sets, with a thread for each connection, and the files of a small certificate authority."""
import http.server
import json
import os
import socket
import ssl
import struct
import subprocess
import threading
import time
import zlib


def unpack(body, encoding):
    if encoding == "zstd":
        return subprocess.run(["zstd", "-dcq"], input=body, capture_output=True, check=True).stdout
    if encoding == "gzip":
        return zlib.decompress(body, 31)
    assert encoding is None, encoding
    return body


class Post:
    def __init__(self, handler, body):
        self.path = handler.path
        self.headers = handler.headers
        self.connection = handler.client_address
        self.at = time.monotonic()
        self.raw = body
        self.batch = handler.headers["FFFA-Batch"]
        self.status = None  # the status of the answer; None: no answer

    @property
    def body(self):
        return unpack(self.raw, self.headers["Content-Encoding"])

    @property
    def records(self):
        return [json.loads(line) for line in self.body.splitlines()]


class Answer:
    """The answer to one request. before is called first; act(handler) replaces the answer."""

    def __init__(self, status=200, headers=None, body=b"", before=None, act=None):
        self.status, self.headers, self.body = status, headers or {}, body
        self.before, self.act = before, act


def reset(handler):
    """Ends the connection like a crash does."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else head and body of an answer wait for each other's acknowledgement

    def do_POST(self):
        server = self.server
        early = server.early(self)
        if early:
            early(self)
            return
        body = self.rfile.read(int(self.headers["Content-Length"]))
        post = Post(self, body)
        with server.lock:
            answer = server.script.pop(0) if server.script else Answer()
            server.posts.append(post)
        if callable(answer):
            answer = answer(post)
        if answer.before:
            answer.before()
        if answer.act:
            answer.act(self)
            return
        with server.lock:
            post.status = answer.status
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *args):
        pass


class Collector(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, script=(), tls=None, port=0):
        self.script = list(script)  # one for each request: an Answer, or a function that makes one of the Post; then 200
        self.posts = []
        self.lock = threading.Lock()
        self.early = lambda handler: None  # may return a function that takes over before the body is read
        self.connections = 0
        super().__init__(("127.0.0.1", port), Handler)
        self.tls = tls
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def get_request(self):
        connection, peer = super().get_request()
        self.connections += 1
        if self.tls:  # the thread of the connection does the handshake
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, peer

    def handle_error(self, request, client_address):
        pass  # resets are expected

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/v1/flows"

    def delivered(self):
        """Returns the posts that were answered with 2xx."""
        with self.lock:
            return [p for p in self.posts if p.status and 200 <= p.status < 300]

    def close(self):
        self.shutdown()
        self.server_close()


def openssl(folder, *args):
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


def make_ca(folder, name):
    """Makes NAME.pem and NAME.key of a new authority."""
    openssl(folder, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")


def make_certificate(folder, ca, name):
    """Makes NAME.pem and NAME.key for 127.0.0.1, signed by the authority."""
    (folder / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(folder, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr")
    openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-CAcreateserial",
            "-days", "2", "-extfile", "san", "-out", f"{name}.pem")


def server_tls(folder, name, client_ca=None):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.path.join(folder, f"{name}.pem"), os.path.join(folder, f"{name}.key"))
    if client_ca:
        context.load_verify_locations(os.path.join(folder, f"{client_ca}.pem"))
        context.verify_mode = ssl.CERT_REQUIRED
    return context
