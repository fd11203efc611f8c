"""Faults of judgement: the carrier says no, or forgets what it has seen."""

from dataclasses import dataclass, field
from threading import Lock

from flask import Response

from simulator.carrier.fault import Fault, Refusal, Strike
from simulator.carrier.wire import answer


@dataclass
class Refuse(Fault):
    """Refuses with `status` (300 to 599), with `retry_after` seconds and a raw `body` if given.

    A call whose messages are all hit is refused as a whole; otherwise the messages that are hit.
    """

    status: int = 503
    retry_after: float | None = None
    body: str | None = None

    def __post_init__(self) -> None:
        """Rule: only answers that refuse."""
        if not 300 <= self.status <= 599:
            raise ValueError("The status of a refusal is 300 to 599.")

    def arrive(self, strike: Strike) -> Response | None:
        refusal = Refusal(self.status, "Refused by a fault.", self.retry_after, self.body)
        strike.call.refusals.update(dict.fromkeys(strike.hit, refusal))
        return None if strike.call.messages else answer(self.status, {"error": refusal.error}, self.retry_after)


@dataclass
class Flaky(Fault):
    """Refuses each message, known by its key, the first `times` with 503; then takes it."""

    times: int = 2
    _met: dict[str | None, int] = field(default_factory=dict, init=False)

    def arrive(self, strike: Strike) -> None:
        for index in strike.hit:
            key = strike.call.messages[index].key
            self._met[key] = self._met.get(key, 0) + 1
            if self._met[key] <= self.times:
                strike.call.refusals[index] = Refusal(503, f"Refused {self._met[key]} of {self.times} times.")


@dataclass
class Throttle(Fault):
    """A real quota: `per_second` messages a second with as many in reserve; the rest meets 429 and Retry-After."""

    per_second: float = 10.0
    _left: float = field(default=0.0, init=False)
    _at: float = field(default=0.0, init=False)
    _lock: Lock = field(default_factory=Lock, init=False, repr=False)

    def arrive(self, strike: Strike) -> None:
        with self._lock:
            earned = (strike.call.now - self._at) * self.per_second
            self._left = min(max(1.0, self.per_second), self._left + earned)
            self._at = strike.call.now
            for index in strike.hit:
                if self._left > 1 - 1e-6:  # epoch seconds are exact to about 2e-7
                    self._left -= 1
                else:
                    wait = (1 - self._left) / self.per_second if self.per_second else 3600.0
                    strike.call.refusals[index] = Refusal(429, "Over the quota.", round(wait, 3))


@dataclass
class Outage(Fault):
    """Connections are accepted and every call meets 503, readable or not, until `seconds` have passed."""

    seconds: float | None = None

    def lasts(self) -> float | None:
        return self.seconds

    def arrive(self, strike: Strike) -> Response:  # noqa: ARG002 - a hook
        return answer(503, {"error": "The carrier is down."})


@dataclass
class Trip(Fault):
    """The messages are taken and answered; then the whole carrier is down for `seconds`."""

    seconds: float = 10.0

    def answer(self, strike: Strike, response: Response) -> Response:
        strike.call.arm({"kind": "outage", "params": {"seconds": self.seconds}})
        return response


@dataclass
class DedupExpiry(Fault):
    """Forgets keys after `seconds`: a repeat after that is a second message, as when the real window ends."""

    seconds: float = 0.0

    def arrive(self, strike: Strike) -> None:
        strike.call.window = self.seconds
