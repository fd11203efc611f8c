"""`smslab load bench`: the gateway beside a bare Flask hello, on the same server, in one run, as ratios.

Absolute figures are this machine's business; a ratio of two things measured in turn (A B A B ...) is the code's.
The server is kept on one core and the client on another. Loopback only, bounded in count and time.
"""

import os
import sqlite3
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import psutil  # type: ignore[import-untyped]  # ships no stubs

from load.closed_loop import Sample, loop
from simulator.lab import CARRIER, GATEWAY, SMSLAB, Lab, free_port, on_core, running_lab

SERVER, CLIENT = 0, -1  # positions in the sorted list of cores
UNLIMITED: Final = {"SMSLAB_BACKLOG_CAP": "100000000"}
RATE: Final = 1_000_000
OLD_ORDERS: Final = 1_000_000
GOALS: Final = {64: 0.50, 16: 0.33, 1: 0.28}  # connections: accepted/s as a share of hello's


class Figure(NamedTuple):
    """One line of the report. `goal` is a bound; `at_least` says which way."""

    name: str
    value: float
    goal: float | None = None
    at_least: bool = True
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached, None without one."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True)
class Side:
    """One server of a comparison: how to load it, and whose CPU to count."""

    url: str
    key: str
    pid: int
    database: Path | None = None

    def take(self, connections: int, seconds: float) -> tuple[Sample, float]:
        """A sample, and the CPU that the server spent per request, in microseconds."""
        if self.database:
            settle(self.database)
        before = cpu(self.pid)
        sample = loop(self.url, connections, seconds, cores()[CLIENT], self.key)
        return sample, (cpu(self.pid) - before) / max(1, sample.requests) * 1e6

    def usual_rate(self, connections: int, seconds: float, rounds: int) -> float:
        """The median of several samples, in answers per second."""
        return statistics.median(self.take(connections, seconds)[0].per_second for _ in range(rounds))


def bench(directory: Path, seconds: float, rounds: int, sustained: float) -> Iterator[Figure]:
    """Every figure, as it is measured."""
    with bench_lab(directory / "accept", "--no-deliver") as (lab, started), hello(directory) as other:
        yield Figure("start to first answer, s", started, 1.5, at_least=False)
        gateway = Side(lab.send_url, lab.key, lab.pid(GATEWAY), lab.directory / "gateway.sqlite")
        for connections, goal in GOALS.items():
            yield from compare(gateway, other, connections, goal, seconds, rounds)
        yield from grown(lab, gateway, seconds, rounds)
    yield from workers(directory, seconds, rounds)
    yield from delivering(directory, seconds, rounds, sustained)


def compare(gateway: Side, other: Side, connections: int, goal: float, seconds: float, rounds: int) -> Iterator[Figure]:
    """Hello and gateway in turn; medians over the rounds."""
    pairs = [(other.take(connections, seconds), gateway.take(connections, seconds)) for _ in range(rounds)]
    plain, full = ([pair[side] for pair in pairs] for side in (0, 1))
    at = f"at {connections} connections"
    yield Figure(f"hello/s {at}", median(plain, lambda s: s.per_second))
    yield Figure(f"accepted/s {at}", median(full, lambda s: s.per_second))
    ratio = statistics.median(b[0].per_second / a[0].per_second for a, b in pairs)
    yield Figure(f"accepted / hello {at}", ratio, goal)
    yield Figure(f"p50 {at}, ms", median(full, lambda s: s.p50))
    yield Figure(f"p99 / p50 {at}", statistics.median(s.p99 / s.p50 for s, _ in full), 2.5, at_least=False)
    yield Figure(f"hello's p99 / p50 {at}", statistics.median(s.p99 / s.p50 for s, _ in plain))
    spent = statistics.median(b[1] / a[1] for a, b in pairs)
    goal_cpu = 2.0 if connections == max(GOALS) else None
    yield Figure(f"CPU per accepted / per hello {at}", spent, goal_cpu, at_least=False)
    yield Figure(f"answers that were not 200 {at}", sum(s.refused for s, _ in plain + full), 0, at_least=False)


def grown(lab: Lab, gateway: Side, seconds: float, rounds: int) -> Iterator[Figure]:
    """The CPU per accepted order with a million old ones in the table, as a multiple of before."""
    before = statistics.median(gateway.take(64, seconds)[1] for _ in range(rounds))
    fill(lab.directory / "gateway.sqlite", OLD_ORDERS)
    after = statistics.median(gateway.take(64, seconds)[1] for _ in range(rounds))
    yield Figure("CPU per accepted with 1,000,000 orders / before", after / before, 1.2, at_least=False)


