"""SQLite as a durable store: WAL, `synchronous=FULL`, one multi-row INSERT a batch on the raw driver.

Writers take turns by a lock of ours (a thread lock and a file lock): SQLite's own busy handler is unfair, and a thread
was seen to wait 4 s behind it.
"""

import fcntl
import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from time import monotonic, sleep
from typing import Any

from sqlalchemy import Engine, create_engine, event, make_url

from gateway.baton import Fate, Row
from gateway.database import COLUMNS, Database, DatabaseFault

BUSY = 0.8  # share of the request's deadline to wait for another process that holds the file
AT_START = 4.0  # seconds for the same before anything is served
BRIEF = 0.2  # seconds to wait when somebody has waited in vain just before
NAP = 0.0001  # seconds between two looks at another process's turn; a commit takes two to five times that
PAGES_KB = 512  # page cache of a pooled connection; there is one per busy thread, and their memory adds up
CHECKED_WHOLE = 64 << 20  # bytes up to which start-up reads the whole file for damage
# With these nothing of the transaction can have reached the log; after any other error the log must be overwritten.
NOTHING_WRITTEN = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}
NOT_OUR_TURN = "Another process keeps the database to itself"
PLACES = f"({','.join('?' * len(COLUMNS))})"
INSERT = f"INSERT INTO orders ({','.join(COLUMNS)}) VALUES "  # noqa: S608  our own column names


class Turn:
    """One writer at a time, between threads and between processes. Not reentrant.

    Nobody waits for it without end: a process that was stopped (SIGSTOP, a frozen container) while it had the turn
    must not stop the others. `patience` is what one may wait in seconds, for the turn and a foreign lock together.
    """

    def __init__(self, path: Path, patience: float) -> None:
        self.patience = patience
        self._threads = Lock()
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def take(self, seconds: float) -> bool:
        """Wait for the turn that long; False if somebody kept it."""
        end = monotonic() + seconds
        if not self._threads.acquire(timeout=max(seconds, 0)):
            return False
        while not self._free():
            if monotonic() >= end:
                self._threads.release()
                return False
            sleep(NAP)
        return True

    def give(self) -> None:
        """The next one, please."""
        fcntl.flock(self._file, fcntl.LOCK_UN)
        self._threads.release()

    def __enter__(self) -> None:
        if not self.take(self.patience):
            raise DatabaseFault(NOT_OUR_TURN)

    def __exit__(self, *_: object) -> None:
        self.give()

    def __del__(self) -> None:
        os.close(self._file)

    def _free(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # a wait for it in the kernel could not be ended
        except OSError:  # held by another process, or not to be had at all
            return False
        return True


class Writer:
    """The hot insert. Called by one thread at a time (the baton sees to that) and takes its turn with other writers.

    It waits `Turn.patience` for its turn and a foreign lock together. While a lock outlasts that, the next ones hardly
    wait: they have waited behind the first one already.
    """

    def __init__(self, path: Path, turn: Turn, synchronous: str) -> None:
        self._path = path
        self._turn = turn
        self._synchronous = synchronous
        self._connection: sqlite3.Connection | None = None
        self._patience = self._timeout = turn.patience
        self.fault = ""

    def __call__(self, rows: Sequence[Row]) -> list[Fate]:
        """Write the batch as one durable transaction; a row whose id is taken fails alone."""
        end = monotonic() + self._patience
        if not self._turn.take(self._patience):
            self._patience = BRIEF
            self.fault = NOT_OUR_TURN
            return [Fate.REFUSED] * len(rows)
        try:
            self._wait_at_most(round(end - monotonic(), 1))
            self._insert(rows)
        except sqlite3.IntegrityError:
            return [self._alone(row) for row in rows]
        except sqlite3.Error as fault:
            return self._settle([str(row[0]) for row in rows], fault)
        finally:
            self._turn.give()
        self._patience = self._turn.patience
        return [Fate.COMMITTED] * len(rows)

    def close(self) -> None:
        """Forget the connection; the next batch opens a new one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _wait_at_most(self, seconds: float) -> None:
        """For a foreign lock."""
        seconds = max(seconds, BRIEF)
        if self._connection and seconds != self._timeout:
            self._connection.execute(f"PRAGMA busy_timeout={round(seconds * 1000)}")
        self._timeout = seconds

    def _insert(self, rows: Sequence[Row]) -> None:
        parameters = [value for row in rows for value in row]
        self._open().execute(INSERT + ",".join([PLACES] * len(rows)), parameters)

    def _alone(self, row: Row) -> Fate:
        try:
            self._insert([row])
        except sqlite3.IntegrityError:
            return Fate.DUPLICATE
        except sqlite3.Error as fault:
            return self._settle([str(row[0])], fault)[0]
        return Fate.COMMITTED

    def _settle(self, ids: list[str], fault: sqlite3.Error) -> list[Fate]:
        """After a failed commit: learn the truth, or force it by a void record, before anybody is answered."""
        self.fault = str(fault)
        self.close()
        if fault.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            self._patience = BRIEF
        if fault.sqlite_errorcode & 0xFF in NOTHING_WRITTEN:
            return [Fate.REFUSED] * len(ids)
        try:
            connection = self._open()
            marks = ",".join("?" * len(ids))
            found = connection.execute(f"SELECT id FROM orders WHERE id IN ({marks})", ids)  # noqa: S608  marks only
            present = {row[0] for row in found}
            void = [(i,) for i in ids if i not in present]
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT INTO voids VALUES (?)", void)
            connection.execute("COMMIT")
        except sqlite3.Error:
            self.close()
            return [Fate.UNKNOWN] * len(ids)
        return [Fate.COMMITTED if i in present else Fate.REFUSED for i in ids]

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._connection = sqlite3.connect(
                self._path, timeout=self._timeout, isolation_level=None, check_same_thread=False, cached_statements=300
            )
            self._connection.execute(f"PRAGMA synchronous={self._synchronous}")
        return self._connection


def open_sqlite(url: str, *, unsafe: bool, deadline: float) -> Database:
    """Open an initialised file. Nobody waits longer for a lock than four fifths of `deadline` (s)."""
    path = _path(url)
    synchronous = "NORMAL" if unsafe else "FULL"
    turn = Turn(path.with_name(path.name + ".turn"), deadline * BUSY)
    folder = path.parent
    return Database(
        engine=_engine(url, synchronous, turn.patience),
        insert=Writer(path, turn, synchronous),
        turn=turn,
        free_space=lambda: _free(folder),
    )


def prepare(url: str) -> None:
    """Switch the file to WAL (workers racing for that fail at once) and refuse a damaged one without touching it."""
    path = _path(url)
    try:
        connection = sqlite3.connect(path, timeout=AT_START)
    except sqlite3.Error as fault:
        message = f"Cannot open the database {path}: {fault}"
        raise DatabaseFault(message) from None
    try:
        if (
            path.stat().st_size <= CHECKED_WHOLE
            and (found := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
        ):
            raise sqlite3.DatabaseError(found)
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.Error as fault:
        message = f"The database {path} is damaged or cannot be written and is left as it is: {fault}"
        raise DatabaseFault(message) from None
    finally:
        connection.close()


def _engine(url: str, synchronous: str, busy: float) -> Engine:
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy})

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:  # noqa: ANN401  SQLAlchemy's own signature
        connection.isolation_level = None  # the driver must not open transactions behind our back
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA cache_size={-PAGES_KB}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:  # noqa: ANN401
        # The event comes for reads too; those must not take the one writer's lock.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _path(url: str) -> Path:
    return Path(make_url(url).database or "")


def _free(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
