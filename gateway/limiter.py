"""The rate limit: a moving window of one second per key, shared through Redis when there are several processes.

Never per address for a valid key, because a PBX's address is not its identity; only strangers are counted by address.
"""

from functools import cache

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from gateway.contract import TOO_MANY, Refusal
from gateway.parties import Integration


class Limiter:
    """Counts requests. `storage_uri` is `memory://` or `redis://...`."""

    def __init__(self, storage_uri: str, strangers_per_second: int) -> None:
        self._window = MovingWindowRateLimiter(storage_from_string(storage_uri))
        self._strangers = strangers_per_second

    def admit(self, integration: Integration) -> None:
        """10006 when the key has used up its second."""
        if not self._window.hit(_per_second(integration.rate), "key", str(integration.key_id)):
            raise _too_many(integration.rate)

    def admit_stranger(self, address: str) -> None:
        """10006 when an address has shown too many wrong keys within a second."""
        if not self._window.hit(_per_second(self._strangers), "address", address):
            raise _too_many(self._strangers)


@cache
def _per_second(rate: int) -> RateLimitItem:
    return RateLimitItemPerSecond(rate)


def _too_many(rate: int) -> Refusal:
    return Refusal(TOO_MANY, f"At most {rate} requests per second", retry_after=1)
