"""One exchange of the PBX's ledger: read by a person, judged by the contract, or handed on as HAR."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from contracts.judge import Answer, Finding, judge_answer, tested_rules
from contracts.rules import Rule, rules
from contracts.wire import Call, Exchange
from simulator.ledger.pbx import Attempt

Told = Mapping[str, Any]


class Verdict(NamedTuple):
    """What the contract says of an answer: what is wrong, by which rule, and how many rules were held to it."""

    wrong: Sequence[tuple[Finding, Rule]]
    tested: int


class Part(NamedTuple):
    """Request or response as a person reads it."""

    title: str
    head: str
    body: str


def verdict(exchange: Told) -> Verdict | None:
    """What the judge finds; None if no answer came, or nobody kept it."""
    answer = _answer(exchange)
    if answer is None:
        return None
    found = judge_answer("sendmessage", "POST", answer)
    return Verdict([(one, rules()[one.rule]) for one in found], len(tested_rules("sendmessage", "POST", answer)))


def readable(exchange: Told, veil: Callable[[str], str]) -> list[Part]:
    """Request and response, JSON set out in lines, everything put through `veil`. The key was never kept."""
    request, response = exchange.get("request"), exchange.get("response")
    found = []
    if request:
        head = f"{request['method']} {request['url']}\nAuthorization: Bearer (the key)\n{_lines(request['headers'])}"
        found.append(Part("Request", veil(head), veil(_pretty(request["body"]))))
    if response:
        head = f"HTTP {response['status']}\n{_lines(response['headers'])}"
        found.append(Part("Response", veil(head), veil(_pretty(response["body"]))))
    return found


def as_exchange(attempt: Attempt) -> Exchange | None:
    """The attempt as the contract's reports know exchanges; None if what it sent was not kept."""
    request = attempt.exchange.get("request")
    if not request:
        return None
    headers = tuple(request["headers"].items())
    call = Call("sendmessage", request["method"], request["url"], headers, request["body"].encode())
    failure = attempt.exchange.get("failure") or ""
    return Exchange(call, _answer(attempt.exchange), failure, attempt.started_at, attempt.exchange.get("seconds", 0.0))


def _answer(exchange: Told) -> Answer | None:
    response = exchange.get("response")
    return response and Answer(response["status"], response["headers"], response["body"].encode())


def _lines(headers: Mapping[str, str]) -> str:
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
