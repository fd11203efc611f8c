"""PostgreSQL as a durable store for several processes: one transaction a batch, and the truth after a lost COMMIT.

A stopped backend still acknowledges packets, so neither keepalives nor statement_timeout end the wait: sockets are cut
when time is up. What a lost COMMIT came to is asked on a fresh connection with `pg_xact_status`.
"""

import os
import socket
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation
from sqlalchemy import create_engine, event, make_url

from gateway.baton import Fate, Row
from gateway.database import COLUMNS, Database, DatabaseFault
from gateway.deadline import DEADLINES

TYPES = ("text", "bigint", "bigint", "text", "text", "text", "text", "text", "int", "bigint", "bigint", "bigint")
ARRAYS = ",".join(f"%s::{kind}[]" for kind in TYPES)
# The transaction's number comes with the insert; until it is here no COMMIT has been sent.
INSERT = (
    f"WITH written AS (INSERT INTO orders ({','.join(COLUMNS)}) SELECT * FROM unnest({ARRAYS}))"  # noqa: S608  ours
    " SELECT pg_current_xact_id()::text"
)
CONNECTING = 2  # seconds
READING, WRITING = 0.25, 0.35  # of a request's deadline: what a question may take, and a write or the search for truth
AGAIN = 0.25  # seconds until a server that stood still is asked to write again
POLL = 0.05  # seconds between questions about a transaction that is still in progress
DURABLE = ("fsync", "synchronous_commit", "full_page_writes")


class Writer:
    """The hot insert. Called by one thread at a time; `deadline` (s) covers the write and the search for truth.

    Those who waited behind a batch that a server at a standstill held up are refused at once: their time is over.
    """

    def __init__(self, dsn: str, deadline: float) -> None:
        self._dsn = dsn
        self._limit = deadline * WRITING
        self._ask_at = 0.0  # on the monotonic clock
        self._connection: psycopg.Connection | None = None
        self.fault = ""

    def __call__(self, rows: Sequence[Row]) -> list[Fate]:
        """Write the batch as one transaction; a row whose id is taken fails alone."""
        try:
            return [self._insert(rows)] * len(rows)
        except UniqueViolation:
            return [self._alone(row) for row in rows]

    def close(self) -> None:
        """Forget the connection; the next batch opens a new one."""
        if self._connection:
            self._connection.close()
        self._connection = None

    def _alone(self, row: Row) -> Fate:
        try:
            return self._insert([row])
        except UniqueViolation:
            return Fate.DUPLICATE

    def _insert(self, rows: Sequence[Row]) -> Fate:
        number, pid, started = None, 0, time.monotonic()
        if started < self._ask_at:
            return Fate.REFUSED
        try:
            connection = self._open()
            pid = connection.info.backend_pid
            with cut_in_time(connection, self._limit), connection.transaction():
                found = connection.execute(INSERT, [list(column) for column in zip(*rows, strict=True)]).fetchone()
                number = found[0] if found else None
        except UniqueViolation:
            raise
        except psycopg.Error as fault:
            self.fault = str(fault)
            self.close()
            fate = self._truth(number, pid) if number else Fate.REFUSED
            if (now := time.monotonic()) - started >= self._limit:
                self._ask_at = now + AGAIN
            return fate
        return Fate.COMMITTED

    def _truth(self, number: str, pid: int) -> Fate:
        """What became of a transaction whose COMMIT was sent and not answered."""
        end = time.monotonic() + self._limit
        with suppress(psycopg.Error), connect(self._dsn) as fresh, cut_in_time(fresh, self._limit):
            while time.monotonic() < end:
                row = fresh.execute("SELECT pg_xact_status(%s::xid8)", [number]).fetchone()
                if row and row[0] == "committed":
                    return Fate.COMMITTED
                if row and row[0] == "aborted":
                    return Fate.REFUSED
                if time.monotonic() > end - self._limit / 2:  # it had its chance to finish by itself
                    fresh.execute("SELECT pg_terminate_backend(%s)", [pid])
                time.sleep(POLL)
        return Fate.UNKNOWN

    def _open(self) -> psycopg.Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._dsn)
        return self._connection


def connect(dsn: str) -> psycopg.Connection:
    """A connection that commits each statement and gives up connecting after two seconds."""
    return psycopg.connect(dsn, autocommit=True, connect_timeout=CONNECTING)


class Bounded(psycopg.Connection[Any]):
    """A connection on which nothing, be it a ping or a COMMIT, is waited for longer than `limit` seconds."""

    limit = 2.0

    def wait(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401  the driver's own signature
        """What the driver calls whenever it waits for the server."""
        with cut_in_time(self, self.limit):
            return super().wait(*args, **options)


def cut_in_time(connection: psycopg.Connection[Any], seconds: float) -> AbstractContextManager[None]:
    """Cut the connection's socket if the block takes longer."""

    def cut() -> None:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    return DEADLINES.within(seconds, cut)


def open_postgres(url: str, *, unsafe: bool, deadline: float) -> Database:
    """Open an initialised database, or DatabaseFault if it could lose what it has committed."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    _check_durability(dsn, unsafe=unsafe)
    engine = create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args={"connect_timeout": CONNECTING})

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, cargs: list[Any], cparams: dict[str, Any]) -> Bounded:
        connection = Bounded.connect(*cargs, **cparams)
        connection.limit = deadline * READING  # a ping that fails, and a new connection, are within the deadline
        return connection

    return Database(
        engine=engine,
        insert=Writer(dsn, deadline),
        turn=nullcontext(),
        free_space=lambda: 1 << 62,  # the disk is the server's; its own fault reaches us as a failed insert
    )


def _check_durability(dsn: str, *, unsafe: bool) -> None:
    try:
        with connect(dsn) as connection:
            settings = {name: connection.execute(f"SHOW {name}").fetchone() for name in DURABLE}
    except psycopg.Error as fault:
        message = f"Cannot open the database: {str(fault).splitlines()[0]}"
        raise DatabaseFault(message) from None
    weak = [name for name, value in settings.items() if not value or value[0] == "off"]
    if weak and not unsafe:
        message = f"The database may lose accepted orders: {', '.join(weak)} is off"
        raise DatabaseFault(message)
