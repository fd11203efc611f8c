"""When each message is due: pure arithmetic on an arrival curve, without a clock.

A curve is a tuple of `(seconds, rate at its start, rate at its end)`; rates are messages per second. The
n-th message is due when the area under the curve reaches n + 1/2 (even spacing) or the n-th point of a
seeded Poisson process of intensity one (poisson spacing). What a slow answer does to it: nothing.
"""

from collections.abc import Iterator
from itertools import count
from math import sqrt
from random import Random

Curve = tuple[tuple[float, float, float], ...]


def seconds(curve: Curve) -> float:
    """How long the curve lasts."""
    return sum(piece[0] for piece in curve)


def area(curve: Curve) -> float:
    """How many messages the curve asks for."""
    return sum(length * (start + end) / 2 for length, start, end in curve)


def peak(curve: Curve) -> float:
    """The highest rate on the curve, in messages per second."""
    return max((max(start, end) for _, start, end in curve), default=0.0)


def rate_at(curve: Curve, moment: float) -> float:
    """The intended rate `moment` seconds after the start; 0 after the end."""
    for length, start, end in curve:
        if moment < length:
            return start + (end - start) * moment / length
        moment -= length
    return 0.0


def due_times(curve: Curve, *, poisson: bool = False, seed: int = 0) -> Iterator[float]:
    """Seconds from the start at which the messages are due, in order."""
    marks = _poisson_marks(seed) if poisson else (n + 0.5 for n in count())
    mark = next(marks)
    begun, done = 0.0, 0.0
    for length, start, end in curve:
        content = length * (start + end) / 2
        slope = (end - start) / length if length else 0.0
        while mark < done + content:
            rest = mark - done
            # The root of slope/2 t^2 + start t = rest, in the form that also holds for slope 0.
            yield begun + 2 * rest / (start + sqrt(max(start * start + 2 * slope * rest, 0.0)))
            mark = next(marks)
        begun, done = begun + length, done + content


def _poisson_marks(seed: int) -> Iterator[float]:
    dice = Random(seed)  # the same seed gives the same arrivals
    mark = 0.0
    while True:
        mark += dice.expovariate(1.0)
        yield mark
