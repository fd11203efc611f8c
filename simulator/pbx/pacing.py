"""When each message is due, and how the operator bends it: arithmetic only, no clock in here.

A profile is a curve of `(seconds, rate at the start, rate at the end)` with rates relative to the asked one,
which is the busiest moment's. Arrivals are an open model: a slow answer delays nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from random import Random
from types import MappingProxyType
from typing import NamedTuple


class Piece(NamedTuple):
    """A straight piece of a day: `length` is its share of the duration, rates are shares of the asked rate."""

    length: float
    start: float
    end: float


PROFILES = MappingProxyType(
    {
        "steady": (Piece(1, 1, 1),),
        "ramp": (Piece(1, 0, 1),),
        "spike": (Piece(4, 0.1, 0.1), Piece(1, 1, 1), Piece(5, 0.1, 0.1)),
        # Eight to six: the morning rush, lunch, the afternoon, people leaving.
        "office-day": (
            *(Piece(1, 0.1, 0.6), Piece(1, 0.6, 1), Piece(2, 1, 0.8), Piece(1, 0.3, 0.3)),
            *(Piece(2, 0.8, 0.9), Piece(2, 0.9, 0.5), Piece(1, 0.5, 0)),
        ),
        # A campaign at nine in the middle of ordinary chat.
        "campaign-at-nine": (Piece(2, 0.2, 0.2), Piece(2, 1, 1), Piece(6, 0.2, 0.2)),
    }
)


def arrivals(profile: str, rate: float, duration: float, seed: int | None) -> Iterator[float]:
    """Due times in seconds, in order: a Poisson process under the curve, or evenly spread if `seed` is None.

    `rate` is messages per second at the busiest moment of the profile, `duration` seconds for all of it.
    """
    pieces = PROFILES[profile]
    scale = duration / sum(piece.length for piece in pieces)
    marks = _marks(seed)
    mark, begun, done = next(marks), 0.0, 0.0
    for piece in pieces:
        length, low, high = piece.length * scale, piece.start * rate, piece.end * rate
        content, slope = length * (low + high) / 2, (high - low) / length
        while mark < done + content:
            rest = mark - done
            # The root of slope/2 t^2 + low t = rest, in the form that also holds for slope 0.
            yield begun + 2 * rest / (low + sqrt(max(low * low + 2 * slope * rest, 0.0)))
            mark = next(marks)
        begun, done = begun + length, done + content


def expected(profile: str, rate: float, duration: float) -> float:
    """How many messages the profile asks for on average."""
    pieces = PROFILES[profile]
    share = sum(piece.length * (piece.start + piece.end) / 2 for piece in pieces)
    return rate * duration * share / sum(piece.length for piece in pieces)


def rate_at(profile: str, rate: float, duration: float, moment: float) -> float:
    """The planned rate `moment` seconds after the start; 0 outside the profile."""
    scale = duration / sum(piece.length for piece in PROFILES[profile])
    for length, start, end in PROFILES[profile]:
        if 0 <= moment < length * scale:
            return rate * (start + (end - start) * moment / (length * scale))
        moment -= length * scale
    return 0.0


def phase_at(profile: str, duration: float, due: float) -> int:
    """Which piece of the profile a due time belongs to, from 1; what is due after the end belongs to the last."""
    pieces = PROFILES[profile]
    scale = duration / sum(piece.length for piece in pieces)
    for number, piece in enumerate(pieces, 1):
        due -= piece.length * scale
        if due < 0:
            return number
    return len(pieces)


def _marks(seed: int | None) -> Iterator[float]:
    dice = None if seed is None else Random(f"arrivals {seed}")
    mark = 0.0 if dice else 0.5
    while True:
        mark += dice.expovariate(1.0) if dice else 0.0
        yield mark
        mark += 0.0 if dice else 1.0


@dataclass(slots=True)
class Tempo:
    """How fast planned time passes: at speed 2 everything due in the future comes in half the time."""

    real: float = 0.0
    planned: float = 0.0
    speed: float = 1.0

    def when(self, due: float) -> float:
        """The real second at which a planned due time comes, as things stand."""
        return self.real + (due - self.planned) / self.speed

    def planned_at(self, now: float) -> float:
        """The planned second that a real one is, as things stand."""
        return self.planned + (now - self.real) * self.speed

    def change(self, factor: float, now: float) -> None:
        """From the real second `now` on, let time pass `factor` times as fast (bounded to 1/100 .. 100)."""
        self.planned, self.real = self.planned_at(now), now
        self.speed = min(max(self.speed * factor, 0.01), 100.0)
