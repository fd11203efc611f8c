"""API keys: 256 random bits, shown once, kept as a digest, looked up again within half a second of any change."""

import hashlib
import re
import secrets
from collections.abc import Callable
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select

from gateway.contract import NOT_AUTHENTICATED, Refusal
from gateway.database import Database
from gateway.limiter import Limiter
from gateway.parties import Integration
from gateway.schema import accounts, integrations, keys, senders

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BEARER = re.compile(r"bearer +(ysk_[0-9A-Za-z]{43})", re.IGNORECASE | re.ASCII)
FRESH = 0.5  # seconds until a looked-up key is looked up again
TRUSTED = 0.9  # seconds the others go on with what is known while one of them looks; revocation is promised within 1 s
REMEMBERED = 10_000  # keys, so that the cache cannot grow without end


def new_key() -> str:
    """A key nobody has: `ysk_` and 32 random bytes in base62."""
    number, digits = int.from_bytes(secrets.token_bytes(32)), ""
    for _ in range(43):
        number, digit = divmod(number, 62)
        digits += ALPHABET[digit]
    return f"ysk_{digits}"


def digest(key: str) -> str:
    """What is stored of a key: its SHA-256 in hex. A slow hash would protect nothing here and cost each request."""
    return hashlib.sha256(key.encode()).hexdigest()


LOOKUP = (
    select(
        integrations.c.id,
        keys.c.id.label("key_id"),
        integrations.c.rate,
        integrations.c.enabled,
        accounts.c.active,
        senders.c.address,
        senders.c.approved,
        integrations.c.allowed_from,
        integrations.c.allowed_countries,
    )
    .select_from(keys)
    .join(integrations, integrations.c.id == keys.c.integration_id)
    .join(accounts, accounts.c.id == integrations.c.account_id)
    .outerjoin(senders, senders.c.id == integrations.c.sender_id)
    .where(keys.c.revoked_at.is_(None), keys.c.digest == bindparam("digest"))
)


class Known(NamedTuple):
    """What a key was found to be, when, and for how many seconds that holds."""

    at: float
    good_for: float
    integration: Integration


class Keys:
    """Finds the integration of a request's bearer key."""

    def __init__(self, database: Database, limiter: Limiter, clock: Callable[[], float]) -> None:
        self._database = database
        self._limiter = limiter
        self._clock = clock
        self._known: dict[str, Known] = {}

    def authenticate(self, environ: dict[str, Any]) -> Integration:
        """The integration of the key, or 10004; 10006 for an address that goes on trying wrong keys.

        Two Authorization headers arrive joined by a comma and match no key, like every other malformed header.
        """
        header = BEARER.fullmatch(environ.get("HTTP_AUTHORIZATION", ""))
        integration = self._find(digest(header[1])) if header else None
        if integration is None:
            self._limiter.admit_stranger(environ.get("REMOTE_ADDR", ""))
            raise Refusal(NOT_AUTHENTICATED, "The Yeastar API key is missing or invalid")
        return integration

    def _find(self, key_digest: str) -> Integration | None:
        now = self._clock()
        known = self._known.get(key_digest)
        if known and 0 <= now - known.at < known.good_for:
            return known.integration
        if known:  # from here on only this request looks, not all that are in progress: that was a stall of 50 ms
            self._known[key_digest] = known._replace(good_for=TRUSTED)
        found = self._read(key_digest)
        if found is None:
            self._known.pop(key_digest, None)
            return None
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[key_digest] = Known(now, FRESH, found)
        return found

    def _read(self, key_digest: str) -> Integration | None:
        with self._database.read() as connection:
            row = connection.execute(LOOKUP, {"digest": key_digest}).first()
        if row is None:
            return None
        return Integration(
            id=row.id,
            key_id=row.key_id,
            rate=row.rate,
            enabled=row.enabled,
            account_active=row.active,
            sender=row.address,
            sender_approved=bool(row.approved),
            allowed_from=frozenset(row.allowed_from.split()),
            allowed_countries=frozenset(map(int, row.allowed_countries.split())),
        )
