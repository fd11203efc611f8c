"""What another process does beside a served gateway: keys revoked under load, orders followed, delivery ended."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

import pytest

from gateway.administration import issue_key, revoke_key
from tests.gateway.delivery import FakeCarrier, listening
from tests.gateway.served import Served, until

IN_FORCE = 1.0  # seconds after a revocation from which on the key is refused
CLIENTS = 4


@pytest.fixture
def served(tmp_path):
    """A gateway that accepts and leaves delivery to others."""
    with Served(tmp_path, "--no-deliver") as running:
        yield running


@contextmanager
def smslab(served, *arguments, **variables):
    """A command on the gateway's database; told to stop at the end."""
    command = [sys.executable, "-m", "simulator", "gateway", *arguments]
    environ = {**os.environ, "SMSLAB_DATABASE_URL": f"sqlite:///{served.path}", **variables}
    with subprocess.Popen(command, env=environ, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_a_revoked_key_is_refused_within_a_second_under_load(served):
    """Requests that begin a second after the revocation, made by another process, are all 401."""
    second, seen, revoked = issue_key(served.database, "Lab"), [], []

    def send(_):
        while not revoked or monotonic() < revoked[0] + 2 * IN_FORCE:
            began = monotonic()
            seen.append((began, served.send()[0]))

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = pool.map(send, range(CLIENTS))
        until(lambda: len(seen) > 10 * CLIENTS)
        revoke_key(served.database, 1)
        revoked.append(monotonic())
        list(clients)
    assert {status for began, status in seen if began < revoked[0] - IN_FORCE / 2} <= {200}
    assert {status for began, status in seen if began > revoked[0] + IN_FORCE} == {401}
    served.key = second
    assert served.send()[0] == 200


def test_orders_can_be_followed_until_ctrl_c(served):
    """Those that are there and those that come, each on a line as soon as it is accepted; the end is no traceback."""
    before = served.send()[1]
    with smslab(served, "orders", "list", "--follow", "--json") as process:
        assert json.loads(process.stdout.readline())["id"] == before
        for _ in range(3):
            order = served.send()[1]
            assert json.loads(process.stdout.readline())["id"] == order
        process.send_signal(signal.SIGINT)
        assert "Traceback" not in process.communicate(timeout=20)[0]


def test_delivery_told_to_stop_finishes_its_attempt(served, tmp_path):
    """`gateway deliver` writes down what it has in hand, claims nothing more, and ends with exit code 0."""
    slow = FakeCarrier(tmp_path)
    slow.break_it("latency", seconds=1)
    with slow.ledger, listening(slow.app) as url:
        first = served.send()[1]
        with smslab(served, "deliver", SMSLAB_CARRIER_URL=url, SMSLAB_CARRIER_WORKERS="1") as process:
            until(lambda: served.stored("attempts") == [1])
            process.terminate()
            second = served.send()[1]
            assert process.wait(20) == 0
        assert slow.taken() == [first]
    assert dict(zip(served.stored(), served.stored("state"), strict=True)) == {first: "submitted", second: "queued"}
