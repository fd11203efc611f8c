"""Numbers that decide their own fate, for testers who cannot reach the fault API.

All lie in +46 70 1740605 to 1740699, the mobile numbers that Sweden's regulator keeps free for films and books:
valid for every validator, and typed against a real provider by mistake they reach nobody.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simulator.carrier.fault import Fault
from simulator.carrier.faults import kinds
from simulator.ledger.carrier import Message

PREFIX = "+467017406"


class Magic(NamedTuple):
    """One number: what happens, said for people, and the fault that does it."""

    number: str
    meaning: str
    kind: str
    params: Mapping[str, Any]
    once: bool


ALWAYS: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    ("10", "taken, then DELIVRD", "receipt-status", {"status": "DELIVRD"}),
    ("11", "taken, then UNDELIV", "receipt-status", {"status": "UNDELIV"}),
    ("12", "taken, then EXPIRED", "receipt-status", {"status": "EXPIRED"}),
    ("13", "taken, then REJECTD", "receipt-status", {"status": "REJECTD"}),
    ("14", "taken, then DELETED", "receipt-status", {"status": "DELETED"}),
    ("15", "taken, then UNKNOWN", "receipt-status", {"status": "UNKNOWN"}),
    ("16", "taken, then ACCEPTD", "receipt-status", {"status": "ACCEPTD"}),
    ("17", "taken, then ENROUTE for ever", "receipt-status", {"status": "ENROUTE"}),
    ("18", "taken, no receipt ever", "receipt-missing", {}),
    ("19", "taken, the receipt comes twice", "receipt-duplicate", {}),
    ("20", "taken, the receipt comes 60 s late", "receipt-late", {}),
    ("21", "taken, an older receipt comes last", "receipt-reorder", {}),
    ("22", "refused with 422, for good", "refuse", {"status": 422}),
    ("29", "refused with 429, come back in 2 s", "refuse", {"status": 429, "retry_after": 2}),
    ("40", "refused with 400, for good", "refuse", {"status": 400}),
    ("41", "refused with 401, for good", "refuse", {"status": 401}),
    ("43", "refused with 403, for good", "refuse", {"status": 403}),
    ("44", "refused with 404, for good", "refuse", {"status": 404}),
    ("47", "redirected with 307", "refuse", {"status": 307}),
    ("50", "refused with 500, every time", "refuse", {"status": 500}),
    ("53", "refused with 503, every time", "refuse", {"status": 503}),
    ("54", "refused with 503 twice, then taken", "flaky", {"times": 2}),
    ("59", "taken, then the carrier is down for 10 s", "trip", {"seconds": 10}),
    ("62", "never answered, never taken", "hang", {"seconds": 60}),
)
# These leave open whether the message was taken; repeated with the same key it goes well, as in life.
FIRST_TIME: tuple[tuple[str, str, str, Mapping[str, Any]], ...] = (
    ("60", "taken at once, answered after 5 s", "latency", {"seconds": 5}),
    ("61", "taken after 20 s", "late-accept", {"seconds": 20}),
    ("63", "answered a byte every 0.5 s", "dribble", {}),
    ("70", "the connection is reset, not taken", "reset", {}),
    ("71", "taken, then the connection is reset", "reset", {"when": "after"}),
    ("72", "the request is lost, not taken", "lost-request", {}),
    ("73", "taken, the answer is lost", "lost-reply", {}),
    ("74", "taken, answered twice", "duplicate-reply", {}),
    ("80", "taken, answered with HTML", "garble", {}),
    ("81", "taken, answered with nothing", "garble", {"form": "empty"}),
    ("82", "taken, answered with half the JSON", "garble", {"form": "truncated"}),
    ("83", "taken, answered with another id", "garble", {"form": "wrong-id"}),
    ("84", "taken, answered with a gzip bomb of 100 MB", "gzip-bomb", {"megabytes": 100}),
)


def numbers() -> tuple[Magic, ...]:
    """Every magic number, in order."""
    always = [Magic(PREFIX + end, meaning, kind, params, False) for end, meaning, kind, params in ALWAYS]
    first = [
        Magic(PREFIX + end, f"the first time: {said}", kind, params, True) for end, said, kind, params in FIRST_TIME
    ]
    return tuple(sorted(always + first, key=lambda magic: magic.number))


class MagicFaults:
    """The faults behind the numbers, armed for ever and for their number only."""

    def __init__(self) -> None:
        self._faults = {magic.number: (magic.once, kinds()[magic.kind](**magic.params)) for magic in numbers()}
        self._met: set[tuple[str, str | None]] = set()

    def struck(self, messages: Sequence[Message]) -> list[tuple[Fault, list[int]]]:
        """The faults the recipients ask for, with the indexes of their messages."""
        asked: dict[str, list[int]] = {}
        for index, message in enumerate(messages):
            if message.to.startswith(PREFIX) and message.to in self._faults and self._turn(message):
                asked.setdefault(message.to, []).append(index)
        return [(self._faults[number][1], hit) for number, hit in asked.items()]

    def _turn(self, message: Message) -> bool:
        visit = message.to, message.key
        met = message.key is not None and visit in self._met
        self._met.add(visit)
        return not (met and self._faults[message.to][0])
