"""The receiver guard: a message to anybody outside `only_to` is stopped before it leaves.

Pure. It reads the bytes that would leave, not what they were made from, and is strict where it has to guess: a
simulated message must never reach a person.
"""

import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from contracts.target import Target, receivers

LONGEST = 15  # digits of a number in E.164; more are several numbers
_BETWEEN = re.compile(r"(?=\+)|[^\d\s().*#+-]")  # what does not stand inside a written number


def narrowed(target: Target, only_to: Sequence[str]) -> Target:
    """The target with the guard of the command line. ValueError if that would let more through than its file does."""
    if not only_to:
        return target
    for one in receivers(only_to):
        if target.only_to and not _among(target.only_to, one):
            raise ValueError(f"--only-to {one} is outside the target's own only_to: {', '.join(target.only_to)}.")
    return replace(target, only_to=tuple(only_to))


def refusal(only_to: Sequence[str], body: bytes) -> str:
    """Why the message must not leave, as a sentence; empty if it may. An empty `only_to` stops nothing."""
    if not only_to:
        return ""
    found: list[Any] = []

    def note(pairs: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
        found.extend(value for name, value in pairs if name.strip().lower() == "to")
        return pairs

    try:
        json.loads(body, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return "The body is no JSON, so nobody can say whom it would reach: only_to stops it; nothing was sent."
    for number in (number for value in found for number in _numbers(value)):
        if len(number) > LONGEST + 1 or not _among(only_to, number):
            return f"{number} is not among the receivers of only_to; nothing was sent."
    return ""


def _among(only_to: Sequence[str], number: str) -> bool:
    """Whether a number, or all numbers of a pattern, are covered."""
    return any(number == one or (one[-1] == "*" and number.startswith(one[:-1])) for one in only_to)


def _numbers(value: object) -> Iterator[str]:
    """Everything in a `to` that somebody might dial, as + and digits."""
    if isinstance(value, list | tuple):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        for part in _BETWEEN.split(str(value)):
            digits = "".join(str(unicodedata.decimal(letter)) for letter in part if letter.isdecimal())
            if digits:
                yield f"+{digits}"
