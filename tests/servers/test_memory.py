"""What orders leave behind in the gateway's memory: nothing that adds up.

`SMSLAB_ORDERS=140000` makes the run as long as the one whose figures are in `gateway/docs/operations.md`.
"""

import os
import sqlite3

import psutil
import pytest

from load.closed_loop import loop
from simulator.lab import GATEWAY, running_lab
from tests.servers.conftest import until

ORDERS = int(os.environ.get("SMSLAB_ORDERS", "15000"))
WARM = 5000  # orders after which everything that is kept for good is there
ROUND = 1  # seconds of load between two looks
CORE = -1
MEGABYTES, GROWTH = 150, 12


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Gateway and carrier that take whatever comes."""
    environ = {"SMSLAB_BACKLOG_CAP": "100000000"}
    with running_lab(tmp_path_factory.mktemp("memory"), rate=10**6, environ=environ) as running:
        yield running


def count(lab, state="%"):
    """How many orders there are in this state."""
    with sqlite3.connect(lab.directory / "gateway.sqlite") as connection:
        [(number,)] = connection.execute("SELECT count(*) FROM orders WHERE state LIKE ?", [state])
    connection.close()
    return number


def test_orders_leave_nothing_in_memory(lab):
    """However many were accepted and delivered, the worker is as large as after the first few thousand."""
    [worker] = psutil.Process(lab.pid(GATEWAY)).children()
    core = sorted(os.sched_getaffinity(0))[CORE]
    sizes = []
    for goal in (WARM, ORDERS):
        while count(lab) < goal:
            assert loop(lab.send_url, 64, ROUND, core, lab.key).refused == 0
        until(lambda: count(lab, "queued") == 0)
        sizes.append(worker.memory_info().rss / 1e6)
    assert sizes[-1] < MEGABYTES
    assert sizes[-1] - sizes[0] < GROWTH
