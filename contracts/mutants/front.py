"""The front of a mutant: an HTTP provider that passes requests on to a correct one, with one defect in between."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from contracts import spec, wire
from contracts.judge import Answer, error_code
from contracts.target import Target

if TYPE_CHECKING:
    import socket

_HOPS = {"connection", "transfer-encoding", "content-length", "keep-alive", "server", "date"}
_PATIENCE = 0.2  # seconds for a body that was announced and may never come

Defect = Callable[["Front", "Request"], Answer]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One defect, the rule it breaks, and its Web Fuzzing Commons category if one fits (0: none)."""

    name: str
    says: str
    breaks: str
    wfc: int
    provoked: bool  # only shown while 10005, 10006 or 10007 is provoked
    defect: Defect


def mutant(breaks: str, *, wfc: int = 0, provoked: bool = False) -> Callable[[Defect], Mutant]:
    """Make a mutant of a function; its name and docstring become the mutant's."""

    def made(defect: Defect) -> Mutant:
        return Mutant(defect.__name__, (defect.__doc__ or "").strip(), breaks, wfc, provoked, defect)

    return made


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the front received it. Header names are in lower case; `path` has the query in it."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_send(self) -> bool:
        """Whether it is a message for the send URL."""
        return self.method == "POST" and "send" in self.path

    @property
    def message(self) -> dict[str, Any] | None:
        """The message in it, read as leniently as Python does, or None."""
        try:
            parsed = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return parsed if isinstance(parsed, dict) else None

    @property
    def key(self) -> str:
        """The Authorization header."""
        return self.headers.get("authorization", "")

    def of(self, **fields: object) -> "Request":
        """The same message with these fields."""
        return replace(self, body=json.dumps((self.message or {}) | fields).encode())

    def fixed(self, name: str, repair: Callable[[Any], object]) -> "Request":
        """The same message with one field repaired; untouched if there is no such field."""
        message = self.message
        if not self.is_send or message is None or name not in message:
            return self
        repaired = repair(message[name])
        return self if repaired == message[name] else self.of(**{name: repaired})

    def having(self, **headers: str) -> "Request":
        """The same request with other headers; `_` stands for the hyphen."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **changed})


@dataclass
class Front:
    """A WSGI application: the target's provider with a defect. `state` is the defect's own memory."""

    target: Target
    defect: Defect | None = None
    state: dict[str, Any] = field(default_factory=dict)

    def __call__(self, environ: Mapping[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        """Answer one request."""
        request = _request(environ)
        answer = self.defect(self, request) if self.defect else self.ask(request)
        kept = [(name.title(), value) for name, value in answer.headers.items() if name not in _HOPS]
        start(f"{answer.status} Answer", kept)
        return [answer.body]

    def ask(self, request: Request) -> Answer:
        """What the correct provider answers."""
        parts = urlsplit(self.target.send_url)
        url = urlunsplit((parts.scheme, parts.netloc, "", "", "")) + request.path
        headers = tuple((name, value) for name, value in request.headers.items() if name not in _HOPS)
        framing = "length" if request.body or "content-length" not in request.headers else "promise"
        done = wire.exchange(wire.Call("", request.method, url, headers, request.body, framing), {}, 5.0)
        return done.answer or Answer(502, {}, done.failure.encode())

    def let_in(self, request: Request) -> Answer:
        """What the correct provider answers if the key is right."""
        return self.ask(request.having(authorization=f"Bearer {self.target.key}"))


def refusal(code: str, detail: str = "refused", *, status: int = 0) -> Answer:
    """A correct refusal."""
    row = spec.error_codes()[code]
    headers = {"content-type": "application/json", "www-authenticate": "Bearer", "retry-after": "1"}
    error = {"code": code, "title": row.title, "detail": detail}
    return Answer(status or row.status, headers, json.dumps({"errors": [error]}).encode())


def document(answer: Answer, value: object, **headers: str) -> Answer:
    """The answer with another JSON document in it."""
    changed = {name.replace("_", "-"): text for name, text in headers.items()}
    return replace(answer, body=json.dumps(value).encode(), headers={**answer.headers, **changed})


def with_error(answer: Answer, only: str = "", /, **changes: object) -> Answer:
    """The answer with its error changed, if it has one (`only` of that code); `...` removes a member."""
    seen = error_code(answer)
    if seen is None or (only and seen != only):
        return answer
    error = json.loads(answer.body)["errors"][0] | changes
    return document(answer, {"errors": [{name: value for name, value in error.items() if value is not ...}]})


def without(answer: Answer, *names: str) -> Answer:
    """The answer without these headers."""
    return replace(answer, headers={name: v for name, v in answer.headers.items() if name not in names})


def page(status: int, **headers: str) -> Answer:
    """The HTML page that a framework answers by itself."""
    changed = {name.replace("_", "-"): text for name, text in headers.items()}
    body = f"<!doctype html><title>{status}</title><h1>Sorry</h1>".encode()
    return Answer(status, {"content-type": "text/html", **changed}, body)


def _request(environ: Mapping[str, Any]) -> Request:
    headers = {
        name[5:].replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") and name != "HTTP_HOST"
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    path = environ.get("REQUEST_URI") or environ["PATH_INFO"]
    return Request(environ["REQUEST_METHOD"], path, headers, _body(environ))


def _body(environ: Mapping[str, Any]) -> bytes:
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        connection.settimeout(_PATIENCE)
    try:
        stream = environ["wsgi.input"]
        chunked = "HTTP_TRANSFER_ENCODING" in environ
        body: bytes = stream.read() if chunked else stream.read(int(environ.get("CONTENT_LENGTH") or 0))
    except (TimeoutError, OSError, ValueError):
        body = b""
    return body
