"""The real store of a simulation: SQLite files in memory, opened once, wiped for each seed, and a disk that can fail.

A failed fsync is the subtle one: COMMIT reports an error, the row is not to be seen, and yet it lies in the log and
comes back when every process has died, unless some later write has covered it (measured:
`reference/reliability-and-threats.md`, section 0). So it is here.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from gateway.baton import Fate, Row
from gateway.database import Database, initialise, open_database
from gateway.sqlite import INSERT, PLACES, Writer

ROWS = "SELECT id, text, state, attempts, first_attempt_at, expires_at, finished_at FROM orders ORDER BY seq"
NEXT = (
    "SELECT (SELECT min(due_at) FROM orders WHERE state = 'queued'),"
    " (SELECT open_until FROM carrier WHERE failures >= 3)"
)
NEVER = 1e16
WIPE = "DELETE FROM orders; DELETE FROM voids; UPDATE carrier SET failures = 0, open_until = 0"


def failed(code: int) -> sqlite3.OperationalError:
    """What the driver raises for a result code of SQLite."""
    fault = sqlite3.OperationalError("a fault of the simulated disk")
    fault.sqlite_errorcode = code
    return fault


class Disk:
    """What a failed commit left in the log, and what may go wrong next: `fate(kind)` says it."""

    def __init__(self) -> None:
        self.fate: Callable[[str], str] = lambda _kind: "ok"
        self.ghosts: list[Row] = []


class FaultyWriter(Writer):
    """The real writer on a disk that fails when fate says so."""

    disk: Disk
    deaf = False

    def _insert(self, rows: Sequence[Row]) -> None:
        fate = self.disk.fate("commit")
        if fate == "full":
            raise failed(sqlite3.SQLITE_FULL)
        if fate in {"fsync", "fsync, and again"}:
            connection = self._open()
            connection.execute("BEGIN IMMEDIATE")
            try:  # an id that is taken fails before there is anything to sync
                super()._insert(rows)
            finally:
                connection.execute("ROLLBACK")
            self.disk.ghosts, self.deaf = [*rows], fate != "fsync"
            raise failed(sqlite3.SQLITE_IOERR_FSYNC)
        super()._insert(rows)
        self.disk.ghosts = []
        if fate == "committed, and an error":
            raise failed(sqlite3.SQLITE_IOERR_FSYNC)

    def _settle(self, ids: list[str], fault: sqlite3.Error) -> list[Fate]:
        before = self._voids()
        fates = super()._settle(ids, fault)
        if self._voids() > before:
            self.disk.ghosts = []
        return fates

    def _open(self) -> sqlite3.Connection:
        if self.deaf:
            self.deaf = False
            raise failed(sqlite3.SQLITE_IOERR)
        return super()._open()

    def _voids(self) -> int:
        return super()._open().execute("SELECT count(*) FROM voids").fetchone()[0]


@dataclass(frozen=True)
class FaultyDatabase(Database):
    """The real store, whose transactions fail before they begin or after their commit when fate says so."""

    disk: Disk | None = None

    @contextmanager
    def write(self) -> Iterator[Any]:
        fate = self.disk.fate("write")
        if fate == "locked":
            raise failed(sqlite3.SQLITE_BUSY)
        with super().write() as connection:
            raw = connection.connection.dbapi_connection
            before = raw.total_changes
            yield connection
        if raw.total_changes > before:
            self.disk.ghosts = []
        if fate == "committed, and an error":
            raise failed(sqlite3.SQLITE_IOERR)


class Stage:
    """Files for as many simulated processes as there may be; a context manager."""

    def __init__(self, folder: Path, processes: int = 2) -> None:
        self._path = folder / "simulation.sqlite"
        url = f"sqlite:///{self._path}"
        initialise(url)
        self.disk = Disk()
        real = [open_database(url) for _ in range(processes)]
        self._raw = sqlite3.connect(self._path, isolation_level=None)
        self.databases = [
            FaultyDatabase(one.engine, one.insert, one.turn, one.free_space, disk=self.disk) for one in real
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._raw.close()
        for database in self.databases:
            database.insert.close()
            database.close()

    def wipe(self) -> None:
        """An empty store and a disk without faults."""
        self._raw.executescript(f"BEGIN; {WIPE}; COMMIT")
        self.disk.ghosts, self.disk.fate = [], lambda _kind: "ok"

    def database(self, process: int, kind: type[Writer]) -> Database:
        """The store as one process sees it, with a writer of its own."""
        shared = self.databases[process]
        shared.insert.close()
        writer = kind(self._path, shared.turn, "FULL")
        writer.disk = self.disk
        self.databases[process] = replace(shared, insert=writer)
        return self.databases[process]

    def resurrect(self) -> list[str]:
        """No process is left: what a failed commit left in the log is there again. Gives the ids."""
        ghosts, self.disk.ghosts = self.disk.ghosts, []
        for row in ghosts:
            self._raw.execute(f"{INSERT}{PLACES}", row)
        return [row[0] for row in ghosts]

    def next_work(self) -> float:
        """When an order is due and the carrier may be tried, in epoch seconds; far away if none waits."""
        due, closed_until = self._raw.execute(NEXT).fetchone()
        return max(due or NEVER, closed_until or 0) / 1000

    def orders(self) -> list[tuple[Any, ...]]:
        """id, text, state, attempts, first_attempt_at, expires_at, finished_at of every order."""
        return self._raw.execute(ROWS).fetchall()
