"""The store as the rest of the gateway sees it: reading, writing and the hot insert, on SQLite or PostgreSQL."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url, text

from gateway.baton import Fate, Row
from gateway.schema import metadata

# The columns of the hot insert, in the order of its rows.
COLUMNS = (
    "id",
    "integration_id",
    "key_id",
    "sender",
    "from_number",
    "to_number",
    "text",
    "encoding",
    "segments",
    "accepted_at",
    "expires_at",
    "due_at",
)


HEAD = "0001"  # the newest of `migrations/versions`


class DatabaseFault(Exception):
    """The database cannot be used; the sentence says why."""


class Insert(Protocol):
    """The hot insert of a store: writes a batch of orders (rows of `COLUMNS`) durably and says each one's fate."""

    fault: str  # why a batch was last not written, in the store's words; for the log, never for a PBX

    def __call__(self, rows: Sequence[Row], /) -> list[Fate]:
        """Write the batch; never more than one caller at a time."""
        ...

    def close(self) -> None:
        """Give its connection back; the next batch opens a new one."""
        ...


@dataclass(frozen=True)
class Database:
    """An open store."""

    engine: Engine
    insert: Insert
    turn: AbstractContextManager[object]  # one writer at a time where the store wants that
    free_space: Callable[[], int]

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single statements; it holds no transaction open."""
        with self.engine.connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction, committed at the end."""
        with self.turn, self.engine.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give every connection back."""
        self.insert.close()
        self.engine.dispose()


def open_database(url: str, *, unsafe: bool = False, deadline: float = 5.0) -> Database:
    """Open an initialised database. `unsafe` gives up SQLite's fsync per commit; `deadline` (s) bounds a write."""
    if make_url(url).get_backend_name() == "sqlite":
        from gateway.sqlite import open_sqlite

        return open_sqlite(url, unsafe=unsafe, deadline=deadline)
    from gateway.postgres import open_postgres  # the extra `postgres`

    return open_postgres(url, unsafe=unsafe, deadline=deadline)


def initialise(url: str) -> None:
    """Create or upgrade the tables, once, before any worker starts. DatabaseFault if that cannot be done safely."""
    if make_url(url).get_backend_name() == "sqlite":
        from gateway.sqlite import prepare

        prepare(url)
    if _revision(url) == HEAD:
        return
    from alembic import command  # half a second to import, and needed once in a database's life
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as fault:
        message = f"The database was made by another version: {fault}"
        raise DatabaseFault(message) from None


def _missing(connection: Connection) -> str:
    """A column of ours that the database does not have: until the first release its first version grew."""
    there = inspect(connection)
    for table in metadata.sorted_tables:
        found = {column["name"] for column in there.get_columns(table.name)} if there.has_table(table.name) else set()
        for column in table.columns:
            if column.name not in found:
                return f"{table.name}.{column.name}"
    return ""


def _revision(url: str) -> str | None:
    engine = create_engine(url, hide_parameters=True)
    try:
        with engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            if found == HEAD and (missing := _missing(connection)):
                message = f"The database was made before the first release and has no {missing}; move it away"
                raise DatabaseFault(message)
            return found
    finally:
        engine.dispose()
