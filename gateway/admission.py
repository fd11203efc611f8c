"""Is there room for one more order? Decided before anything is committed, from a look at most 0.1 s old."""

from collections.abc import Callable
from threading import Lock
from typing import NamedTuple

from sqlalchemy import func, select

from gateway.breaker import Breaker
from gateway.contract import TOO_MANY, UNAVAILABLE, Refusal
from gateway.database import Database
from gateway.schema import QUEUED, carrier
from gateway.settings import Settings

FRESH = 0.1  # seconds a look is good for
FRESH_NEAR_CAP = 0.01  # the same when the backlog is nearly full, for what other processes accept meanwhile
UNPROBED = 1.0  # seconds after the cool-down by which a dispatcher that can probe has done so
NEAR = 0.8  # share of the cap that counts as nearly full

_waiting = select(func.count()).where(QUEUED).scalar_subquery()
LOOK = select(_waiting, carrier.c.failures, carrier.c.open_until).where(carrier.c.id == 1)


class Look(NamedTuple):
    """What was seen, and when."""

    at: float
    backlog: int
    breaker: Breaker
    free_space: int


class Admission:
    """Refuses when the backlog is full (10006), the carrier is down or the disk nearly full (10007).

    Between looks the backlog is counted on by what this process accepts, so the cap is passed by no more orders than
    there are requests in progress.
    """

    def __init__(self, database: Database, settings: Settings, clock: Callable[[], float]) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock
        self._looking = Lock()
        self._added = 0
        self._look = Look(float("-inf"), 0, Breaker(), 0)

    def check(self) -> None:
        """Raise the Refusal that an order would meet now."""
        now = self._clock()
        look = self._seen(now)
        waiting = look.backlog + self._added
        if waiting >= self._settings.backlog_cap:
            raise Refusal(TOO_MANY, "The backlog is full", retry_after=1)
        if look.free_space < self._settings.free_space_floor:
            raise Refusal(UNAVAILABLE, "The disk is nearly full", retry_after=30)
        if look.breaker.is_closed():
            return
        # Where no dispatcher can find out if the carrier is back, an order may: nothing waits, or what waits is not
        # due (a long backoff, or the lease of a process that died), so that nobody probed although somebody could have.
        if not look.breaker.may_probe(now - UNPROBED if waiting else now):
            raise Refusal(UNAVAILABLE, "The carrier is not reachable", retry_after=look.breaker.open_until - now)

    def added(self, count: int) -> None:
        """Orders were committed. Called by one thread at a time: the one that holds the baton."""
        self._added += count

    def _seen(self, now: float) -> Look:
        """The last look, renewed by the first request that finds it stale; the others need not wait for that one."""
        nearly_full = self._look.backlog + self._added >= NEAR * self._settings.backlog_cap
        stale = not 0 <= now - self._look.at < (FRESH_NEAR_CAP if nearly_full else FRESH)
        if stale and self._looking.acquire(blocking=self._look.at == float("-inf")):
            try:
                self._renew(now)
            finally:
                self._looking.release()
        return self._look

    def _renew(self, now: float) -> None:
        before = self._added
        with self._database.read() as connection:
            backlog, failures, open_until = connection.execute(LOOK).one()
        self._look = Look(now, backlog, Breaker(failures, open_until / 1000), self._database.free_space())
        self._added -= before
