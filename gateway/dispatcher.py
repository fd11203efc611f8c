"""Takes orders to the carrier until each has ended: submitted, refused or expired.

One `step` is the unit: claim, submit, write down. Under load, writing a batch down and claiming the next are one
transaction, so each costs one fsync. Clock, randomness and carrier are arguments, so a test or a simulation drives it
step by step; `run` is the same in a thread.
"""

from collections import Counter
from collections.abc import Callable
from random import Random
from threading import Event
from typing import Protocol

from sqlalchemy import Connection

from gateway import health
from gateway.breaker import COOLDOWN, Breaker
from gateway.carrier import RETRY, Call, Outcome, Parcel
from gateway.claims import EXPIRED, Claimed, Ended, claim, due_lanes, write_down
from gateway.crash import Point, go_on
from gateway.database import Database
from gateway.events import EventLog
from gateway.metrics import Metrics
from gateway.settings import Settings

POLL = 0.2  # seconds between looks when nobody wakes the dispatcher
GATHER = 0.05  # seconds for a batch to fill after one that was not full: a step costs the same for 1 as for 100
FIRST_BACKOFF, LONGEST_BACKOFF = 0.5, 30.0  # seconds; full jitter below these
LEASE_MARGIN = 5.0  # seconds a lease outlives the attempt's deadline


class Submits(Protocol):
    """The carrier as the dispatcher needs it."""

    def submit(self, parcels: list[Parcel], /) -> Call:
        """Offer the messages once."""
        ...


