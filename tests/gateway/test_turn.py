"""The turn of several processes on one SQLite file: one of them standing still must not hold up the others.

The other process is a real one, stopped by SIGSTOP: before its transaction, when only the turn is taken, and in the
middle of it, when SQLite's own lock is as well.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pytest

from gateway.gateway import start_delivery
from gateway.sqlite import Turn
from tests.gateway.test_sqlite import accepted, send_all, stored

SCRIPT = Path(__file__).with_name("stopped_writer.py")
STOPPED = "SDPS260101000000STOPPED"
PLACES = ["turn", "insert"]


def row(clock):
    """An order of the other process."""
    now = round(clock() * 1000)
    return [STOPPED, 1, 1, "FUTURESMS", "+630000000001", "+639171234567", "hi", "GSM-7", 1, now, now + 60_000, now]


def stands_still(pid):
    """Whether the kernel says that the process is stopped."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@contextmanager
def stopped(desk, place):
    """Another process that stands still in the middle of its write; `go_on()` lets it finish: its fate."""
    command = [sys.executable, str(SCRIPT), desk.gateway.settings.database_url, place]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def go_on():
            os.kill(process.pid, signal.SIGCONT)
            return process.communicate(timeout=20)[0].strip()

        process.stdin.write(json.dumps(row(desk.clock)))
        process.stdin.close()
        process.stdin = None
        try:
            assert process.stdout.readline() == "stopping\n"
            end = monotonic() + 10
            while not stands_still(process.pid):
                assert monotonic() < end, "it was never stopped"
            yield go_on
        finally:
            process.kill()


@pytest.mark.parametrize("place", PLACES)
def test_a_stopped_process_holds_up_nobody_beyond_the_deadline(desk, refused, place):
    """Every caller has a definite 10007 within five seconds, and afterwards all is as if it had only been slow."""
    delivery = start_delivery(desk.gateway)
    with stopped(desk, place) as go_on:
        answers, slowest = send_all(desk, 24)
        for answer in answers:
            refused(answer, 500, "10007")
        assert slowest < 5
        fate = go_on()
    again, _ = send_all(desk, 8)
    delivery.stop()
    assert fate == "COMMITTED"
    assert stored(desk) == {STOPPED} | accepted(again)
    assert len(accepted(again)) == 8
    assert "indeterminate" not in desk.log.getvalue()


@pytest.mark.parametrize("place", PLACES)
def test_a_stopped_process_that_is_killed_leaves_nothing(desk, place):
    """The kernel gives its locks back: the next order is stored, and of the dead one's nothing is."""
    with stopped(desk, place):
        pass
    answer = desk.send()
    assert stored(desk) == accepted([answer]) != set()


def test_the_turn_is_waited_for_as_long_as_was_said(tmp_path):
    """Whoever has it, another thread or another process: a wait ends when it should, and not before."""
    mine, foreign = (Turn(tmp_path / "turn", patience=60) for _ in range(2))
    for other in (mine, foreign):
        assert other.take(0)
        started = monotonic()
        assert not mine.take(0.3)
        assert 0.3 <= monotonic() - started < 3
        other.give()
        assert mine.take(0)
        mine.give()


def test_a_shorter_deadline_is_kept_as_well(desks, refused):
    """Who sets `SMSLAB_REQUEST_DEADLINE` to one second has 10007 within it, whoever stands still."""
    desk = desks(request_deadline=1.0)
    with stopped(desk, "insert"):
        answers, slowest = send_all(desk, 8)
    for answer in answers:
        refused(answer, 500, "10007")
    assert slowest < 1.5
