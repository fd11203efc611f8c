"""The PBX's webhook: where providers that also send inbound messages deliver them, signed.

FutureSMS is outbound only; this end exists for other providers of the same contract. What Yeastar documents:
`X-Signature-256: sha256=<lower-case hex of HMAC-SHA256(secret, raw body)>`, 200 or 204 taken, 400 refused.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

from contracts import spec

LIMIT = 256 * 1024  # bytes of a webhook's body
PATH = "/api/v1.0/webhook/general/simulator"
HEADER = "X-Signature-256"
Take = Callable[[Mapping[str, Any]], None]


def sign(secret: str, body: bytes) -> str:
    """The value of the signature header for a body."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def example() -> bytes:
    """A body as a provider would post it."""
    page = spec.page_example()
    payload = {
        "id": "IN-1",
        "from": {"phone_number": page["to"]},
        "to": [{"phone_number": page["from"]}],
        "text": "Is the office open?",
        "received_at": "2026-03-25T10:30:12.000+00:00",
        "record_type": "message",
        "direction": "inbound",
        "type": "SMS",
    }
    data = {"event_type": "message.received", "id": "EV-1", "occurred_at": payload["received_at"]}
    return json.dumps({"data": {**data, "record_type": "event", "payload": payload}}).encode()


def webhook(secret: str, take: Take) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """The webhook as a WSGI application; `take` gets the payload of every good message."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status, words = _answer(environ, secret, take)
        body = json.dumps({"simulator": words}).encode() if words else b""
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))] if body else []
        start_response(status, headers)
        return [body]

    return app


def _answer(environ: WSGIEnvironment, secret: str, take: Take) -> tuple[str, str]:
    if environ["PATH_INFO"] != PATH:
        return "404 Not Found", f"The webhook is at {PATH}."
    if environ["REQUEST_METHOD"] != "POST":
        return "405 Method Not Allowed", "The webhook takes POST."
    length = environ.get("CONTENT_LENGTH") or ""
    if not length.isdigit() or int(length) > LIMIT:
        return "400 Bad Request", f"A body of known length up to {LIMIT} bytes is needed."
    body = environ["wsgi.input"].read(int(length))
    if not hmac.compare_digest(environ.get("HTTP_X_SIGNATURE_256", "").encode(), sign(secret, body).encode()):
        return "400 Bad Request", f"{HEADER} does not sign this body with the channel's secret."
    payload = _payload(body)
    if isinstance(payload, str):
        return "400 Bad Request", payload
    take(payload)
    return "204 No Content", ""


def _payload(body: bytes) -> Mapping[str, Any] | str:
    """The message in a webhook's body, or what is wrong with it."""
    number = spec.limits().number_pattern
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return "The body is not JSON."
    match document:
        case {"data": {"event_type": "message.received", "payload": dict(payload)}}:
            pass
        case _:
            return "data.event_type must be message.received, with a payload."
    match payload:
        case {"id": str(), "from": {"phone_number": str(sender)}, "to": [{"phone_number": str(to)}, *_], "text": str()}:
            good = re.fullmatch(number, sender) and re.fullmatch(number, to)
            return payload if good else "Numbers must be in E.164."
    return "The payload needs id, from, to and text."