def settle(database: Path) -> None:
    """Have all orders done, as a dispatcher would: a backlog that no cap bounds would be counted at each look."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE orders SET state = 'submitted' WHERE state = 'queued'")
    connection.close()


def fill(database: Path, count: int) -> None:
    """Copy one order of the table until there are `count` more, all of them done."""
    with sqlite3.connect(database) as connection:
        names = [
            row[1] for row in connection.execute("PRAGMA table_info(orders)") if row[1] not in {"seq", "id", "state"}
        ]
        columns = ", ".join(names)
        copy = (  # the names come from the table itself
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"  # noqa: S608
            f" INSERT INTO orders (id, state, {columns})"
            f" SELECT printf('OLD%020d', i), 'submitted', {columns} FROM n, (SELECT * FROM orders LIMIT 1)"
        )
        connection.execute(copy, [count])
    connection.close()


def workers(directory: Path, seconds: float, rounds: int) -> Iterator[Figure]:
    """Two workers against one, each on a core of its own, the client beside them.

    At 64 connections each of the two has half the company that one has, and so half the batch; at 128 it has the same.
    """
    rates: dict[tuple[int, int], float] = {}
    for count in (1, 2):
        options = ("--no-deliver", "--workers", str(count))
        with bench_lab(directory / f"workers-{count}", *options, pinned=False) as (lab, _):
            side = Side(lab.send_url, lab.key, lab.pid(GATEWAY), lab.directory / "gateway.sqlite")
            side.take(64, seconds)  # the first of them answers while the others still start
            for connections in (64, 128):
                rates[count, connections] = side.usual_rate(connections, seconds, rounds)
    for connections in (64, 128):
        ratio = rates[2, connections] / rates[1, connections]
        yield Figure(f"two workers / one at {connections} connections", ratio, 1.4)


def delivering(directory: Path, seconds: float, rounds: int, sustained: float) -> Iterator[Figure]:
    """Accept and submit at once for a while: whether delivery keeps up, and what it costs acceptance.

    Receipts are one more request for each message, so what they cost is a figure of its own.
    """
    with bench_lab(directory / "alone", "--no-deliver") as (lab, _):
        side = Side(lab.send_url, lab.key, lab.pid(GATEWAY), lab.directory / "gateway.sqlite")
        alone = side.usual_rate(64, seconds, rounds)
    with bench_lab(directory / "deliver", receipts="none") as (lab, _):
        side = Side(lab.send_url, lab.key, lab.pid(GATEWAY))
        sample, _ = side.take(64, sustained)
        time.sleep(1)
        backlog = backlog_of(lab)
        yield Figure("accepted/s while delivering", sample.per_second)
        yield Figure("submitted/s to the carrier", (sample.requests - backlog) / (sustained + 1))
        yield Figure("backlog 1 s after the end / accepted", backlog / sample.requests, 0.02, at_least=False)
        yield Figure("accepted while delivering / alone", sample.per_second / alone, 0.7)
        memory = sum(part.memory_info().rss for part in family(lab.pid(GATEWAY))[1:]) / 1e6
        yield Figure("worker's memory afterwards, MB", memory, 150, at_least=False, note=f"{sample.requests} orders")
    with bench_lab(directory / "receipts") as (lab, _):
        sample, _ = Side(lab.send_url, lab.key, lab.pid(GATEWAY)).take(64, seconds)
        yield Figure("accepted while delivering and taking receipts / alone", sample.per_second / alone)


@contextmanager
def bench_lab(
    directory: Path, *options: str, pinned: bool = True, receipts: str = "delivered"
) -> Iterator[tuple[Lab, float]]:
    """A lab whose gateway is on one core and whose carrier is on the other; and how long the gateway took to start."""
    places = {GATEWAY: cores()[SERVER], CARRIER: cores()[CLIENT]} if pinned else {}
    with running_lab(
        directory,
        rate=RATE,
        environ=UNLIMITED,
        gateway_options=options,
        cores=places,
        carrier_options=("--receipt-profile", receipts),
    ) as lab:
        lab.end(GATEWAY)
        start = time.monotonic()
        lab.start(GATEWAY, *options)
        yield lab, time.monotonic() - start


@contextmanager
def hello(directory: Path) -> Iterator[Side]:
    """A bare Flask hello, served by the gateway's own server with the gateway's settings."""
    port = free_port()
    command = [*SMSLAB, "gateway", "serve", "--hello", "--port", str(port)]
    with (directory / "hello.log").open("ab") as log, on_core(cores()[SERVER]):
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        until_up(f"http://127.0.0.1:{port}/healthz")
        yield Side(f"http://127.0.0.1:{port}/", "", process.pid)
    finally:
        process.terminate()
        process.wait()


def until_up(url: str) -> None:
    """Wait until it answers, at most 20 s."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            httpx.get(url, trust_env=False)
        except httpx.HTTPError:
            time.sleep(0.02)
        else:
            return


def backlog_of(lab: Lab) -> int:
    """Orders that still wait, by the gateway's own table."""
    with sqlite3.connect(lab.directory / "gateway.sqlite") as connection:
        (waiting,) = connection.execute("SELECT count(*) FROM orders WHERE state = 'queued'").fetchone()
    connection.close()
    return int(waiting)


def median(samples: list[tuple[Sample, float]], of: Callable[[Sample], float]) -> float:
    """The median of one number over the rounds."""
    return statistics.median(of(sample) for sample, _ in samples)


def family(pid: int) -> list[psutil.Process]:
    """A process and everything below it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def cpu(pid: int) -> float:
    """Seconds of CPU spent so far by a process and everything below it."""
    return float(sum(sum(part.cpu_times()[:2]) for part in family(pid)))


def cores() -> list[int]:
    """The cores this process may use."""
    return sorted(os.sched_getaffinity(0))
