"""Two providers and the same requests: where status, code, title, headers or shape differ.

Values that differ by nature are masked: ids, details, dates, lengths.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from contracts import cases
from contracts.cases import Case
from contracts.preflight import preflight
from contracts.provider import BudgetSpentError, Provider
from contracts.target import Target
from contracts.verdict import Verdict
from contracts.wire import Exchange

_HEADERS = ("content-type", "www-authenticate", "retry-after", "allow", "x-content-type-options")


class CouldNotTestError(Exception):
    """One of the two cannot be tested; the sentence says which and why."""


class Difference(NamedTuple):
    """One part of an answer that is not the same."""

    case: str
    part: str
    one: str
    other: str


class Found(NamedTuple):
    """How many requests were compared, and what differed."""

    compared: int
    differences: list[Difference]


def run(one: Target, other: Target) -> Found:
    """Send every written case to both. Raises `CouldNotTestError`."""
    providers = Provider(one), Provider(other)
    for provider in providers:
        verdict = Verdict()
        if not preflight(provider, verdict):
            why = verdict.could_not or "it does not answer as a provider"
            raise CouldNotTestError(f"{provider.target.name or provider.target.send_url}: {why}.")
    tables = [
        (*cases.scenarios(t), *cases.near_misses(t), *cases.raw(t), *cases.order(t), *cases.documents(t))
        for t in (one, other)
    ]
    others = {case.name: case for case in tables[1]}
    differences, compared = [], 0
    for case in tables[0]:
        if case.name in others and not case.call.head:
            answers = [_ask(provider, c) for provider, c in zip(providers, (case, others[case.name]), strict=True)]
            if None not in answers:
                compared += 1
                differences += _compare(case.name, answers[0] or {}, answers[1] or {})
    return Found(compared, differences)


def as_object(found: Found) -> dict[str, Any]:
    """The differences as plain values."""
    return {"compared": found.compared, "differences": [one._asdict() for one in found.differences]}


def as_text(found: Found) -> str:
    """The differences for a person, one line each."""
    lines = [f"{case:28}{part:24}{one}  |  {other}" for case, part, one, other in found.differences]
    return "\n".join([*lines, f"{found.compared} requests compared, {len(found.differences)} differences"])


def _ask(provider: Provider, case: Case) -> dict[str, str] | None:
    try:
        return _shape(provider.ask(case))
    except BudgetSpentError:
        return None


def _shape(done: Exchange) -> dict[str, str]:
    """The parts of an answer that are compared."""
    if done.answer is None:
        return {"status": done.failure}
    answer = done.answer
    parts = {"status": str(answer.status)}
    parts |= {f"header {name}": answer.headers[name] for name in _HEADERS if name in answer.headers}
    try:
        parsed = json.loads(answer.body)
    except (ValueError, RecursionError):
        return parts | {"body": "none" if not answer.body else "not JSON"}
    return parts | {f"body {path}": value for path, value in _leaves(parsed, "$")}


def _leaves(value: object, path: str) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [leaf for name, inner in value.items() for leaf in _leaves(inner, f"{path}.{name}")]
    if isinstance(value, list):
        return [leaf for index, inner in enumerate(value) for leaf in _leaves(inner, f"{path}[{index}]")]
    is_masked = path.endswith((".id", ".detail"))
    return [(path, type(value).__name__ if is_masked else json.dumps(value))]


def _compare(case: str, one: Mapping[str, str], other: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(case, part, one.get(part, "-"), other.get(part, "-"))
        for part in sorted({*one, *other})
        if one.get(part) != other.get(part)
    ]
