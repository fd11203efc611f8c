"""The simulated carrier and the line to it: requests and replies are lost, late, throttled or refused, as fate says.

It keeps the promise real carriers make: inside its window the same key is the same message.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.carrier import REFUSED, RETRY, SUBMITTED, Call, Outcome, Parcel
from tests.simulation.scheduler import Scheduler


class Taken(NamedTuple):
    """A message as the carrier took it."""

    at: float
    id: str
    parcel: Parcel


class Line:
    """What all dispatchers submit to. `deadline` (s) is when they give up, `window` (s) how long keys are known."""

    def __init__(
        self, scheduler: Scheduler, fate: Callable[[str], str], deadline: float, window: float, bad: set[str]
    ) -> None:
        self._scheduler = scheduler
        self._fate = fate
        self._deadline = deadline
        self._window = window
        self._bad = bad
        self._known: dict[str, Taken] = {}
        self.taken: list[Taken] = []
        self.refused: set[str] = set()  # keys that were told so

    def submit(self, parcels: Sequence[Parcel]) -> Call:
        """One call, as `gateway.carrier.Carrier` would report it."""
        fate = self._fate("line")
        out, back = (self._scheduler.rng.random() * self._deadline * 0.5 for _ in range(2))
        self._scheduler.pause(out)
        if fate == "503":
            return _all(parcels, Outcome(RETRY, reason="HTTP 503"), alive=False)
        if fate == "429":
            return _all(parcels, Outcome(RETRY, reason="HTTP 429", retry_after=1 + back), alive=True)
        if fate == "reset":
            return _all(parcels, Outcome(RETRY, reason="ConnectError"), alive=False)
        if fate == "lost request":
            self._scheduler.pause(self._deadline - out)
            return _all(parcels, Outcome(RETRY, reason="ReadTimeout"), alive=False)
        outcomes = [self._take(parcel, throttled=fate == "some 429" and n % 2 == 0) for n, parcel in enumerate(parcels)]
        if fate == "lost reply":
            self._scheduler.pause(self._deadline - out)
            return _all(parcels, Outcome(RETRY, reason="ReadTimeout"), alive=False)
        self._scheduler.pause(back)
        return Call(outcomes, alive=any(outcome.kind != RETRY or outcome.retry_after for outcome in outcomes))

    def _take(self, parcel: Parcel, *, throttled: bool) -> Outcome:
        now = self._scheduler.now
        known = self._known.get(parcel.key)
        if known and now - known.at < self._window:
            same = known.parcel == parcel
            return Outcome(SUBMITTED, carrier_id=known.id) if same else Outcome(REFUSED, reason="422")
        if throttled:
            return Outcome(RETRY, reason="429", retry_after=1.0)
        if parcel.text in self._bad:
            self.refused.add(parcel.key)
            return Outcome(REFUSED, reason="400")
        self._known[parcel.key] = Taken(now, f"SIM{len(self.taken)}", parcel)
        self.taken.append(self._known[parcel.key])
        return Outcome(SUBMITTED, carrier_id=self._known[parcel.key].id)


def _all(parcels: Sequence[Parcel], outcome: Outcome, *, alive: bool) -> Call:
    return Call([outcome] * len(parcels), alive=alive)
