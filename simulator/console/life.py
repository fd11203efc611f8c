"""The life of one message on one axis of time: what PBX, gateway and carrier each did, in whose lane, how long after.

Pure but for its reader: rows of the index and the carrier's report of faults go in, moments come out.
"""

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from simulator.carrier.magic import numbers
from simulator.ledger.watch import Message
from simulator.pbx.snippets import fault_command


class Moment(NamedTuple):
    """One step: `lane` is pbx, gateway or carrier; `tone` is good, bad, wait or empty; `facts` are names and values."""

    at: float
    lane: str
    title: str
    tone: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    fault: str = ""


Told = Mapping[str, Any]
# What the gateway's events are called here, and how they feel. What is not listed is shown under its own name.
GATEWAY: Final[Mapping[str, tuple[str, str]]] = {
    "accepted": ("Order is on disk; the PBX is answered", "good"),
    "submitted": ("Carrier took it", "good"),
    "attempt": ("Carrier did not take it; to be tried again", "wait"),
    "refused": ("Carrier refused it for good", "bad"),
    "expired": ("Order expired", "bad"),
    "indeterminate": ("Commit could not be learned in time", "bad"),
    "carrier is down": ("Breaker opens: the carrier is down", "bad"),
    "carrier is back": ("Breaker closes: the carrier is back", "good"),
}


def life(message: Message, steps: Iterable[sqlite3.Row], faults: Sequence[Mapping[str, Any]]) -> list[Moment]:
    """Every moment of the message, in the order of time; `faults` are what the carrier says was ever armed."""
    found = [*_pbx(message)] if message.attempt.number else []
    before = message.attempt.started_at
    for step in steps:
        moment = STEPS[step["source"]](step, json.loads(step["data"]))
        if step["source"] == "gateway" and moment.title != GATEWAY["accepted"][0]:
            moment = moment._replace(fault=_fault(message.attempt.to, faults, (before, step["at"]), moment))
        before = step["at"] if step["source"] == "gateway" else before
        found.append(moment)
    return sorted(found, key=lambda moment: moment.at)


def veiled(moment: Moment, veil: Callable[[str], str]) -> Moment:
    """The moment with all that it says put through `veil`."""
    facts = tuple((name, veil(value)) for name, value in moment.facts)
    return moment._replace(facts=facts, fault=veil(moment.fault))


def _pbx(message: Message) -> Iterable[Moment]:
    one, event = message.attempt, message.attempt.exchange.get("event", {})
    yield Moment(one.started_at, "pbx", "Sends", "", _facts({"from": one.from_number, "run": one.run}))
    if one.finished_at is None:
        return
    if one.status is None:
        failure = one.exchange.get("failure") or "It was cut off."
        yield Moment(one.finished_at, "pbx", "Gets no answer", "bad", _facts({"why": failure}))
        return
    facts = {"order": one.order_id if one.accepted else None, "code": one.code, "says": event.get("send_error_msg")}
    tone = "good" if one.accepted else "bad"
    yield Moment(one.finished_at, "pbx", f"Gets {one.status}", tone, _facts(facts))


def _gateway(step: sqlite3.Row, told: Told) -> Moment:
    title, tone = GATEWAY.get(step["kind"], (step["kind"].capitalize(), ""))
    names = {"attempt": "attempt", "reason": "reason", "carrier": "carrier's id", "segments": "segments"}
    return Moment(step["at"], "gateway", title, tone, _facts({names[name]: told.get(name) for name in names}))


def _carrier(step: sqlite3.Row, told: Told) -> Moment:
    facts = {"id": told["id"], "sender": told["from"], "encoding": told["encoding"], "segments": told["segments"]}
    return Moment(step["at"], "carrier", "Takes it", "good", _facts(facts))


def _postman(step: sqlite3.Row, told: Told) -> Moment:
    answer = told["answer"]
    tone = "good" if answer and answer < 300 else "bad"
    facts = {"answered": answer or "nothing", "receipt": told["receipt_id"]}
    return Moment(step["at"], "carrier", f"Hands over the receipt {step['kind']}", tone, _facts(facts))


def _receipt(step: sqlite3.Row, told: Told) -> Moment:
    del told
    tone = "good" if step["kind"] == "DELIVRD" else "wait" if step["kind"] in {"ENROUTE", "ACCEPTD"} else "bad"
    return Moment(step["at"], "gateway", f"Message is now {step['kind']}", tone)


STEPS: Final[Mapping[str, Callable[[sqlite3.Row, Told], Moment]]] = {
    "gateway": _gateway, "carrier": _carrier, "postman": _postman, "receipt": _receipt
}  # fmt: skip


def _fault(to: str, faults: Sequence[Told], span: tuple[float, float], moment: Moment) -> str:
    """The fault of the number itself, or those that were armed for it between two events of the gateway."""
    attempt = dict(moment.facts).get("attempt")
    if attempt is None:
        return ""
    magic = next((magic for magic in numbers() if magic.number == to), None)
    if magic:
        return "" if magic.once and attempt != "1" else f"magic number: {magic.meaning}"
    since, until = span
    armed = [
        fault
        for fault in faults
        if fault["hits"] and fault["begins"] <= until and (fault["ends"] is None or fault["ends"] >= since)
        if _meant(fault.get("scope", {}), to)
    ]
    said = "; ".join(fault_command(fault).removeprefix("smslab carrier fault add ") for fault in armed)
    return f"armed then: {said}" if said else ""


def _meant(scope: Mapping[str, Any], to: str) -> bool:
    return scope.get("to") in {None, to} and to.startswith(scope.get("prefix") or "")


def _facts(values: Mapping[str, object]) -> tuple[tuple[str, str], ...]:
    return tuple((name, str(value)) for name, value in values.items() if value not in {None, ""})