class Dispatcher:
    """One submitter. Any number of them, in any number of processes, may work on one database."""

    def __init__(
        self,
        database: Database,
        carrier: Submits,
        settings: Settings,
        clock: Callable[[], float],
        rng: Random,
        log: EventLog,
        metrics: Metrics,
        point: Point = go_on,
    ) -> None:
        self._database = database
        self._carrier = carrier
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._log = log
        self._metrics = metrics
        self._point = point
        self._paused: dict[int, float] = {}  # lanes the carrier throttles, and until when

    def run(self, stop: Event, wake: Event) -> None:
        """Work until `stop`; when there is nothing to do, wait for `wake`, when there is little, for a little more."""
        while not stop.is_set():
            try:
                busy = self.step(lambda: not stop.is_set())
            except Exception:  # noqa: BLE001  whatever it is, orders must go on being delivered
                self._log.exception("dispatcher step failed")
                busy = 0
            if 0 < busy < self._settings.carrier_batch:
                stop.wait(GATHER)
            elif not busy and not stop.is_set():
                wake.wait(POLL)
                wake.clear()

    def step(self, go_on: Callable[[], bool] = lambda: False) -> int:
        """Claim some orders, offer them to the carrier, write down what it said. How many they were.

        While batches are full and it may `go_on`, one transaction writes down a batch and claims the next.
        """
        orders, busy = self._claim(), 0
        while orders:
            busy = len(orders)
            ended, alive = self._submit(orders)
            orders = self._write_down(ended, alive, busy == self._settings.carrier_batch and go_on())
            self._point("after-mark")
        return busy

    def _submit(self, orders: list[Claimed]) -> tuple[list[Ended], bool | None]:
        """What became of the orders, and whether the carrier is alive: None if none of them was offered."""
        now = self._clock()
        expired = [order for order in orders if self._is_over(order, now)]
        fresh = [order for order in orders if order not in expired]
        ended = [Ended(order, Outcome(EXPIRED, reason="not submitted in time"), 0) for order in expired]
        if not fresh:
            return ended, None
        self._point("before-send")
        with self._metrics.submission.time():
            outcomes, alive = self._carrier.submit([order.parcel for order in fresh])
        self._point("after-send")
        now = self._clock()
        return ended + [Ended(*pair, self._next_try(*pair, now)) for pair in zip(fresh, outcomes, strict=True)], alive

    def _claim(self) -> list[Claimed]:
        now = self._clock()
        with self._database.read() as connection:
            lanes = self._lanes(connection, now)
        if not lanes:
            return []
        with self._database.write() as connection:
            breaker = health.breaker(connection)
            if breaker.is_closed():
                return self._lease(connection, lanes, self._settings.carrier_batch, now)
            breaker = health.breaker(connection, lock=True)
            if not breaker.may_probe(now):
                return []
            # One probe per cool-down. Not per attempt: a process that dies in it must not keep the others waiting.
            health.keep(connection, Breaker(breaker.failures, now + COOLDOWN[1]))
            return self._lease(connection, lanes, 1, now)

    def _lanes(self, connection: Connection, now: float) -> list[int]:
        """Those that have an order due and are not throttled, in an order that prefers none."""
        lanes = [lane for lane in due_lanes(connection, round(now * 1000)) if self._paused.get(lane, 0) <= now]
        self._rng.shuffle(lanes)
        return lanes

    def _lease(self, connection: Connection, lanes: list[int], most: int, now: float) -> list[Claimed]:
        """Some of the lanes' orders, nobody else's until an attempt that begins now is well over."""
        lease = self._settings.attempt_deadline + LEASE_MARGIN
        return claim(connection, lanes, most, round(now * 1000), round(lease * 1000))

    def _is_over(self, order: Claimed, now: float) -> bool:
        """Past its validity, or so late that the carrier may have forgotten an earlier attempt when this one ends."""
        window = (self._settings.dedup_window - self._settings.attempt_deadline) * 1000
        tried_before = order.attempts > 1
        return now * 1000 >= order.expires_at or (tried_before and now * 1000 >= order.first_attempt_at + window)

    def _next_try(self, order: Claimed, outcome: Outcome, now: float) -> int:
        """When to try again, in epoch ms: as the carrier asked, or after a backoff with full jitter."""
        if outcome.kind != RETRY:
            return 0
        if outcome.retry_after:  # of zero it is as if nothing were said: a hot loop helps nobody
            self._paused[order.lane] = max(self._paused.get(order.lane, 0), now + outcome.retry_after)
            return round((now + outcome.retry_after) * 1000)
        longest = min(LONGEST_BACKOFF, FIRST_BACKOFF * 2 ** min(order.attempts - 1, 10))
        return round((now + self._rng.uniform(0, longest)) * 1000)

    def _write_down(self, ended: list[Ended], alive: bool | None, go_on: bool) -> list[Claimed]:
        """Keep what became of the orders; the next ones if we `go_on` and the carrier is well."""
        now, claimed = self._clock(), list[Claimed]()
        with self._database.write() as connection:
            write_down(connection, ended, round(now * 1000))
            before = after = health.breaker(connection)
            if _learned(before, alive, now) != before:
                before = health.breaker(connection, lock=True)
                after = _learned(before, alive, now)
                health.keep(connection, after)
            if go_on and after.is_closed():
                claimed = self._lease(connection, self._lanes(connection, now), self._settings.carrier_batch, now)
        if before.is_closed() != after.is_closed():
            self._log.warning("carrier is back" if after.is_closed() else "carrier is down")
        for kind, count in Counter(outcome.kind for _, outcome, _ in ended).items():
            self._metrics.attempts.labels(kind).inc(count)
        self._log.many(_event(order, outcome) for order, outcome, _ in ended)
        return claimed


def _event(order: Claimed, outcome: Outcome) -> dict[str, object]:
    """What the log says: the order's end if this was it, else that an attempt was made."""
    return {
        "order": order.parcel.key,
        "attempt": order.attempts,
        "carrier": outcome.carrier_id,
        "reason": outcome.reason,
        "event": "attempt" if outcome.kind == RETRY else outcome.kind,
    }


def _learned(breaker: Breaker, alive: bool | None, now: float) -> Breaker:
    """The breaker after a step. One that met only expired orders has learned nothing, so the next may probe at once."""
    if alive is not None:
        return breaker.after(alive, now)
    return breaker if breaker.is_closed() else breaker._replace(open_until=now)
