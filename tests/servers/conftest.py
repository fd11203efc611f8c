"""Real servers on loopback in a temporary directory: PostgreSQL and Redis. Without their binaries the tests skip."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from simulator.chaos.line import Cutter
from simulator.chaos.servers import ServerMissing, postgresql, redis


def until(ready: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it is so; an assertion error if it never is."""
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@dataclass(frozen=True)
class Postgres:
    """A database of its own on a running server."""

    port: int
    name: str

    @property
    def dsn(self) -> str:
        """For psycopg."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{self.name}"

    @property
    def url(self) -> str:
        """For SMSLAB_DATABASE_URL."""
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{self.name}"

    def ask(self, query: str) -> list[tuple[object, ...]]:
        """The rows of a query, on a connection of its own."""
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            cursor = connection.execute(query)
            return cursor.fetchall() if cursor.description else []

    def backends(self) -> list[int]:
        """The processes that serve other connections to this database."""
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return [int(str(row[0])) for row in self.ask(mine)]

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            return self.ask("SELECT 1") == [(1,)]
        except psycopg.OperationalError:
            return False


@pytest.fixture(scope="session")
def server() -> Iterator[Postgres]:
    """A PostgreSQL server for all tests."""
    try:
        with postgresql() as running:
            yield Postgres(running.port, "postgres")
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def postgres(server: Postgres, request: pytest.FixtureRequest) -> Iterator[Postgres]:
    """A fresh database for one test."""
    with database(server, f"lab_{abs(hash(request.node.nodeid))}") as fresh:
        yield fresh


@contextmanager
def database(server: Postgres, name: str) -> Iterator[Postgres]:
    """A fresh database."""
    server.ask(f"CREATE DATABASE {name}")
    yield Postgres(server.port, name)
    server.ask(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    """A fresh Redis server."""
    try:
        with redis() as running:
            yield f"redis://127.0.0.1:{running.port}/0"
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def cutter(postgres: Postgres) -> Iterator[Cutter]:
    """A line to PostgreSQL that can be cut."""
    line = Cutter(postgres.port)
    yield line
    line.close()
