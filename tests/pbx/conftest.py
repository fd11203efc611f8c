"""A provider to test a PBX against: a good one in 40 lines of WSGI, and one that answers any raw bytes."""

import json
import re
import socket
import threading
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from contracts import spec
from contracts.target import Target
from simulator.ledger.pbx import PbxLedger

KEY = "ysk_test"


class Provider:
    """A WSGI provider that keeps what it was sent; `script` is a list of codes to refuse with first."""

    def __init__(self):
        self.received, self.seen, self.script = [], [], []
        self.keys = {KEY}

    def __call__(self, environ, start_response):
        """Serve one request the way the contract says."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        self.seen.append((environ, body))
        status, answer, kind = self.answer(environ, body)
        headers = [("Content-Type", kind), ("Content-Length", str(len(answer)))]
        headers += [("Retry-After", "1")] if status in {429, 500} else []
        headers += [("WWW-Authenticate", "Bearer")] if status == 401 else []
        start_response(f"{status} X", headers)
        return [answer]

    def answer(self, environ, body):
        """Status, body and content type for one request."""
        if environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ") not in self.keys:
            return self.refusal("10004")
        if environ["REQUEST_METHOD"] == "GET":
            challenge = parse_qs(environ["QUERY_STRING"]).get("challenge")
            if challenge:
                return 200, challenge[0].encode(), "text/plain; charset=utf-8"
            return 200, b'{"data":{"verified":true}}', "application/json"
        if self.script:
            return self.refusal(self.script.pop(0))
        self.received.append(json.loads(body))
        return 200, json.dumps({"data": {"id": f"ID{len(self.received)}"}}).encode(), "application/json"

    @staticmethod
    def refusal(code):
        """The contract's own envelope for a code."""
        row = spec.error_codes()[code]
        error = {"code": code, "title": row.title, "detail": f"why {code}"}
        return row.status, json.dumps({"errors": [error]}).encode(), "application/json"


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *args):
        """Say nothing."""


@pytest.fixture
def target_at():
    """`target_at(url, ...)` is a target for the provider at that URL."""

    def build(url, **more):
        page = spec.page_example()
        settings = {"send_url": f"{url}/send", "verify_url": f"{url}/verify", "key": KEY}
        return Target(**(settings | {"from_number": page["from"], "to_number": page["to"]} | more))

    return build


@pytest.fixture
def provider():
    """A good provider on a real socket; `.url` is where."""
    app = Provider()
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    app.url = f"http://127.0.0.1:{server.server_port}"
    yield app
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def target(provider, target_at):
    """The good provider as the PBX knows it."""
    return target_at(provider.url)


@pytest.fixture
def ledger(tmp_path):
    """A ledger file of its own."""
    with PbxLedger(tmp_path / "pbx.sqlite") as book:
        yield book


@pytest.fixture
def talker():
    """`talker(talk)` is the URL of a server that runs `talk(connection, stopped)` on every connection."""
    stopped = threading.Event()
    with _talkers(stopped) as start:
        yield start
    stopped.set()


def _read_request(connection):
    with connection.makefile("rb") as stream:
        head = b"".join(iter(stream.readline, b"\r\n"))
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        stream.read(int(length[1]) if length else 0)


@contextmanager
def _talkers(stopped):
    threads, listeners = [], []

    def serve(listener, talk):
        while not stopped.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    _read_request(connection)
                    talk(connection, stopped)
                except OSError:
                    continue

    def start(talk):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        threads.append(threading.Thread(target=serve, args=(listener, talk)))
        threads[-1].start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    stopped.set()
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join()
