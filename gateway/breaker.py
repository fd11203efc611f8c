"""The circuit breaker, as a value: closed, open until an instant, then half-open until the next attempt decides.

It knows no clock and no storage; the shared row in the database is `health.py`'s business.
"""

from typing import NamedTuple

THRESHOLD = 3  # failed attempts in a row that open it
COOLDOWN = (
    1.0,
    2.0,
)  # seconds it stays open: first, and when a probe failed; an outage's end is noticed in 2 s
LONGEST = 600.0  # seconds; no cool-down and no probe is meant to take this long


class Breaker(NamedTuple):
    """`failures` in a row so far; `open_until` in epoch seconds, 0 while closed."""

    failures: int = 0
    open_until: float = 0.0

    def is_closed(self) -> bool:
        """Orders are accepted and every dispatcher submits."""
        return self.failures < THRESHOLD

    def may_probe(self, now: float) -> bool:
        """The cool-down is over: one small attempt may find out. So it is when the clock has jumped back."""
        return not self.is_closed() and not now < self.open_until <= now + LONGEST

    def after(self, success: bool, now: float) -> "Breaker":
        """The breaker after one more attempt at the carrier."""
        if success:
            return Breaker()
        failures = self.failures + 1
        if failures < THRESHOLD:
            return Breaker(failures)
        return Breaker(failures, now + COOLDOWN[failures > THRESHOLD])
