"""Faults of time: the right answer, late; and nothing at all, as a control."""

from dataclasses import dataclass, field
from typing import Literal

from flask import Response

from simulator.carrier.fault import Fault, Strike


@dataclass
class Nothing(Fault):
    """Changes nothing, but counts its hits: a dry run for a scope."""


@dataclass
class Latency(Fault):
    """Messages are taken at once, the answer is late by `seconds`.

    shape: `fixed`; `uniform` between `seconds` and `until`; `lognormal` with median `seconds` and `sigma`;
    `ramp` from 0 to `seconds` during the first `until` seconds.
    """

    seconds: float = 1.0
    shape: Literal["fixed", "uniform", "lognormal", "ramp"] = "fixed"
    until: float = 0.0
    sigma: float = 0.5
    _first: float | None = field(default=None, init=False)

    def answer(self, strike: Strike, response: Response) -> Response:
        if self._first is None:
            self._first = strike.call.now
        rng, age = strike.call.rng, strike.call.now - self._first
        waits = {
            "fixed": self.seconds,
            "uniform": rng.uniform(self.seconds, self.until),
            "lognormal": self.seconds * rng.lognormvariate(0, self.sigma),
            "ramp": self.seconds * min(1.0, age / (self.until or 1.0)),
        }
        strike.call.sleep(waits[self.shape])
        return response


@dataclass
class LateAccept(Fault):
    """Takes the messages only after `seconds`, when the caller has long given up, and takes them all the same."""

    seconds: float = 30.0

    def arrive(self, strike: Strike) -> None:
        strike.call.sleep(self.seconds)
