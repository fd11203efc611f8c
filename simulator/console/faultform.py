"""Faults as forms: which fields a kind of fault has, what a filled form asks for, and the ready ones.

Pure. Everything is read from the carrier's own classes, so a new fault has its form by being there; whether what was
typed makes sense is the carrier's to say.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields
from math import isfinite
from typing import Any, Final, Literal, NamedTuple, get_args, get_origin, get_type_hints

from simulator.carrier.board import Times
from simulator.carrier.faults import kinds
from simulator.carrier.scope import Scope

HINTS: Final = {
    "to": "this recipient only", "prefix": "recipients that begin so", "sender": "this sender only",
    "first": "only the first N", "every": "each Nth", "share": "this part, 0 to 1", "seed": "of the draw for share",
    "ttl": "seconds until it ends by itself", "after": "seconds until it begins",
}  # fmt: skip


class Entry(NamedTuple):
    """One field of a form; `name` is the parameter, `choices` is empty unless it is one of a few words."""

    name: str
    default: str
    number: bool
    choices: tuple[str, ...]
    hint: str


class Ready(NamedTuple):
    """A fault that is one click away."""

    name: str
    title: str
    spec: Mapping[str, Any]


FOR_A_WHILE: Final = 300  # seconds: nobody's forgotten fault spoils another's day
READY: Final = (
    Ready("outage", "Outage for 30 s", {"kind": "outage", "params": {"seconds": 30}}),
    Ready("throttle", "Throttle to 5/s", {"kind": "throttle", "params": {"per_second": 5}, "ttl": FOR_A_WHILE}),
    Ready("lost-reply", "Lose every 2nd reply", {"kind": "lost-reply", "scope": {"every": 2}, "ttl": FOR_A_WHILE}),
    Ready("slow", "Slow by 2 s", {"kind": "latency", "params": {"seconds": 2}, "ttl": FOR_A_WHILE}),
    Ready("garble", "Garbled answers", {"kind": "garble", "ttl": FOR_A_WHILE}),
    Ready("late", "Receipts 60 s late", {"kind": "receipt-late", "params": {"seconds": 60}, "ttl": FOR_A_WHILE}),
    Ready("twice", "Receipts twice", {"kind": "receipt-duplicate", "ttl": FOR_A_WHILE}),
    Ready("reordered", "Receipts out of order", {"kind": "receipt-reorder", "ttl": FOR_A_WHILE}),
    Ready(
        "unknown",
        "Receipts UNKNOWN",
        {"kind": "receipt-status", "params": {"status": "UNKNOWN"}, "ttl": FOR_A_WHILE},
    ),
)
PARTS: Final[tuple[tuple[str, type], ...]] = (("scope", Scope), ("times", Times))


def entries(cls: type) -> list[Entry]:
    """The fields of a fault, a scope or its times, in their order."""
    hints = get_type_hints(cls)
    return [_entry(one.name, hints[one.name], one.default) for one in fields(cls) if one.init]


def about(kind: str) -> str:
    """What a fault does, in the words of its class."""
    return " ".join((kinds()[kind].__doc__ or "").replace("`", "").split())


def spec_from(form: Mapping[str, str]) -> dict[str, Any]:
    """The fault that a filled form asks for, as the carrier's API wants it; what was left empty is not said."""
    kind = form.get("kind", "")
    spec: dict[str, Any] = {"kind": kind}
    params = _values(form, "params", kinds().get(kind))
    scope, times = (_values(form, name, cls) for name, cls in PARTS)
    return spec | ({"params": params} if params else {}) | ({"scope": scope} if scope else {}) | times


def scope_in_words(scope: Mapping[str, Any]) -> list[str]:
    """Whom a fault hits, for people; numbers stay as they are."""
    words = {
        "to": "to {}", "prefix": "to {}...", "sender": "from {}", "first": "only the first {}", "every": "one in {}",
        "share": "{:.0%} of them", "seed": "drawn from seed {}",
    }  # fmt: skip
    return [text.format(scope[name]) for name, text in words.items() if scope.get(name) is not None]


def _entry(name: str, hint: object, default: object) -> Entry:
    shown = "" if default is None or default is MISSING else f"{default:g}" if isinstance(default, float) else default
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    return Entry(name, str(shown), _is_number(hint), choices, HINTS.get(name, ""))


def _is_number(hint: object) -> bool:
    return not {int, float}.isdisjoint(get_args(hint) or (hint,))


def _values(form: Mapping[str, str], part: str, cls: type | None) -> dict[str, Any]:
    """What is filled in and differs from the default; a number that is none stays text, for the carrier to refuse."""
    given = {} if cls is None else {one: form.get(f"{part}.{one.name}", "").strip() for one in entries(cls)}
    return {one.name: _value(one, text) for one, text in given.items() if text not in {"", one.default}}


def _value(entry: Entry, text: str) -> str | float:
    if not entry.number:
        return text
    try:
        value = int(text) if text.lstrip("+-").isdigit() else float(text)
    except ValueError:
        return text
    return value if isfinite(value) else text
