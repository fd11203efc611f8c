"""Real servers on loopback in a temporary directory: PostgreSQL and Redis. Without their binaries the tests skip."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import redis

from simulator.lab import free_port
from tests.servers.proxy import Cutter


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
    """A PostgreSQL server, owned by `postgres` where the tests run as root (initdb refuses root)."""
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not binaries:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="smslab-pg-") as place:
        if user:
            shutil.chown(place, user)
        initdb, data, port = binaries[-1], f"{place}/data", free_port()
        command = [initdb, "-D", data, "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(command, user=user, check=True, stdout=subprocess.DEVNULL, cwd=place)
        options = ["-D", data, "-p", str(port), "-k", place, "-h", "127.0.0.1"]
        process = subprocess.Popen(
            [initdb.with_name("postgres"), *options], user=user, stderr=subprocess.DEVNULL, cwd=place
        )
        running = Postgres(port, "postgres")
        try:
            until(running.answers)
            yield running
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)


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
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fresh Redis server."""
    binary, port = shutil.which("redis-server"), free_port()
    if binary is None:
        pytest.skip("Redis is not installed: apt-get install redis-server")
    command = [
        binary,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(tmp_path_factory.mktemp("redis")),
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    with redis.Redis(port=port) as client:
        try:
            until(lambda: pings(client))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(10)


def pings(client: redis.Redis) -> bool:
    """Whether the server is up."""
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False


@pytest.fixture
def cutter(postgres: Postgres) -> Iterator[Cutter]:
    """A line to PostgreSQL that can be cut."""
    line = Cutter(postgres.port)
    yield line
    line.close()
