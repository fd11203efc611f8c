"""The server of the fake carrier: one thread per connection, keep-alive, and a socket its faults may own.

Werkzeug's handler parses requests; what it does not do (keep a connection, send an answer in one write, be
reset in the middle) is done here. granian, which serves the gateway, never hands out its socket.
"""

import socket
import struct
from io import BytesIO
from typing import TYPE_CHECKING

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.test import run_wsgi_app

from simulator.carrier.wire import LINE, SERVER, Line, raw

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

BODY_LIMIT = 4 * 1024 * 1024
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, so that a busy port is known first; OSError, or OverflowError if it is no port at all."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def server_on(listener: socket.socket, app: "WSGIApplication") -> ThreadedWSGIServer:
    """The server for `app` on a bound socket; `serve_forever` runs it, `shutdown` from elsewhere ends it."""
    host, port = listener.getsockname()[:2]
    return ThreadedWSGIServer(host, port, app, Handler, fd=listener.fileno())


class Handler(WSGIRequestHandler):
    """One connection, request after request, until somebody cuts it."""

    protocol_version = "HTTP/1.1"
    timeout = 120
    error_content_type = "application/json"
    error_message_format = '{"error": "This is not HTTP (%(code)d).", "simulator": "fake carrier"}'

    def setup(self) -> None:
        """Answers leave at once."""
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def run_wsgi(self) -> None:
        """Answer one request in one write, or let the answer have the socket."""
        environ = self.make_environ()
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > BODY_LIMIT:
            self.close_connection = True
            length = "0"
        chunked = "wsgi.input_terminated" in environ
        body = environ["wsgi.input"].read(BODY_LIMIT) if chunked else self.rfile.read(int(length))
        environ["wsgi.input"] = BytesIO(body)
        environ[LINE] = line = Line(self.connection)
        chunks, status, headers = run_wsgi_app(self.server.app, environ, buffered=True)
        self.connection.settimeout(self.timeout)
        if line.ending is None:
            self.wfile.write(raw(status, headers, b"".join(chunks)))
        elif line.ending == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            self.rfile.close()
            self.connection.close()
        self.close_connection |= line.ending in {"close", "reset"}

    def version_string(self) -> str:
        """The name in answers that no application wrote."""
        return SERVER

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - Werkzeug's signature
        """Say nothing: the ledger is the log."""
