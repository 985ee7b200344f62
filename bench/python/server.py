"""What a Go program would run beside it: Python that answers calls over a socket that it is given, or over HTTP.

    server.py json | msgpack | http

A message is {"call": "module.function", "args": [...]}, the answer {"result": ...} or {"error": "..."}. While a call
runs it may send {"callback": "name", "args": [...]}, whose answer is {"answer": ...}; calls may come before that.
"""

import base64
import importlib
import json
import os
import socket
import sys
import threading

cache = {}
namespace = {}


def call(name, args):
    function = cache.get(name)
    if function is None:
        module, _, attribute = name.rpartition(".")
        function = cache[name] = getattr(importlib.import_module(module), attribute) if module else globals()[name]
    return function(*args)


codes = {}


def compiled(source, mode):
    code = codes.get((source, mode))
    if code is None:
        code = codes[source, mode] = compile(source, "request", mode)
    return code


def evaluate(source, variables):
    return eval(compiled(source, "eval"), namespace, variables)


def execute(source):
    exec(compiled(source, "exec"), namespace)
    return True


def identity(x):
    return x


def identity_base64(x):
    """JSON has no bytes."""
    return base64.b64encode(base64.b64decode(x)).decode()


def run(n):
    x = 0
    for _ in range(n):
        x = connection.callback("f", x)
    return x


def nest(n):
    return 1 + connection.callback("nest", n) if n else 0


class Connection:
    def __init__(self, receive, send):
        self.receive, self.send = receive, send

    def serve(self):
        """Answers calls until there is an answer to a callback. The end of the connection is the end of the process."""
        while True:
            message = self.receive()
            if message is None:
                os._exit(0)
            if "answer" in message:
                return message["answer"]
            try:
                self.send({"result": call(message["call"], message.get("args") or ())})
            except Exception as e:
                self.send({"error": repr(e)})

    def callback(self, name, *args):
        self.send({"callback": name, "args": args})
        return self.serve()


def over_json(sock):
    lines = sock.makefile("rb")

    def receive():
        line = lines.readline()
        return json.loads(line) if line else None

    return Connection(receive, lambda message: sock.sendall(json.dumps(message, separators=(",", ":")).encode() + b"\n"))


def over_msgpack(sock):
    import msgpack

    unpacker, packer = msgpack.Unpacker(max_buffer_size=1 << 30), msgpack.Packer()

    def receive():
        while True:
            for message in unpacker:
                return message
            data = sock.recv(1 << 16)
            if not data:
                return None
            unpacker.feed(data)

    return Connection(receive, lambda message: sock.sendall(packer.pack(message)))


def serve_http():
    from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def do_POST(self):
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                answer = {"result": call(message["call"], message.get("args") or ())}
            except Exception as e:
                answer = {"error": repr(e)}
            body = json.dumps(answer, separators=(",", ":")).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 1024

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()  # until the Go program is gone


if __name__ == "__main__":
    sys.setrecursionlimit(100_000)
    if sys.argv[1] == "http":
        serve_http()
    else:
        sock = socket.socket(fileno=3)
        connection = {"json": over_json, "msgpack": over_msgpack}[sys.argv[1]](sock)
        connection.serve()
