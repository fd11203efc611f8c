"""What a fault is: one way to misbehave, with its parameters, and the moments at which it may act.

No fault knows about chance, scope or time to live: those stand outside it, in `scope.py` and `board.py`.
A new fault is a subclass of `Fault` in one of the files of `faults/`; being there registers it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from random import Random
from typing import Any, Literal, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from flask import Response

from simulator.ledger.carrier import Delivery, Message

T = TypeVar("T")
MOST = 1e9


class Refusal(NamedTuple):
    """Why a message was not taken: HTTP status, sentence, how long to stay away (s), raw body of the call."""

    status: int
    error: str
    retry_after: float | None = None
    body: str | None = None


class Receipt(NamedTuple):
    """A delivery receipt to be handed over at `due` (epoch seconds) about the moment `at`."""

    receipt_id: str
    delivery: Delivery
    message_status: str
    at: float
    due: float


@dataclass(slots=True)
class Call:
    """One submission on its way through the faults: its messages, and what was decided about them so far."""

    messages: Sequence[Message]
    now: float
    window: float
    rng: Random
    sleep: Callable[[float], None]
    arm: Callable[[Mapping[str, Any]], object]
    refusals: dict[int, Refusal] = field(default_factory=dict)


class Strike(NamedTuple):
    """A fault meets a call: `hit` holds the indexes of the messages in scope."""

    call: Call
    hit: Sequence[int]


@dataclass
class Fault:
    """The common ancestor, which changes nothing."""

    @classmethod
    def kind(cls) -> str:
        """Its name for people and files: LateAccept is late-accept."""
        return re.sub("(?<!^)([A-Z])", r"-\1", cls.__name__).lower()

    def lasts(self) -> float | None:
        """Seconds after which it ends by its own parameters; None: it does not."""
        return None

    def arrive(self, strike: Strike) -> Response | None:
        """Before any message is taken: wait, fill `call.refusals`, or answer in the carrier's place."""

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        """After the messages were taken: the answer that leaves instead."""
        return response

    def receipts(self, receipts: list[Receipt]) -> list[Receipt]:
        """The receipts of one taken message as they will really be sent."""
        return receipts


Word = Literal["ENROUTE", "DELIVRD", "EXPIRED", "DELETED", "UNDELIV", "ACCEPTD", "UNKNOWN", "REJECTD"]
SMPP: tuple[str, ...] = get_args(Word)


def build(cls: type[T], values: Mapping[str, Any], what: str) -> T:
    """A dataclass from outside values, checked by its field names and their types; numbers from 0 to 1e9.

    Raises ValueError with a sentence that names the wrong parameter and what is known.
    """
    if not isinstance(values, Mapping):
        raise ValueError(f"What is said about {what} is not an object.")  # noqa: TRY004 - one kind of error
    hints = get_type_hints(cls)
    known = [entry.name for entry in fields(cls) if entry.init]  # type: ignore[arg-type]
    for name, value in values.items():
        if name not in known:
            raise ValueError(f"{what} has no {name!r}; it knows: {', '.join(known) or 'no parameters'}.")
        if not _fits(value, hints[name]):
            raise ValueError(f"{name!r} of {what} cannot be {value!r}; it is {_words(hints[name])}.")
    return cls(**values)


def _words(hint: object) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(get_args(hint))
    names = {str: "a text", int: "a whole number from 0 to 1e9", float: "a number from 0 to 1e9"}
    if get_origin(hint) is Mapping:
        return "an object"
    return next(names[kind] for kind in (get_args(hint) or (hint,)) if kind in names)


def _fits(value: object, hint: object) -> bool:
    types = get_args(hint) or (hint,)
    if get_origin(hint) is Literal:
        return value in types
    if get_origin(hint) is Mapping:
        return isinstance(value, Mapping)
    if isinstance(value, bool):
        return bool in types
    if isinstance(value, int | float):
        return (float in types or type(value) in types) and 0 <= value <= MOST
    return isinstance(value, types)
