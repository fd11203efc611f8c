"""A provider and its carrier in a few lines: right answers, a quota, an outage, on a real socket."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from click.testing import CliRunner

from load.cli import load

ERRORS = {429: ("10006", "Too many requests"), 500: ("10007", "Service unavailable")}


class Provider(ThreadingHTTPServer):
    """Accepts messages, `quota` a second, unless its carrier's `/faults` says that there is an outage."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.quota, self.down, self.broken, self.delay = None, False, None, 0.0
        self.lock, self.seconds, self.taken, self.faults = threading.Lock(), {}, [], []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def status(self):
        """What the next message is answered with."""
        with self.lock:
            now = int(time.monotonic())
            self.seconds[now] = self.seconds.get(now, 0) + 1
            if self.quota is not None and self.seconds[now] > self.quota:
                return 429
            return 500 if self.down else 200


class Handler(BaseHTTPRequestHandler):
    """One connection, kept open."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Say nothing."""

    def answer(self, status, content, **headers):
        """Send JSON, or text as it is."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        kind = "text/plain; charset=utf-8" if isinstance(content, bytes) else "application/json"
        for name, value in {"Content-Type": kind, "Content-Length": len(body), **headers}.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        """Verify, or the faults of the carrier."""
        if self.path == "/faults":
            return self.answer(200, {"faults": [{"id": "fault-1", "hits": 0}]})
        return self.answer(200, self.path.partition("challenge=")[2].encode())

    def do_DELETE(self):
        """The carrier is back."""
        self.server.down = False
        self.answer(200, {})

    def do_POST(self):
        """A message, or a fault for the carrier."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/faults":
            self.server.down = True
            self.server.faults.append(body)
            return self.answer(201, {"id": "fault-1", "hits": 0})
        time.sleep(self.server.delay)
        status = self.server.status()
        if self.server.broken and status != 200:
            return self.answer(status, self.server.broken)
        if status != 200:
            code, title = ERRORS[status]
            return self.answer(status, {"errors": [{"code": code, "title": title, "detail": title}]}, Retry_After=1)
        with self.server.lock:
            self.server.taken.append(body)
            number = len(self.server.taken)
        return self.answer(200, {"data": {"id": f"ORDER{number}"}})


@pytest.fixture
def provider():
    """A running provider; its carrier's fault API is on the same port."""
    with Provider() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


EASY = """
name = "easy"
[thresholds]
late_ms = 3000
[[phases]]
name = "steady"
curve = [[2, 50, 50]]
"""


@pytest.fixture
def easy(tmp_path):
    """A profile that says nothing of speed: the machine that runs the tests may be busy."""
    (tmp_path / "easy.toml").write_text(EASY)
    return str(tmp_path / "easy.toml")


@pytest.fixture
def smslab_load():
    """`smslab load ...` in this process; Locust is a process of its own all the same."""

    def call(*arguments, environ=None):
        return CliRunner().invoke(load, [str(argument) for argument in arguments], env=environ or {})

    return call
