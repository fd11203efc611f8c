"""Writing many attempts into the PBX's ledger in one transaction: opened before they leave, closed after."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from simulator.ledger.pbx import CLOSE, OPEN, PbxLedger


class Opened(NamedTuple):
    """An attempt about to be made; `at` is epoch seconds."""

    run: str
    from_number: str
    to: str
    text: str
    at: float


class Closed(NamedTuple):
    """An attempt that is over; `status` None says that no answer came."""

    number: int
    at: float
    status: int | None
    code: str | None
    order_id: str | None
    exchange: Mapping[str, Any]


def open_many(ledger: PbxLedger, attempts: Iterable[Opened]) -> list[int]:
    """Write attempts down before they leave; gives the numbers that close them, in order."""
    with ledger.transaction() as connection:
        return [int(connection.execute(OPEN, (None, *attempt)).lastrowid or 0) for attempt in attempts]


def close_many(ledger: PbxLedger, attempts: Iterable[Closed]) -> None:
    """Write down how attempts ended."""
    rows = [(*attempt[:-1], json.dumps(attempt.exchange)) for attempt in attempts]
    if rows:
        with ledger.transaction() as connection:
            connection.executemany(CLOSE, rows)
