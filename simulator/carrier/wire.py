"""How answers leave: the one writer of ordinary answers, and answers that own the socket.

Sockets are touched here and in `server.py` only. Which answer is due is decided elsewhere.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from flask import Response, json

if TYPE_CHECKING:
    from socket import socket

    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SERVER = "smslab-fake-carrier (simulator)"
LINE = "smslab.line"
Ending = Literal["keep", "close", "reset"]


@dataclass
class Line:
    """A connection on loan to an answer, which says how it left it; None: it did not touch it."""

    socket: "socket"
    ending: Ending | None = None


def answer(status: int, body: dict[str, Any], retry_after: float | None = None) -> Response:
    """A JSON answer that says who it is from; `retry_after` in seconds, rounded up as HTTP wants it."""
    response = Response(json.dumps({**body, "simulator": "fake carrier"}), status, content_type="application/json")
    if retry_after is not None:
        response.headers["Retry-After"] = str(math.ceil(retry_after))
    return response


def raw(status: str, headers: Iterable[tuple[str, str]], body: bytes) -> bytes:
    """The bytes of an HTTP/1.1 answer."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + body


def raw_response(response: Response) -> bytes:
    """The bytes of a Flask answer, with our server's name."""
    response.headers["Server"] = SERVER
    return raw(response.status, response.headers, response.get_data())


class Wire(Response):
    """An answer written to the socket by hand: bytes are sent, numbers are seconds of silence.

    Ending: `keep` the connection as if nothing was odd, `close` it, or `reset` it (RST). A caller who leaves
    ends the script early. Without a socket of our own (WSGI in process) the call fails as a cut line would.
    """

    def __init__(self, steps: Sequence[bytes | float], ending: Ending) -> None:
        super().__init__()
        self.steps, self.ending = steps, ending

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        """Play the script and tell the server how to end."""
        line: Line | None = environ.get(LINE)
        if line is None:
            raise ConnectionAbortedError("the fake carrier cut the line")
        line.ending = self.ending
        start_response(self.status, [])  # WSGI's form is kept; the server sends none of it
        for step in self.steps:
            if isinstance(step, bytes):
                line.socket.sendall(step)
            elif _left_within(line.socket, step):
                line.ending = "close"
                break
        return []


def _left_within(line: "socket", seconds: float) -> bool:
    """Wait on the caller, who has nothing to say until answered: True if he closed the line meanwhile."""
    line.settimeout(seconds)
    try:
        return line.recv(1) == b""
    except TimeoutError:
        return False
    finally:
        line.settimeout(None)
