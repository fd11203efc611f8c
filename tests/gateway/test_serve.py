"""A served gateway as a real process: what it answers while it starts, works and is told to stop."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic

import httpx
import pytest

from contracts import spec
from gateway.administration import add_integration
from gateway.database import initialise, open_database
from simulator.lab import free_port
from tests.gateway.delivery import FakeCarrier, listening

SEND = spec.route("sendmessage").path
LOCKER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN EXCLUSIVE');"
    "print('locked', flush=True); sys.stdin.read(); c.close()"
)
IN_FLIGHT = 40


def until(holds, seconds=20):
    """Poll until it holds."""
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it never came to that"


class Served:
    """A gateway process on a database of its own."""

    def __init__(self, directory, *options, **variables):
        self.path, self.port = directory / "gateway.sqlite", free_port()
        self.url, self.log = f"http://127.0.0.1:{self.port}", directory / "log"
        database_url = f"sqlite:///{self.path}"
        initialise(database_url)
        self.database = open_database(database_url)
        self.key = add_integration(self.database, "Lab", "FUTURESMS", rate=10_000)
        command = [sys.executable, "-m", "simulator", "gateway", "serve", "--port", str(self.port), *options]
        environ = {**os.environ, "SMSLAB_DATABASE_URL": database_url, "SMSLAB_CARRIER_URL": "http://127.0.0.1:1"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environ | variables, stdout=log, stderr=log)
        until(self.answers)

    def answers(self):
        """Whether it is up; a process that has ended will never be."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(self.url + "/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def send(self, _=None):
        """The status and the id of one message, or no status if the line was cut."""
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            answer = httpx.post(self.url + SEND, json=spec.page_example(), headers=headers, timeout=20, trust_env=False)
        except httpx.HTTPError:
            return None, None
        return answer.status_code, answer.json().get("data", {}).get("id")

    def stored(self, columns="id"):
        """What is in the database."""
        with self.database.read() as connection:
            return connection.exec_driver_sql(f"SELECT {columns} FROM orders").scalars().all()  # noqa: S608  test data

    def sockets(self, state):
        """Local address and unread bytes of this port's connections in a state of the kernel's table."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = [row for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] == state]
        return [(row[1].split(":")[0], int(row[4].split(":")[1], 16)) for row in mine]

    def stop(self, number=signal.SIGTERM):
        """End it and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def close(self):
        """End it if it still runs; asked, because a killed server would leave its workers behind."""
        if self.process.poll() is None:
            self.stop()
        self.database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One gateway for all tests that leave it as it was."""
    variables = {"SMSLAB_METRICS_TOKEN": "t", "SMSLAB_UNSAFE_DURABILITY": "1"}
    served = Served(tmp_path_factory.mktemp("shared"), "--no-deliver", **variables)
    yield served
    served.close()


@pytest.fixture
def serve(tmp_path):
    """Start a gateway: `serve("--workers", "2", SMSLAB_THREADS="4")`."""
    started = []

    def start(*options, **variables):
        started.append(Served(tmp_path, *options, **variables))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_told_to_stop_it_answers_what_it_has_begun(serve):
    """With forty requests in the middle of their commit SIGTERM loses none: each has its 200 and is on disk."""
    served = serve("--no-deliver")
    locker = [sys.executable, "-c", LOCKER, str(served.path)]
    with (
        subprocess.Popen(locker, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as lock,
        ThreadPoolExecutor(IN_FLIGHT) as threads,
    ):
        assert lock.stdout.readline() == b"locked\n"
        answers = threads.map(served.send, range(IN_FLIGHT))
        until(lambda: sum(unread == 0 for _, unread in served.sockets("01")) >= IN_FLIGHT)
        served.process.terminate()
        lock.stdin.close()
        answers = list(answers)
    assert served.process.wait(20) == 0
    assert [status for status, _ in answers] == [200] * IN_FLIGHT
    assert sorted(served.stored()) == sorted(order for _, order in answers)


def test_told_to_stop_it_finishes_its_attempt_at_the_carrier(serve, tmp_path):
    """What a dispatcher has in hand is written down before the process ends."""
    slow = FakeCarrier(tmp_path)
    slow.break_it("latency", seconds=0.5)
    with slow.ledger, listening(slow.app) as url:
        served = serve(SMSLAB_CARRIER_URL=url)
        [order] = [served.send()[1]]
        until(lambda: served.stored("attempts") == [1])
        assert served.stop() == 0
        assert slow.taken() == [order]
    assert served.stored("state") == ["submitted"]


def test_two_workers_share_one_file_and_ctrl_c_ends_both(serve):
    """Each accepts, none refuses, every id is in the file once; what a person at a terminal sees is no traceback."""
    served = serve("--workers", "2", "--no-deliver")
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(served.send, range(80)))
    assert {status for status, _ in answers} == {200}
    assert sorted(served.stored()) == sorted({order for _, order in answers})
    assert served.stop(signal.SIGINT) == 0
    assert "Traceback" not in served.log.read_text()


def test_it_listens_on_loopback_only(shared):
    """Unless told otherwise nobody outside this machine can reach it."""
    assert {address for address, _ in shared.sockets("0A")} == {"0100007F"}


def test_operations_see_it(shared):
    """The paths readyz and metrics answer beside the two of the contract; nothing else does."""
    assert shared.send()[0] == 200
    token = {"Authorization": "Bearer t"}
    seen = {path: httpx.get(shared.url + path, headers=token, trust_env=False) for path in ("/readyz", "/metrics", "/")}
    assert [answer.status_code for answer in seen.values()] == [200, 200, 404]
    assert re.search(r"^smslab_accepted_total [1-9]", seen["/metrics"].text, re.MULTILINE)


def test_unsafe_durability_is_in_every_line(shared):
    """Who gave up the fsync is reminded of it with each event."""
    assert shared.send()[0] == 200
    until(lambda: shared.log.read_text().count("\n") > 0)
    assert all('"durability": "UNSAFE"' in line for line in shared.log.read_text().splitlines())


def test_a_worker_that_dies_is_replaced(shared):
    """A kill -9 on the worker costs the requests it had, not the service."""
    before = shared.send()[1]
    children = Path(f"/proc/{shared.process.pid}/task/{shared.process.pid}/children")
    old = set(children.read_text().split())
    os.kill(max(map(int, old)), signal.SIGKILL)
    until(lambda: set(children.read_text().split()) - old)
    until(lambda: shared.send()[0] == 200)
    assert before in shared.stored()
