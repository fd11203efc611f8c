"""What the other processes write, read from where the last reading stopped: two ledgers and an event log.

Each source is a small class with `read(progress)`: at most `BATCH` things, and how far that is. Nothing is kept
between two readings but the progress, so a console may be stopped anywhere.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from simulator.console.projection import Progress, Step

BATCH: Final = 2000  # rows in one reading
BYTES: Final = 1 << 20  # of the log in one reading

ATTEMPTS: Final = """
SELECT number, run, from_number, recipient, text, started_at, finished_at, status, code, order_id
FROM opened LEFT JOIN closed USING (number)
"""
CLOSED: Final = "SELECT number, finished_at, status, code, order_id FROM closed"
TAKEN: Final = "SELECT seq, id, key, from_number, recipient, text, encoding, segments, at FROM messages"
# The carrier's ids are its own count, so the message of a receipt is found by its primary key.
RECEIPTS: Final = """
SELECT number, receipt_id, message_id, message_status, receipts.at, answer, coalesce(key, message_id)
FROM receipts LEFT JOIN messages ON seq = CAST(substr(message_id, 4) AS INTEGER) AND id = message_id
"""


class Reading(NamedTuple):
    """What one reading found; `replaced`: the file is another one than last time, nothing was read."""

    found: Sequence[Any]
    reached: Progress
    replaced: bool = False


class Table:
    """One append-only table of a ledger, in the order of its key."""

    def __init__(self, path: Path, query: str, key: str, shape: Callable[[Any], Any] = tuple) -> None:
        self._path, self._query, self._key, self._shape = path, query, key, shape

    def read(self, since: Progress) -> Reading:
        """The rows after the one that was read last; none if there is no ledger yet."""
        identity = identity_of(self._path)
        if not identity:
            return Reading((), since)
        if since.identity not in {0, identity}:
            return Reading((), since, replaced=True)
        query = f"{self._query} WHERE {self._key} > ? ORDER BY {self._key} LIMIT ?"
        rows = self._rows(query, (since.position, BATCH))
        reached = Progress(rows[-1][0] if rows else since.position, identity)
        return Reading([self._shape(row) for row in rows], reached)

    def those(self, keys: Sequence[int]) -> list[Any]:
        """The rows with these keys."""
        query = f"{self._query} WHERE {self._key} IN (SELECT value FROM json_each(?))"  # noqa: S608 - our own words
        return self._rows(query, (json.dumps(list(keys)),))

    def _rows(self, query: str, arguments: tuple[object, ...]) -> list[Any]:
        if not self._path.exists():
            return []
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True, timeout=5)) as connection:
            try:
                return connection.execute(query, arguments).fetchall()
            except sqlite3.OperationalError:  # the ledger is being made: its tables come in a moment
                return []


class EventLog:
    """The gateway's log. A line that is not complete yet is left for the next reading; what is no event is skipped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, since: Progress) -> Reading:
        """The events after the byte that was read last; from the start if the log was cut or replaced."""
        identity = identity_of(self._path)
        if not identity:
            return Reading((), since)
        position = since.position
        if since.identity not in {0, identity} or self._path.stat().st_size < position:
            position = 0
        with self._path.open("rb") as log:
            log.seek(position)
            data = log.read(BYTES)
        whole = data.rfind(b"\n") + 1
        if not whole and len(data) == BYTES:  # no event is that long
            whole = BYTES
        steps = [step for line in data[:whole].split(b"\n") if (step := as_step(line))]
        return Reading(steps, Progress(position + whole, identity))


def as_step(line: bytes) -> Step | None:
    """One line of the gateway's log as a step, or None if it is no event of an order or of the carrier."""
    if not line.startswith(b"{"):
        return None
    try:
        event = json.loads(line)
        at = datetime.fromisoformat(event.pop("at")).timestamp()
        kind, order = str(event.pop("event")), str(event.pop("order", ""))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if kind == "receipt":
        return Step(order, at, "receipt", str(event.get("status")), json.dumps(event))
    return Step(order, at, "gateway", kind, json.dumps(event))


def identity_of(path: Path) -> int:
    """The inode of a file, 0 if there is none."""
    try:
        return path.stat().st_ino
    except OSError:
        return 0
