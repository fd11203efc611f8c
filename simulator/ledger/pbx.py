"""The PBX's side of the account: what was tried, written before it left, and what was answered.

An attempt is *accepted* (200 with an id), *refused* (any other status) or *indeterminate* (no status, or
never closed because the PBX died). What that means for the other side is the business of `balance.py`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from sqlite3 import Row
from typing import Any

from simulator.ledger.journal import Journal

SCHEMA = """
CREATE TABLE IF NOT EXISTS opened (
    number INTEGER PRIMARY KEY, run TEXT NOT NULL, from_number TEXT NOT NULL, recipient TEXT NOT NULL,
    text TEXT NOT NULL, started_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS closed (
    number INTEGER PRIMARY KEY, finished_at REAL NOT NULL, status INTEGER, code TEXT, order_id TEXT,
    exchange TEXT NOT NULL)
"""
OPEN = "INSERT INTO opened (number, run, from_number, recipient, text, started_at) VALUES (?, ?, ?, ?, ?, ?)"
CLOSE = "INSERT INTO closed (number, finished_at, status, code, order_id, exchange) VALUES (?, ?, ?, ?, ?, ?)"
SELECT = """
SELECT number, run, from_number, recipient, text, started_at, finished_at, status, code, order_id, exchange
FROM opened LEFT JOIN closed USING (number)
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to send one message; times are epoch seconds, `exchange` is JSON without the key."""

    number: int
    run: str
    from_number: str
    to: str
    text: str
    started_at: float
    finished_at: float | None = None
    status: int | None = None
    code: str | None = None
    order_id: str | None = None
    exchange: dict[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """200 with an id: the provider has promised to submit it."""
        return self.status == 200 and bool(self.order_id)

    @property
    def indeterminate(self) -> bool:
        """No status: nobody on this side knows whether it was taken."""
        return self.status is None


class PbxLedger(Journal):
    """The PBX's ledger file; a context manager, safe to share between threads."""

    def __init__(self, path: Path | str, *, create: bool = True) -> None:
        super().__init__(path, SCHEMA if create else "", ("opened", "closed") if create else ())

    def open(self, run: str, from_number: str, to: str, text: str, at: float) -> int:
        """Write down an attempt before its request leaves; gives the number that closes it."""
        with self.transaction() as connection:
            row = connection.execute(OPEN, (None, run, from_number, to, text, at))
            return int(row.lastrowid or 0)

    def close(
        self,
        number: int,
        at: float,
        *,
        status: int | None,
        code: str | None,
        order_id: str | None,
        exchange: Mapping[str, object] | None = None,
    ) -> None:
        """Write down the answer; `status` None says that none came. Closing twice is an error."""
        with self.transaction() as connection:
            connection.execute(CLOSE, (number, at, status, code, order_id, json.dumps(dict(exchange or {}))))

    def record_many(self, attempts: Iterable[Attempt]) -> None:
        """Write finished and unfinished attempts in one transaction; numbers are given here, in order."""
        with self.transaction() as connection:
            last: int = connection.execute("SELECT coalesce(max(number), 0) FROM opened").fetchone()[0]
            numbered = list(zip(count(last + 1), attempts, strict=False))
            connection.executemany(OPEN, [(n, a.run, a.from_number, a.to, a.text, a.started_at) for n, a in numbered])
            connection.executemany(
                CLOSE,
                [
                    (n, a.finished_at, a.status, a.code, a.order_id, json.dumps(a.exchange))
                    for n, a in numbered
                    if a.finished_at is not None
                ],
            )

    def attempts(self, run: str | None = None, after: int = 0) -> Iterator[Attempt]:
        """Every attempt after a number in the order of its opening, or those of one run."""
        where = "WHERE (? IS NULL OR run = ?) AND number > ? ORDER BY number LIMIT ?"
        return map(_attempt, self.pages(SELECT + where, (run, run), after))


def _attempt(row: Row) -> Attempt:
    *values, exchange = row
    return Attempt(*[*values, json.loads(exchange) if exchange else {}])
