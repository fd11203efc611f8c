"""A failed fsync: the truth is forced by a void record before anybody is told 10007, and a crash brings nothing back.

strace makes the n-th fsync of a real process fail; the process is then killed, so that what its answers promised can
only come from the file.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import make_url

STRACE = shutil.which("strace")
SCRIPT = Path(__file__).with_name("send_then_die.py")
pytestmark = pytest.mark.skipif(STRACE is None, reason="strace is not installed")


def answers_with(desk, count, *injections):
    """What a process answered to `count` messages before it was killed, with these system calls made to fail."""
    options = [option for injection in injections for option in ("-e", f"inject={injection}")]
    log = Path(make_url(desk.gateway.settings.database_url).database).with_name("strace.log")
    command = [STRACE, "-o", str(log), "-e", "trace=fsync,fdatasync", *options, sys.executable, str(SCRIPT), str(count)]
    environ = {**os.environ, "SMSLAB_DATABASE_URL": desk.gateway.settings.database_url}
    done = subprocess.run(command, input=desk.key, env=environ, capture_output=True, text=True, timeout=60, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], log.read_text()


def texts(desk):
    """The texts of the orders that are in the file after recovery."""
    with desk.gateway.database.read() as connection:
        return set(connection.exec_driver_sql("SELECT text FROM orders").scalars())


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_one_failed_fsync_loses_and_invents_nothing(desk, nth):
    """Whichever fsync fails, after a crash the file holds exactly what was answered with 200."""
    answers, log = answers_with(desk, 4, f"fsync,fdatasync:error=EIO:when={nth}")
    assert "INJECTED" in log
    assert [answer["status"] for answer in answers].count(500) <= 1  # that of the directory is none of a commit's
    assert texts(desk) == {answer["text"] for answer in answers if answer["status"] == 200}


def test_a_void_record_stands_for_what_was_refused(desk):
    """The id that was answered with 10007 is written down, over what the failed commit may have left."""
    answers, _ = answers_with(desk, 3, "fsync,fdatasync:error=EIO:when=3")
    assert sorted(answer["status"] for answer in answers) == [200, 200, 500]
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM voids").scalar() == 1


def test_every_acceptance_was_synced(desk):
    """Four messages one after the other are four syncs of the log, at the least."""
    answers, log = answers_with(desk, 4)
    assert [answer["status"] for answer in answers] == [200] * 4
    assert log.count(" = 0") >= 4
