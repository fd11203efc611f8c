"""Who is at the other end: agents with habits, PBXs in odd states, and other programs that send to the same URL.

Each is a row of `PERSONAS`: how it changes the message, when it sends what, and how its HTTP looks. The parts
of other programs' requests that matter are reproduced byte for byte (docs/traffic.md says which).
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType
from typing import Any

from contracts import spec
from simulator.pbx.habits import Habits

Payload = Mapping[str, Any]
Change = Callable[[Payload, Random], Payload]
DOUBLE_CLICK = 0.08  # seconds between the two clicks of a nervous hand
COMPACT = (",", ":")


def _same(payload: Payload, dice: Random) -> Payload:
    del dice
    return payload


def _curly(payload: Payload, dice: Random) -> Payload:
    """A word processor's quotes and dashes, which turn a GSM-7 text into UCS-2."""
    del dice
    typed = str(payload["text"]).replace("'", "\N{RIGHT SINGLE QUOTATION MARK}").replace(" - ", " \N{EN DASH} ")
    return {**payload, "text": f"“{typed}”…"}


def _bad(payload: Payload, dice: Random) -> Payload:
    return {**payload, **dice.choice(BAD_INPUT)}


def _with(**more: Any) -> Change:  # noqa: ANN401 - JSON values
    return lambda payload, _: {**payload, **more}


def _listed(payload: Payload, dice: Random) -> Payload:
    del dice
    return {**payload, "to": [payload["to"]]}


def _no_plus(payload: Payload, dice: Random) -> Payload:
    del dice
    return {**payload, "to": str(payload["to"]).removeprefix("+")}


# What agents and integrators really send when they get it wrong; each is refused by the contract.
BAD_INPUT: tuple[dict[str, Any], ...] = (
    {"to": "0917 123 4567"},
    {"to": "+63 917 123 4567"},
    {"to": "+1"},
    {"to": "+63281234567"},
    {"to": None},
    {"to": 639171234567},
    {"from": "Reception"},
    {"from": ""},
    {"text": ""},
    {"text": " \n\t"},
    {"text": None},
    {"text": ["hello"]},
    {"text": "x" * (spec.limits().text + 1)},
    {"media_urls": ["https://pbx.example/files/1.jpg"]},
    {"media_urls": "https://pbx.example/files/1.jpg"},
)


@dataclass(frozen=True, slots=True)
class Persona:
    """One sender. `clicks` are the seconds after the due time at which the same message leaves."""

    about: str
    change: Change = _same
    clicks: tuple[float, ...] = (0.0,)
    verifies: int = 0  # verifications within a second before the message
    rotates: bool = False  # uses the channel's second key from half-time on
    dribble: float = 0.0  # seconds between the pieces of a request
    habits: Habits = field(default_factory=Habits)
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    order: tuple[str, ...] = ("from", "to", "text")
    separators: tuple[str, str] = (", ", ": ")
    ascii_only: bool = True

    def body(self, payload: Payload) -> bytes:
        """The request's body: members in this sender's order, spaces and escapes as it writes them."""
        names = [name for name in self.order if name in payload]
        ordered = {name: payload[name] for name in [*names, *(n for n in payload if n not in names)]}
        return json.dumps(ordered, separators=self.separators, ensure_ascii=self.ascii_only).encode()


def _agent(name: str, accept: str = "*/*") -> tuple[tuple[str, str], ...]:
    return (("User-Agent", name), ("Accept", accept), ("Content-Type", "application/json"))


_RETRYING = replace(Habits(), timeout=1.0, retries=2, retry_timeouts=True, retry_wait=0.5)
_APPRISE = {"version": "1.0", "title": "", "attachments": [], "type": "info"}

PERSONAS: Mapping[str, Persona] = MappingProxyType(
    {
        "office": Persona("an agent at a desk: one message, one click"),
        "curly": Persona("pastes from a word processor: curly quotes, dashes, an ellipsis", _curly),
        "double-click": Persona("clicks twice, 80 ms apart", clicks=(0.0, DOUBLE_CLICK)),
        "careless": Persona("numbers, texts and files the contract refuses", _bad),
        "misconfigured": Persona("a channel set up with somebody else's sender", _with(**{"from": "+639990000000"})),
        "reboot": Persona("a PBX that just came up: twenty verifications in a second", verifies=20),
        "rotated": Persona("the key is changed mid-shift: first key, then second", rotates=True),
        "impatient": Persona("a PBX that gives up after 1 s and sends again, twice", habits=_RETRYING),
        "clock-skew": Persona("a PBX without NTP: all it records is an hour slow", habits=Habits(clock_offset=-3600.0)),
        "slow-loris": Persona("a PBX on a bad line: the request arrives in eight pieces", dribble=0.1),
        "curl": Persona("curl -d", headers=_agent("curl/8.5.0"), separators=COMPACT, ascii_only=False),
        "httpie": Persona("http POST ... from=+63...", headers=_agent("HTTPie/3.2.4", "application/json, */*;q=0.5")),
        "newman": Persona(
            "a Postman run over a CSV, which loses the + of +63...",
            _no_plus,
            headers=_agent("PostmanRuntime/7.39.1"),
            separators=COMPACT,
            ascii_only=False,
        ),
        "telnyx-python": Persona(
            "the Telnyx SDK with another base URL: three POSTs when the first is slow",
            headers=_agent("Telnyx/Python 4.189.0", "application/json"),
            order=("to", "from", "text"),
            separators=COMPACT,
            ascii_only=False,
            habits=_RETRYING,
        ),
        "apprise": Persona(
            "Apprise json://, which adds fields of its own",
            _with(**_APPRISE),
            headers=_agent("Apprise"),
            order=("version", "title", "text", "attachments", "type"),
        ),
        "home-assistant": Persona("notify.rest, where `to` is a list", _listed, headers=_agent("HomeAssistant")),
    }
)


def verifies(weights: Mapping[str, float]) -> bool:
    """Whether somebody in the mix verifies, so that a verification URL is needed."""
    return any(PERSONAS[name].verifies for name in weights)


def mix(description: str) -> dict[str, float]:
    """Weights from `"office=8,double-click=1"`. Raises ValueError with a sentence for anything else."""
    weights = {}
    for part in description.split(","):
        name, _, weight = part.strip().partition("=")
        if name not in PERSONAS:
            raise ValueError(f"There is no persona {name!r}; there are: {', '.join(PERSONAS)}.")
        try:
            weights[name] = float(weight or 1)
        except ValueError:
            raise ValueError(f"The weight of {name} must be a number, not {weight!r}.") from None
        if not 0 < weights[name] < float("inf"):
            raise ValueError(f"The weight of {name} must be above 0.")
    return weights
