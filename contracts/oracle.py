"""What any request must be answered, computed from the contract: the reference that generated requests are held to.

A model of the contract, not of a gateway. Where the contract leaves room it allows more than one outcome.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from contracts import spec
from contracts.cases import KEY_HEADER
from contracts.wire import Call

Expected = Mapping[str, tuple[str, ...]]
_LONG_URL = 4000  # servers begin to refuse a little above
_PARAMETER, _NUMBER, _MEDIA = ("400/10002",), ("400/10001",), ("400/10003",)


class Fault(NamedTuple):
    """One thing wrong with a message: the rule, what may answer it, and what must under our decisions."""

    rule: str
    outcomes: tuple[str, ...]
    strict_rule: str = ""


def expected(call: Call) -> Expected:
    """The outcomes for each rule that this request touches. Empty: the contract says nothing about it."""
    route = next(route for route in spec.routes() if route.operation == call.operation)
    key = next((value for name, value in call.headers if name.lower() == "authorization"), "").strip()
    if key != KEY_HEADER:
        rule = "YS-AUTH-02" if key.partition(" ")[2].strip() else "YS-AUTH-01"
        return {rule: ("401/10004",)} if call.method == route.method else {"YS-ORD-01": ("401/10004", "405*")}
    if call.method != route.method:
        return {"YS-HTTP-02": ("405/10002",) if call.method != "HEAD" else ("405*",)}
    return _verify(call.url) if call.operation == "verify" else _send(call)


def message(body: bytes) -> dict[str, Any] | None:
    """The message in a body, read strictly, or None."""
    try:
        parsed = json.loads(body.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _verify(url: str) -> Expected:
    try:
        given = parse_qs(urlsplit(url).query, keep_blank_values=True, errors="strict").get("challenge")
    except ValueError:
        return {}
    if given is None:
        return {"YS-VER-01": ("200",)}
    if len(given) > 1 or "\0" in given[0]:
        return {}
    # A request line this long may be refused by the server in front of the application.
    below = ("414*", "431*", "400*") if len(url) > _LONG_URL else ()
    if 1 <= len(given[0]) <= spec.limits().challenge:
        return {"YS-VER-01": ("200", *below)}
    return {"YS-VER-04": (*_PARAMETER, *below)}


def _send(call: Call) -> Expected:
    kind = next((value for name, value in call.headers if name.lower() == "content-type"), "")
    media_type = kind.split(";")[0].strip().lower()
    if media_type != "application/json":
        # A request without type and body has no JSON either way.
        return {"YS-HTTP-04": ("415/10002",) if media_type or call.body else ("415/10002", *_PARAMETER)}
    if len(call.body) > spec.limits().body_bytes:
        return {"YS-HTTP-03": ("413/10002",)}
    try:
        text = call.body.decode()
    except UnicodeDecodeError:
        return {"YS-JSON-04": _PARAMETER}
    parsed = message(call.body)
    if parsed is None:
        return _no_message(text)
    return _judge(_faults(parsed), parsed, text)


def _no_message(text: str) -> Expected:
    """Not JSON at all, JSON only to lenient parsers, or JSON that is no object."""
    try:
        lenient = json.loads(text)
    except (ValueError, RecursionError):
        return {"YS-JSON-01": _PARAMETER}
    return {"YS-JSON-02" if isinstance(lenient, dict) else "YS-FLD-03": _PARAMETER}


def _judge(faults: list[Fault], parsed: Mapping[str, Any], text: str) -> Expected:
    if "\\u" in text and any(map(_is_unsendable, _strings(parsed))):
        return {"YS-TXT-06": _PARAMETER} if not faults else {faults[0].rule: ("400/*",)}
    if not faults:
        if not any(unicodedata.category(character)[0] not in "CZ" for character in parsed["text"]):
            return {"YS-TXT-05": ("200", *_PARAMETER)}  # nothing visible: our decision does not say
        return {"YS-FLD-04" if set(parsed) - {"from", "to", "text", "media_urls"} else "YS-TXT-05": ("200",)}
    first = faults[0]
    if len(faults) == 1:
        strict = {first.strict_rule: _PARAMETER} if first.strict_rule else {}
        return {first.rule: first.outcomes, **strict}
    allowed = tuple(dict.fromkeys(outcome for fault in faults for outcome in fault.outcomes))
    first_outcomes = _PARAMETER if first.strict_rule else first.outcomes
    rank = [fault for fault in faults if not fault.rule.startswith("YS-TXT-03")] or faults
    return {rank[0].rule: allowed, "YS-ORD-02": first_outcomes}


def _faults(parsed: Mapping[str, Any]) -> list[Fault]:
    """Everything wrong with the message, in the order in which a provider must look."""
    media, text = parsed.get("media_urls"), parsed.get("text")
    types = [_number_type(parsed, name) for name in ("from", "to")]
    if not isinstance(text, str | None):
        types.append(Fault("YS-TXT-07", ("400/*",), "YS-FLD-06"))
    is_list = isinstance(media, list)
    if media is not None and not (is_list and all(isinstance(url, str) for url in media)):
        types.append(Fault("YS-MED-04", ("400/*",), "YS-FLD-06"))
    numbers = [_number(parsed, "from", "YS-NUM-02"), _number(parsed, "to", "YS-NUM-01")]
    rest = [Fault("YS-MED-01", _MEDIA)] if is_list and media and all(isinstance(u, str) for u in media) else []
    if text is None or (isinstance(text, str) and not text.strip()):
        rest.append(Fault("YS-TXT-03", _PARAMETER))
    elif isinstance(text, str) and len(text) > spec.limits().text:
        rest.append(Fault("YS-TXT-02", _PARAMETER))
    return [fault for fault in [*types, *numbers, *rest] if fault]


def _number_type(parsed: Mapping[str, Any], name: str) -> Fault | None:
    if name not in parsed:
        return Fault("YS-FLD-01", _PARAMETER)
    if isinstance(parsed[name], str):
        return None
    return Fault("YS-FLD-02", (*_NUMBER, *_PARAMETER), "YS-FLD-06")


def _number(parsed: Mapping[str, Any], name: str, rule: str) -> Fault | None:
    value = parsed.get(name)
    if not isinstance(value, str) or re.fullmatch(spec.limits().number_pattern.strip("^$"), value):
        return None
    if not value.strip():
        return Fault(rule, (*_NUMBER, *_PARAMETER))
    return Fault(rule if value.isascii() else "YS-NUM-03", _NUMBER)


def _strings(value: object) -> Iterator[str]:
    """Every string in a document, names of members too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        value = list(value.values())
    for inner in value if isinstance(value, list) else ():
        yield from _strings(inner)


def _is_unsendable(text: str) -> bool:
    return "\0" in text or any("\ud800" <= character <= "\udfff" for character in text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _no_constant(name: str) -> object:
    raise ValueError(name)
