"""A served gateway as a real process: what it answers while it starts, works and is told to stop."""

import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.gateway.delivery import FakeCarrier, listening
from tests.gateway.served import Served, until

LOCKER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN EXCLUSIVE');"
    "print('locked', flush=True); sys.stdin.read(); c.close()"
)
IN_FLIGHT = 64  # every thread of the gateway


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
    """With a commit under way in every thread SIGTERM loses none: each has its 200 and is on disk."""
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
