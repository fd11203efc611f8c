"""Exchanges as HAR 1.2: what was sent and what came back, keys masked by their variables."""

import base64
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from contracts.reports.run import Run
from contracts.wire import Exchange


def as_text(run: Run) -> str:
    """The report as JSON."""
    return run.masked(json.dumps(document("smslab contract", run.exchanges), indent=1)) + "\n"


def document(creator: str, exchanges: Iterable[Exchange]) -> dict[str, Any]:
    """A whole HAR, made by the program that calls itself `creator`."""
    entries = [entry(one) for one in exchanges]
    return {"log": {"version": "1.2", "creator": {"name": creator, "version": "1"}, "entries": entries}}


def entry(one: Exchange) -> dict[str, Any]:
    """One exchange as an entry of a HAR."""
    milliseconds = round(one.seconds * 1000, 3)
    return {
        "startedDateTime": datetime.fromtimestamp(one.at, UTC).isoformat(),
        "time": milliseconds,
        "request": _request(one),
        "response": _response(one),
        "cache": {},
        "timings": {"send": 0, "wait": milliseconds, "receive": 0},
        "comment": one.failure,
    }


def _request(one: Exchange) -> dict[str, Any]:
    query = parse_qsl(urlsplit(one.call.url).query, keep_blank_values=True)
    kind = next((value for name, value in one.call.headers if name == "Content-Type"), "")
    body = _body(one.call.body)
    return {
        "method": one.call.method,
        "url": one.call.url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(list(one.call.headers)),
        "queryString": _pairs(query),
        "postData": {"mimeType": kind, "params": []} | body if one.call.body else None,
        "headersSize": -1,
        "bodySize": len(one.call.body),
        "comment": one.call.head[:500] or one.call.framing,
    }


def _response(one: Exchange) -> dict[str, Any]:
    answer = one.answer
    body = answer.body if answer else b""
    kind = answer.headers.get("content-type", "") if answer else ""
    return {
        "status": answer.status if answer else 0,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": _pairs(list(answer.headers.items()) if answer else []),
        "content": {"size": len(body), "mimeType": kind} | _body(body),
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(body),
    }


def _body(body: bytes) -> dict[str, str]:
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(body).decode(), "encoding": "base64"}


def _pairs(items: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in items]
