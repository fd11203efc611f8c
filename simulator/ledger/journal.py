"""How a ledger file is kept: one SQLite file in WAL mode, written only by adding rows.

A row is safe from `kill -9` of its writer as soon as the call that wrote it returns (the page cache survives
the process); it is not promised to survive a power cut, which is the gateway's promise to keep, not a
simulator's. What the rows mean belongs to the ledger that uses this.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Self

PAGE = 2000


class Journal:
    """One open ledger file: shared by the threads of a process, and by several processes.

    Rules: `schema` is applied when tables are missing (empty: the file is only read); triggers refuse UPDATE and
    DELETE in `tables`. A file that is no ledger is `sqlite3.DatabaseError` with one sentence, and left as it is.
    """

    def __init__(self, path: Path | str, schema: str, tables: tuple[str, ...]) -> None:
        self._lock = Lock()
        self._connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False, cached_statements=32
        )
        self._connection.row_factory = sqlite3.Row
        try:
            self._prepare(schema, tables)
        except sqlite3.Error as error:
            self._connection.close()
            if type(error) is sqlite3.DatabaseError:  # and not one of its kinds, such as a lock
                raise sqlite3.DatabaseError(f"{Path(path).name} is no ledger ({error})") from error
            raise

    def _prepare(self, schema: str, tables: tuple[str, ...]) -> None:
        if not schema:
            self._connection.execute("PRAGMA query_only=ON")
            self._connection.execute("SELECT count(*) FROM sqlite_master")
            return
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        with self.transaction() as connection:
            for statement in filter(str.strip, schema.split(";")):
                connection.execute(statement)
            for table in tables:
                for verb in ("UPDATE", "DELETE"):
                    connection.execute(
                        f"CREATE TRIGGER IF NOT EXISTS no_{verb}_{table} BEFORE {verb} ON {table} "
                        "BEGIN SELECT RAISE(ABORT, 'a ledger is only ever added to'); END"
                    )

    def __enter__(self) -> Self:
        """The open journal."""
        return self

    def __exit__(self, *exc: object) -> None:
        """Close the file."""
        self.close_file()

    def close_file(self) -> None:
        """Close the file; safe to call twice."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write transaction: all of it or nothing, one thread at a time."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def rows(self, query: str, arguments: tuple[Any, ...] = ()) -> list[sqlite3.Row]:
        """Every row of a bounded query."""
        with self._lock:
            return self._connection.execute(query, arguments).fetchall()

    def pages(self, query: str, arguments: tuple[Any, ...], after: int = 0) -> Iterator[sqlite3.Row]:
        """Every row of `query`, ending in `> ? ORDER BY <first column> LIMIT ?`, a page at a time.

        The file may grow meanwhile; rows added later are seen.
        """
        while page := self.rows(query, (*arguments, after, PAGE)):
            yield from page
            after = page[-1][0]
