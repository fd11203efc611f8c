"""A PostgreSQL and a Redis of our own on loopback, for as long as a run lasts, and how they end and come back.

They are started from the system's binaries in a temporary directory; no server that was there before is touched.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGINT, SIGTERM
from tempfile import TemporaryDirectory
from typing import Final

import psutil  # type: ignore[import-untyped]  # ships no stubs

from simulator.chaos.line import Cutter
from simulator.lab import LabFault, free_port

SECONDS_TO_START: Final = 30.0
SECONDS_TO_STOP: Final = 20.0
NOWHERE: Final = subprocess.DEVNULL


class ServerMissing(LabFault):
    """A server is not installed; the sentence says which package has it."""


@dataclass
class Server:
    """One server process. `asks` is a command that succeeds while it answers."""

    command: Sequence[str]
    asks: Sequence[str]
    port: int
    user: str | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it and wait until it answers; again if it gives up because what was killed has not quite gone."""
        end = time.monotonic() + SECONDS_TO_START
        while subprocess.run(self.asks, check=False, stdout=NOWHERE, stderr=NOWHERE).returncode:
            if self.process is None or self.process.poll() is not None:
                self.process = subprocess.Popen(
                    self.command, user=self.user, start_new_session=True, cwd="/", stdout=NOWHERE, stderr=NOWHERE
                )
            if time.monotonic() > end:
                message = f"{Path(self.command[0]).name} did not start"
                raise LabFault(message)
            time.sleep(0.02)

    def end(self, number: int) -> None:
        """Send it this signal, none of its children, and wait until it is gone."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(SECONDS_TO_STOP)

    def children(self, mark: str = "") -> list[int]:
        """The processes it has started whose command line holds `mark`."""
        if self.process is None:
            return []
        return [child.pid for child in psutil.Process(self.process.pid).children() if mark in _line(child)]


def _line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended meanwhile
        return ""


def installed() -> bool:
    """Whether both servers can be started here."""
    return bool(_initdb()) and shutil.which("redis-server") is not None


def _initdb() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))


@contextmanager
def postgresql() -> Iterator[Server]:
    """A PostgreSQL whose superuser `postgres` needs no password; owned by `postgres` where root asks (initdb must)."""
    found = _initdb()
    if not found:
        raise ServerMissing("PostgreSQL is not installed: apt-get install postgresql")
    binaries, user, port = found[-1].parent, "postgres" if os.geteuid() == 0 else None, free_port()
    with TemporaryDirectory(prefix="smslab-pg-") as place:
        if user:
            shutil.chown(place, user)
        make = (binaries / "initdb", "-D", f"{place}/data", "-U", "postgres", "-A", "trust", "--no-sync")
        subprocess.run(make, user=user, check=True, stdout=NOWHERE, cwd=place)
        command = (str(binaries / "postgres"), "-D", f"{place}/data", "-p", str(port), "-k", place, "-h", "127.0.0.1")
        asks = (str(binaries / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port))
        with _running(Server(command, asks, port, user), SIGINT) as server:
            yield server


@contextmanager
def redis() -> Iterator[Server]:
    """A Redis that keeps nothing on disk."""
    binary, port = shutil.which("redis-server"), free_port()
    if binary is None:
        raise ServerMissing("Redis is not installed: apt-get install redis-server")
    command = (binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no")
    with _running(Server(command, ("redis-cli", "-p", str(port), "ping"), port), SIGTERM) as server:
        yield server


@contextmanager
def _running(server: Server, goodbye: int) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.end(goodbye)


@dataclass(frozen=True)
class Servers:
    """What stands behind the gateway: Redis, and PostgreSQL at the end of a line that can be cut."""

    postgres: Server
    redis: Server
    line: Cutter

    @property
    def environ(self) -> dict[str, str]:
        """The gateway's settings for them."""
        return {
            "SMSLAB_DATABASE_URL": f"postgresql+psycopg://postgres@127.0.0.1:{self.line.port}/postgres",
            "SMSLAB_REDIS_URL": f"redis://127.0.0.1:{self.redis.port}/0",
        }


@contextmanager
def servers() -> Iterator[Servers]:
    """Both, and the line; ServerMissing if one is not installed."""
    with postgresql() as store, redis() as counters:
        line = Cutter(store.port)
        try:
            yield Servers(store, counters, line)
        finally:
            line.close()
