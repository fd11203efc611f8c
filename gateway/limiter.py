"""The rate limit: a moving window of one second per key, shared through Redis when there are several processes.

Never per address for a valid key, because a PBX's address is not its identity; only strangers are counted by address.
"""

import time
from collections import deque
from collections.abc import Callable
from functools import cache
from threading import Lock
from typing import Protocol

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from gateway.contract import TOO_MANY, Refusal
from gateway.parties import Integration

WINDOW = 1.0  # seconds
PATIENCE = 0.5  # seconds that Redis may take
AGAIN = 1.0  # seconds until a Redis that did not answer is asked again


class Window(Protocol):
    """Where requests are counted."""

    def hit(self, rate: int, who: str) -> bool:
        """Count one request of `who`; False, and nothing is counted, if the last second already holds `rate`."""


class OwnWindow:
    """The last second of this process, on a clock that nobody sets.

    Not the library's: its store in memory is a list that a timer copies every 10 ms, which costs the key that sends
    thousands a second about 130 us a request (`smslab load bench`); this costs under one, at any rate.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, deque[float]] = {}
        self._swept = clock()

    def hit(self, rate: int, who: str) -> bool:
        """See `Window`."""
        with self._lock:
            now = self._clock()
            if now - self._swept >= WINDOW:
                self._sweep(now)
            times = self._seen.setdefault(who, deque())
            while times and times[0] <= now - WINDOW:
                times.popleft()
            if len(times) >= rate:
                return False
            times.append(now)
            return True

    def _sweep(self, now: float) -> None:
        """Forget who was quiet for a second, so that strangers' addresses do not add up."""
        self._seen = {who: times for who, times in self._seen.items() if times and times[-1] > now - WINDOW}
        self._swept = now


class RedisWindow:
    """The last second of all processes that share a Redis. While it does not answer, each process counts for itself.

    A limit that is kept by each process alone for a while harms nobody; refusing every message would. A Redis that
    hangs costs one request a second `PATIENCE`. `tell` is told when it begins and when it is over.
    """

    def __init__(self, url: str, tell: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> None:
        storage = storage_from_string(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE)
        self._faults = storage.base_exceptions
        self._shared = MovingWindowRateLimiter(storage)
        self._alone = OwnWindow(clock)
        self._tell = tell
        self._clock = clock
        self._ask_at: float | None = None  # while it does not answer: when to ask it again

    def hit(self, rate: int, who: str) -> bool:
        """See `Window`."""
        asked_at, now = self._ask_at, self._clock()
        if asked_at is not None:
            if now < asked_at:
                return self._alone.hit(rate, who)
            self._ask_at = now + AGAIN  # the others need not wait for this one
        try:
            passed = self._shared.hit(_per_second(rate), who)
        except self._faults:
            self._ask_at = self._clock() + AGAIN
            if asked_at is None:
                self._tell("redis is down")
            return self._alone.hit(rate, who)
        if asked_at is not None:
            self._ask_at = None
            self._tell("redis is back")
        return passed


@cache
def _per_second(rate: int) -> RateLimitItem:
    return RateLimitItemPerSecond(rate)


class Limiter:
    """Counts requests in `window`; `strangers_per_second` is what an address may try with wrong keys."""

    def __init__(self, window: Window, strangers_per_second: int) -> None:
        self._window = window
        self._strangers = strangers_per_second

    def admit(self, integration: Integration) -> None:
        """10006 when the key has used up its second."""
        self._hit(integration.rate, f"key/{integration.key_id}")

    def admit_stranger(self, address: str) -> None:
        """10006 when an address has shown too many wrong keys within a second."""
        self._hit(self._strangers, f"address/{address}")

    def _hit(self, rate: int, who: str) -> None:
        if not self._window.hit(rate, who):
            raise Refusal(TOO_MANY, f"At most {rate} requests per second", retry_after=1)
