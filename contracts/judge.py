"""Is this answer one that the contract allows? A pure function of the answer; nothing here sends anything.

The suite, the fuzzer, the PBX simulator and Locust all ask this one judge. What a given request should have
been answered is not its business: that is in the cases.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from contracts import spec

# Statuses the provider's page does not know; by our decision they carry 10002 and keep their status.
_OURS = {404: "YS-HTTP-01", 405: "YS-HTTP-02", 413: "YS-HTTP-03", 415: "YS-HTTP-04"}
_LEAK = re.compile(
    rb"Traceback \(most recent|File \"[^\"]+\.py\"|\bat [\w.$]+\([\w]+\.java:\d+\)|werkzeug\.exceptions|"
    rb"sqlite3\.|psycopg\.|sqlalchemy\.|<title>[^<]*(?:Debugger|Exception)|SELECT .{1,80} FROM |Stack trace:",
)
_SECONDS = re.compile(r"[0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. Header names are in lower case; a repeated header's values are joined by commas."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Finding(NamedTuple):
    """One broken rule, by its id in `contracts/rules.yaml`, and what was seen."""

    rule: str
    sentence: str


def judge_answer(operation: str, method: str, answer: Answer) -> tuple[Finding, ...]:
    """Every rule this answer breaks whatever the request was; empty means right.

    `operation` is the contract's operationId, or "" for a path that is none of the two.
    """
    found = list(_leaks(answer))
    is_ours = any(route[:2] == (operation, method) for route in spec.routes())
    if answer.status >= 300:
        ours = _OURS.get(answer.status) if is_ours else "YS-HTTP-02" if operation else "YS-HTTP-01"
        found += [Finding(ours or rule, sentence) for rule, sentence in _refusal(answer, method)]
    elif is_ours:
        found += _success(operation, answer)
    return tuple(found)


def tested_rules(operation: str, method: str, answer: Answer) -> tuple[str, ...]:
    """The rules that `judge_answer` holds this answer to."""
    if (operation, method) not in {route[:2] for route in spec.routes()}:
        return ("YS-LEAK-01",)
    if answer.status < 300:
        success = ("YS-OK-01", "YS-OK-02", "YS-OK-03", "YS-OK-04")
        return ("YS-LEAK-01", *(success if operation == "sendmessage" else success[:1]))
    envelope = tuple(f"YS-ENV-{number:02}" for number in range(1, 8))
    header = {401: "YS-AUTH-06", 429: "YS-RATE-02", 500: "YS-DOWN-02"}.get(answer.status)
    return ("YS-LEAK-01", *envelope, *([header] if header else []))


def error_code(answer: Answer) -> str | None:
    """The code in the envelope, or None if there is no envelope with one."""
    match _json(answer.body):
        case {"errors": [{"code": str(code)}, *_]}:
            return code
    return None


def order_id(answer: Answer) -> str | None:
    """The id of an accepted message: 200 with a non-blank string in `data.id`, else None."""
    match _json(answer.body):
        case {"data": {"id": str(identity)}} if answer.status == 200 and identity.strip():
            return identity
    return None


def _leaks(answer: Answer) -> Iterator[Finding]:
    if leak := _LEAK.search(answer.body):
        shown = leak[0].decode("ascii", "replace")
        yield Finding("YS-LEAK-01", f"the answer shows the provider's insides: {shown!r}")


def _success(operation: str, answer: Answer) -> Iterator[Finding]:
    if answer.status != 200:
        yield Finding("YS-OK-01", f"success has status {answer.status}, not 200")
    if operation == "sendmessage":
        yield from _accepted(answer)


def _accepted(answer: Answer) -> Iterator[Finding]:
    if not _is_json(answer):
        yield Finding("YS-OK-04", f"success has content type {answer.headers.get('content-type')!r}, not JSON")
    match _json(answer.body):
        case {"data": {"id": str(identity), **also}, **beside} if identity.strip():
            if also or beside:
                yield Finding("YS-OK-03", "success carries more than data.id")
        case {"data": {"id": identity}}:
            yield Finding("YS-OK-02", f"data.id is {_short(identity)}, not a non-empty string")
        case {"errors": [dict(error), *_]}:
            yield from _error(answer.status, error)
        case _:
            yield Finding("YS-OK-02", f"success is {_short(answer.body)}, without data.id")


def _refusal(answer: Answer, method: str) -> Iterator[Finding]:
    if answer.status == 401 and not answer.headers.get("www-authenticate", "").startswith("Bearer"):
        yield Finding("YS-AUTH-06", "401 comes without WWW-Authenticate: Bearer")
    if answer.status in {429, 500} and not _SECONDS.fullmatch(answer.headers.get("retry-after", "")):
        rule = "YS-RATE-02" if answer.status == 429 else "YS-DOWN-02"
        yield Finding(rule, f"{answer.status} comes without Retry-After in seconds")
    if answer.status == 405 and not answer.headers.get("allow"):
        yield Finding("YS-HTTP-02", "405 comes without Allow")
    if method != "HEAD":
        yield from _envelope(answer)


def _envelope(answer: Answer) -> Iterator[Finding]:
    if not _is_json(answer):
        yield Finding("YS-ENV-07", f"a refusal has content type {answer.headers.get('content-type')!r}, not JSON")
    match _json(answer.body):
        case {"errors": [dict(error)], **beside}:
            if beside or set(error) - {"code", "title", "detail"}:
                yield Finding("YS-ENV-06", "the envelope has members the contract does not know")
            yield from _error(answer.status, error)
        case _:
            yield Finding("YS-ENV-01", f"{answer.status} is not one error in an envelope: {_short(answer.body)}")
            if answer.status not in _OURS and answer.status not in {row.status for row in spec.error_rows()}:
                yield Finding("YS-ENV-04", f"status {answer.status} is not in the contract")


def _error(status: int, error: Mapping[str, Any]) -> Iterator[Finding]:
    code, detail = error.get("code"), error.get("detail")
    row = spec.error_codes().get(code) if isinstance(code, str) else None
    if row is None:
        yield Finding("YS-ENV-02", f"code is {_short(code)}, not one of the seven as a string")
    else:
        if error.get("title") != row.title:
            yield Finding("YS-ENV-03", f"{code} has the title {_short(error.get('title'))}, not {row.title!r}")
        if status != row.status and not (status in _OURS and code == "10002"):
            yield Finding("YS-ENV-04", f"{code} comes with status {status}, not {row.status}")
    if not isinstance(detail, str) or not detail.strip():
        yield Finding("YS-ENV-05", f"detail is {_short(detail)}, not a sentence")


def _is_json(answer: Answer) -> bool:
    return answer.headers.get("content-type", "").split(";")[0].strip().lower() == "application/json"


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 120 else shown[:117] + "..."
