"""The rate limit: a moving window of one second per key, shared through Redis when there are several processes.

Never per address for a valid key, because a PBX's address is not its identity; only strangers are counted by address.
"""

from contextlib import AbstractContextManager, nullcontext
from functools import cache
from threading import Lock

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from gateway.contract import TOO_MANY, Refusal
from gateway.parties import Integration


class Limiter:
    """Counts requests. `storage_uri` is `memory://` or `redis://...`."""

    def __init__(self, storage_uri: str, strangers_per_second: int) -> None:
        self._window = MovingWindowRateLimiter(storage_from_string(storage_uri))
        # The library's store in memory starts a timer on use, and two threads may start the same one; Redis needs
        # nobody to wait for anybody.
        self._one_by_one: AbstractContextManager[object] = Lock() if storage_uri == "memory://" else nullcontext()
        self._strangers = strangers_per_second

    def admit(self, integration: Integration) -> None:
        """10006 when the key has used up its second."""
        self._hit(integration.rate, "key", str(integration.key_id))

    def admit_stranger(self, address: str) -> None:
        """10006 when an address has shown too many wrong keys within a second."""
        self._hit(self._strangers, "address", address)

    def _hit(self, rate: int, kind: str, who: str) -> None:
        with self._one_by_one:
            admitted = self._window.hit(_per_second(rate), kind, who)
        if not admitted:
            raise Refusal(TOO_MANY, f"At most {rate} requests per second", retry_after=1)


@cache
def _per_second(rate: int) -> RateLimitItem:
    return RateLimitItemPerSecond(rate)
