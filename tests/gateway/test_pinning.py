"""Each worker on a core of its own: the largest single win measured, lost when two of them draw the same core."""

import os
import signal

import psutil
import pytest

from tests.gateway.served import Served, until

CORES = sorted(os.sched_getaffinity(0))


@pytest.fixture
def pair(tmp_path):
    """A gateway of two workers."""
    served = Served(tmp_path, "--no-deliver", "--workers", "2")
    yield served
    served.close()


def places(served):
    """The cores of each worker."""
    return sorted(tuple(worker.cpu_affinity()) for worker in psutil.Process(served.process.pid).children())


@pytest.mark.skipif(len(CORES) < 2, reason="there is only one core")
def test_two_workers_are_on_two_cores_also_after_one_has_died(pair):
    """Whoever is started again takes the core that is free, not the one its process number would name."""
    two = [(core,) for core in CORES[:2]]
    until(lambda: places(pair) == two)
    for place in two:
        [victim] = [w for w in psutil.Process(pair.process.pid).children() if tuple(w.cpu_affinity()) == place]
        os.kill(victim.pid, signal.SIGKILL)
        until(lambda: not psutil.pid_exists(victim.pid))  # noqa: B023  called at once
        until(lambda: places(pair) == two)
