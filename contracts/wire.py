"""How a request leaves and how an answer comes back: exact bytes, a fresh connection, one deadline.

HTTP libraries repair what the judge wants to send broken, so requests are written here byte by byte. Secrets
stand in a `Call` as shell variables (`${YEASTAR_API_KEY}`) and become real only on the way out.
"""

import io
import re
import selectors
import shlex
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from types import MappingProxyType
from urllib.parse import urlsplit

from contracts.judge import Answer

ANSWER_BYTES = 1_000_000  # more than that is no answer of this contract
_VARIABLE = re.compile(r"\$\{(\w+)(%\?|~~|#\?)?\}")
_FORMS: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"": str, "%?": lambda key: key[:-1], "#?": lambda key: key[1:], "~~": str.swapcase}
)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as data. `${NAME}` in a header is a key; bash's forms `%?`, `#?` and `~~` make near-misses.

    `framing`: "length", "chunked", "none" (a body nobody announced), "promise" (announced, never sent).
    `head`: replaces request line and headers by its own bytes, for requests that are not HTTP any more.
    """

    operation: str
    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    framing: str = "length"
    head: str = ""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What was asked and what came back. Without an answer, `failure` says why in a few words."""

    call: Call
    answer: Answer | None
    failure: str
    at: float  # epoch seconds
    seconds: float


def exchange(call: Call, keys: Mapping[str, str], timeout: float) -> Exchange:
    """Send the call on its own connection and wait at most `timeout` seconds for the answer. Never raises."""
    at, start = time.time(), time.monotonic()
    answer, failure = None, ""
    try:
        with _connect(call.url, timeout) as connection:
            _send(connection, encoded(call, keys), start + timeout)
            answer = _receive(connection, call.method, start + timeout)
    except TimeoutError:
        failure = f"no answer within {timeout:g} s"
    except ConnectionRefusedError:
        failure = "connection refused"
    except socket.gaierror:
        failure = "unknown host"
    except ssl.SSLError as error:
        failure = f"TLS: {error.reason or error}"
    except (OSError, EOFError):
        failure = "closed without an answer"
    except (HTTPException, ValueError):
        failure = "what came back is not HTTP"
    return Exchange(call, answer, failure, at, time.monotonic() - start)


def encoded(call: Call, keys: Mapping[str, str]) -> bytes:
    """The call's bytes, with the keys put in. Names of variables that are not in `keys` stay as they are."""
    parts = urlsplit(call.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if call.head:
        head = call.head.replace("{path}", target).replace("{host}", parts.netloc)
        return with_keys(head, keys).encode("latin-1") + call.body
    names = {name.lower() for name, _ in call.headers}
    lines = [f"{call.method} {target} HTTP/1.1"]
    lines += [] if "host" in names else [f"Host: {parts.netloc}"]
    lines += [f"{name}: {with_keys(value, keys)}" for name, value in call.headers]
    if call.framing == "chunked":
        lines.append("Transfer-Encoding: chunked")
    elif call.framing == "promise" or (call.framing == "length" and (call.body or call.method == "POST")):
        lines.append(f"Content-Length: {len(call.body)}")
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1") + _framed(call)


def with_keys(text: str, keys: Mapping[str, str]) -> str:
    """The text with each `${NAME}` replaced by the key of that name, in the form bash would give it."""

    def key(match: re.Match[str]) -> str:
        name, form = match[1], match[2] or ""
        return _FORMS[form](keys[name]) if name in keys else match[0]

    return _VARIABLE.sub(key, text)


def curl(call: Call) -> str:
    """A line for bash that repeats the call; the key is a variable to be set first."""
    if call.head or call.framing in {"none", "promise"}:
        sent = call.head.replace("{path}", urlsplit(call.url).path).replace("{host}", urlsplit(call.url).netloc)
        return f"# raw bytes to {urlsplit(call.url).netloc}: {sent[:300]!r}"
    words = ["curl", "-sS", "-i", "-X", call.method]
    words += [word for name, value in call.headers for word in ("-H", _quoted(f"{name}: {value}"))]
    words += ["-H", "'Transfer-Encoding: chunked'"] if call.framing == "chunked" else []
    if call.body:
        return _piped(call.body) + " ".join([*words, "--data-binary", "@-", shlex.quote(call.url)])
    return " ".join([*words, shlex.quote(call.url)])


def _quoted(text: str) -> str:
    """Double quotes only around the variables, so that bash fills them in and touches nothing else."""
    pieces = re.split(r"(\$\{\w+(?:%\?|~~|#\?)?\})", text)
    return "".join(f'"{piece}"' if piece.startswith("${") else shlex.quote(piece) for piece in pieces if piece)


def _piped(body: bytes) -> str:
    shown = body[:4000].decode("latin-1")
    if len(body) > 4000:
        return f"# the body has {len(body)} bytes and begins with {shown[:80]!r}\n"
    if body.isascii() and shown.isprintable():
        return f"printf %s {shlex.quote(shown)} | "
    octets = "".join(chr(byte) if 32 <= byte < 127 and byte not in b"'\\%" else f"\\{byte:03o}" for byte in body)
    return f"printf '{octets}' | "


def _framed(call: Call) -> bytes:
    if call.framing == "promise":
        return b""
    if call.framing != "chunked":
        return call.body
    pieces = [call.body[start : start + 4096] for start in range(0, len(call.body), 4096)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def _connect(url: str, timeout: float) -> socket.socket:
    parts = urlsplit(url)
    host, secure = parts.hostname or "", parts.scheme == "https"
    connection = socket.create_connection((host, parts.port or (443 if secure else 80)), timeout)
    if secure:
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)
    return connection


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send all of it, or stop when the provider has begun to answer: it may refuse before the end."""
    with selectors.DefaultSelector() as selector:
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        view = memoryview(data)
        while view:
            ready = selector.select(max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError
            if ready[0][1] & selectors.EVENT_READ and not isinstance(connection, ssl.SSLSocket):
                return
            try:
                view = view[connection.send(view[:65536]) :]
            except (BrokenPipeError, ConnectionResetError):
                return


def _receive(connection: socket.socket, method: str, deadline: float) -> Answer:
    response = HTTPResponse(_Bounded(connection, deadline), method=method)  # type: ignore[arg-type]
    response.begin()
    body = response.read()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        known = headers.get(name.lower())
        headers[name.lower()] = value if known is None else f"{known}, {value}"
    return Answer(response.status, headers, body)


class _Bounded(io.RawIOBase):
    """The connection's bytes as a file that ends with `TimeoutError` at the deadline and has a size limit."""

    def __init__(self, connection: socket.socket, deadline: float) -> None:
        self._connection, self._deadline, self._left = connection, deadline, ANSWER_BYTES

    def makefile(self, mode: str) -> io.BufferedReader:
        """What `HTTPResponse` asks a socket for."""
        del mode
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # RawIOBase takes any buffer
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self._left -= count
        if self._left < 0:
            raise ValueError("the answer is too long")
        return count
