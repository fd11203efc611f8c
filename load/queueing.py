"""A queueing model small enough to check: M/M/c waiting times over a fixed base, and contention between servers.

Pure. A process is one server of rate `mu` (messages/s); `base` is what a message takes when nobody waits. The
model is fitted to measured steps and believed only as far as it predicts others (`capacity.py`).
"""

from collections.abc import Callable, Iterable, Sequence
from math import exp, lgamma, log
from typing import NamedTuple

TAIL = 0.01  # what is called p99


class Model(NamedTuple):
    """`servers` processes of rate `mu` each; times are seconds."""

    mu: float
    base: float
    servers: int = 1

    def p99(self, rate: float) -> float:
        """The p99 of latency at this arrival rate; infinite from saturation on."""
        spare = self.servers * self.mu - rate
        if spare <= 0:
            return float("inf")
        waiting = erlang_c(self.servers, rate / self.mu)
        return self.base + (max(0.0, log(waiting / TAIL)) / spare if waiting else 0.0)

    def knee(self, limit: float) -> float:
        """The highest rate whose p99 is within `limit`; 0 if even an idle system is slower."""
        full = self.servers * self.mu
        return 0.0 if self.base > limit else _last(lambda rate: self.p99(rate) <= limit, 0.0, full)


def erlang_c(servers: int, load: float) -> float:
    """The probability that an arrival must wait, at an offered load of `load` servers (below `servers`)."""
    if load <= 0:
        return 0.0
    tops = [n * log(load) - lgamma(n + 1) for n in range(servers + 1)]
    full = exp(tops[servers]) * servers / (servers - load)
    return full / (sum(exp(top) for top in tops[:servers]) + full)


def fit(points: Iterable[tuple[float, float]], servers: int = 1) -> Model:
    """The model nearest to measured `(rate, p99 in seconds)` points, by relative error. At least one point."""
    measured = sorted(points)
    highest = measured[-1][0] / servers
    base = min(p99 for _, p99 in measured)
    candidates = (
        Model(highest * (1.01 + step / 50), base * share / 20, servers) for step in range(200) for share in range(21)
    )
    return min(candidates, key=lambda model: _error(model, measured))


def contention(one: float, several: float, servers: int = 2) -> float:
    """The share of work that servers do one after the other (Amdahl): from the rates that 1 and n hold."""
    return max(0.0, (servers * one / several - 1) / (servers - 1))


def scaled(one: float, sigma: float, servers: int) -> float:
    """What `servers` hold together when one holds `one` and they contend by `sigma`."""
    return servers * one / (1 + sigma * (servers - 1))


def _error(model: Model, measured: Sequence[tuple[float, float]]) -> float:
    return sum(log(max(model.p99(rate), 1e-9) / p99) ** 2 for rate, p99 in measured)


def _last(holds: Callable[[float], bool], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
