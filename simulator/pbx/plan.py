"""Everything a run of traffic will send, decided before it starts: the same plan gives the same bytes anywhere.

Pure: no clock, no network. The people are in `people.py`, the due times in `pacing.py`, the habits in
`personas.py`; sending it is `engine.py`'s.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from simulator.pbx.pacing import arrivals
from simulator.pbx.pbx import words
from simulator.pbx.personas import PERSONAS, Payload
from simulator.pbx.sessions import Office, staff
from simulator.people import Note, People


class Shot(NamedTuple):
    """One request at its due time (seconds); `key` is which of the PBX's keys it carries."""

    due: float
    number: int
    pbx: int
    persona: str
    operation: str
    key: int
    from_number: str
    to: str
    text: str
    content: bytes  # the body of a message, the challenge of a verification


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. `numbers` are the PBXs' own numbers, one per PBX; `all_to` replaces all recipients."""

    profile: str = "steady"
    rate: float = 10.0
    duration: float = 10.0
    seed: int = 0
    numbers: tuple[str, ...] = ("+630000000001",)
    shares: tuple[float, ...] = ()  # how the traffic is shared among the PBXs; empty: evenly
    weights: Mapping[str, float] = field(default_factory=lambda: {"office": 1.0})
    abroad: float = 0.2
    all_to: str | None = None
    even: bool = False
    agents: int = 0  # so many people at desks instead of arrivals out of nowhere
    queues: int | None = None  # in so many message queues per PBX; None: as few as hold them
    haste: float = 1.0  # and how many times faster than people they are


def shots(plan: Plan) -> Iterator[Shot]:
    """Every request of the plan, ordered by due time."""
    waiting: list[Shot] = []
    dice = Random(f"choices {plan.seed}")
    names, weights = tuple(plan.weights), tuple(plan.weights.values())
    number = 0
    for due, pbx, note in _notes(plan, dice):
        while waiting and waiting[0].due <= due:
            yield heappop(waiting)
        name = dice.choices(names, weights)[0]
        for shot in _acts(plan, name, due, pbx, note, dice):
            heappush(waiting, shot._replace(number=number))
            number += 1
    while waiting:
        yield heappop(waiting)


def _notes(plan: Plan, dice: Random) -> Iterator[tuple[float, int, Note]]:
    """What is due when, from which PBX: agents write from their own, arrivals take any."""
    people = People(plan.seed, plan.abroad)
    if plan.agents:
        queues = staff(plan.agents, len(plan.numbers), plan.queues)
        office = Office(people, plan.seed, queues, plan.haste, plan.shares)
        said = office.work(plan.profile, plan.rate, plan.duration, plan.seed)
        return ((one.due, one.pbx, one.note) for one in said)
    times = arrivals(plan.profile, plan.rate, plan.duration, None if plan.even else plan.seed)
    pbxs = (dice.choices(range(len(plan.numbers)), plan.shares or None)[0] for _ in count())
    return zip(times, pbxs, people.notes(), strict=False)


def fingerprint(plan: Plan) -> str:
    """SHA-256 over every request of the plan with its headers and its due time, to the microsecond.

    Equal plans have equal ones on every machine with the same Faker, whose people and sentences they are.
    """
    digest = hashlib.sha256()
    for shot in shots(plan):
        digest.update(repr((f"{shot.due:.6f}", *shot[1:], PERSONAS[shot.persona].headers)).encode())
    return digest.hexdigest()


def _acts(plan: Plan, name: str, due: float, pbx: int, note: Note, dice: Random) -> Iterator[Shot]:
    persona = PERSONAS[name]
    payload = {"from": plan.numbers[pbx], "to": plan.all_to or note.to, "text": note.text}
    payload = dict(_readdressed(plan, persona.change(payload, dice)))
    key = int(persona.rotates and due >= plan.duration / 2)
    sender, to, text = words(payload)
    for n in range(persona.verifies):
        challenge = f"{dice.getrandbits(64):016x}".encode()
        yield Shot(due + n / persona.verifies, 0, pbx, name, "verify", key, "", "", "", challenge)
    begin = due + (1.0 if persona.verifies else 0.0)
    for click in persona.clicks:
        yield Shot(begin + click, 0, pbx, name, "sendmessage", key, sender, to, text, persona.body(payload))


def _readdressed(plan: Plan, payload: Payload) -> Payload:
    """With `all_to` nobody else is ever written to, not even by mistake of a persona."""
    if plan.all_to and _digits(payload["to"]) not in {"", _digits(plan.all_to)}:
        return {**payload, "to": plan.all_to}
    return payload


def _digits(value: object) -> str:
    return "".join(filter(str.isdigit, json.dumps(value)))
