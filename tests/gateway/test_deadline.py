"""Wall-clock deadlines: what is not done in time is cut once, at its own time, and nothing else is."""

import subprocess
import sys
from contextlib import suppress
from threading import Event, active_count
from time import monotonic, sleep

import pytest

from gateway.deadline import Deadlines

SOON, LATE = 0.1, 30.0  # seconds


@pytest.fixture
def deadlines():
    """With a thread of its own, which is a daemon and stays."""
    return Deadlines()


@pytest.mark.parametrize("before", [[], [LATE], [SOON / 10]], ids=["alone", "behind a longer one", "behind a past one"])
def test_what_is_not_done_in_time_is_cut(deadlines, before):
    """At its own time, whatever the thread waited for until then."""
    for seconds in before:
        with deadlines.within(seconds, lambda: None):
            sleep(SOON / 5)
    is_cut, began = Event(), monotonic()
    with deadlines.within(SOON, is_cut.set):
        assert is_cut.wait(LATE / 3)
    assert monotonic() - began >= SOON


def test_two_at_once_are_cut_each_at_its_time(deadlines):
    """The one that began later and ends sooner does not wait for the other."""
    first, second = Event(), Event()
    with deadlines.within(LATE, first.set), deadlines.within(SOON, second.set):
        assert second.wait(LATE / 3)
        assert not first.is_set()


def test_what_is_done_is_never_cut(deadlines):
    """Not even when its time has come: by then the connection may be another call's."""
    cut = []
    with deadlines.within(SOON, lambda: cut.append("done")):
        pass
    with suppress(ValueError), deadlines.within(SOON, lambda: cut.append("failed")):
        raise ValueError
    sleep(3 * SOON)
    assert cut == []


def test_any_number_of_calls_has_one_thread(deadlines):
    """That was the point."""
    with deadlines.within(LATE, lambda: None):
        threads = active_count()
        for _ in range(100):
            with deadlines.within(LATE, lambda: None):
                assert active_count() <= threads


def test_no_time_left_is_cut_at_once(deadlines):
    """An attempt that begins when its time is over does not begin in earnest."""
    is_cut = Event()
    with deadlines.within(-1.0, is_cut.set):
        assert is_cut.wait(LATE / 3)


def test_a_cut_that_fails_costs_no_other(deadlines):
    """Whatever goes wrong in one, the next is cut in time."""
    is_cut = Event()
    with deadlines.within(SOON / 10, lambda: 1 / 0), deadlines.within(SOON, is_cut.set):
        assert is_cut.wait(LATE / 3)


FORKED = f"""
import os
from threading import Event
from gateway.deadline import DEADLINES

with DEADLINES.within({LATE}, lambda: os.write(1, b"the parent's")):
    if os.fork():
        _, status = os.wait()
        os._exit(os.waitstatus_to_exitcode(status))
    is_cut = Event()
    with DEADLINES.within({SOON}, is_cut.set):
        os._exit(0 if is_cut.wait({LATE / 3}) else 1)
"""


def test_a_forked_worker_keeps_its_own():
    """The parent's thread is not in the child, and the parent's calls are none of the child's business."""
    done = subprocess.run([sys.executable, "-c", FORKED], check=False, capture_output=True, timeout=LATE)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
