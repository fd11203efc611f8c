"""SQLite under faults: each one with the behaviour that is promised, on real files and real processes.

After every fault the same two things hold: what was answered with 200 is in the file, and nothing else is.
"""

import json
import resource
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from time import monotonic

import pytest
from sqlalchemy import make_url

from contracts import spec
from gateway.baton import Fate
from gateway.database import DatabaseFault, initialise, open_database
from gateway.gateway import start_delivery
from gateway.sqlite import NOTHING_WRITTEN
from tests.gateway.disk import filled

SEND = spec.route("sendmessage").path
LOCKER = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN EXCLUSIVE');"
    "print('locked', flush=True); sys.stdin.read(); c.close()"
)


def path_of(desk):
    """The database file."""
    return Path(make_url(desk.gateway.settings.database_url).database)


def stored(desk):
    """The ids of the orders in the file."""
    with desk.gateway.database.read() as connection:
        return set(connection.exec_driver_sql("SELECT id FROM orders").scalars())


def send_all(desk, count, threads=8):
    """Send at the same time from several threads: the answers, and how many seconds the slowest took."""
    headers, app = {"Authorization": f"Bearer {desk.key}"}, desk.client.application

    def one(_):
        started = monotonic()
        answer = app.test_client().post(SEND, json=spec.page_example(), headers=headers)
        return answer, monotonic() - started

    with ThreadPoolExecutor(threads) as pool:
        answers, times = zip(*pool.map(one, range(count)), strict=True)
    return answers, max(times)


def accepted(answers):
    """The ids that were promised."""
    return {answer.json["data"]["id"] for answer in answers if answer.status_code == 200}


@contextmanager
def locked(path):
    """Another process that holds the database until its input is closed."""
    command = [sys.executable, "-c", LOCKER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"locked\n"
        yield process.stdin
        process.stdin.close()


def test_a_lock_of_three_seconds_is_waited_out(desk):
    """A backup tool that holds the file for a while costs patience and nothing else."""
    with locked(path_of(desk)) as line:
        Timer(3, line.close).start()
        answers, _ = send_all(desk, 8)
    assert [answer.status_code for answer in answers] == [200] * 8
    assert stored(desk) == accepted(answers)


def test_a_longer_lock_is_refused_in_time_and_nothing_is_stored(desk, refused):
    """Every caller has its 10007 within five seconds, whoever waited before it, with dispatchers at work as well."""
    delivery = start_delivery(desk.gateway)
    with locked(path_of(desk)):
        answers, slowest = send_all(desk, 24)
        for answer in answers:
            refused(answer, 500, "10007")
        assert slowest < 5
    delivery.stop()
    assert stored(desk) == set()
    assert "indeterminate" not in desk.log.getvalue()
    assert desk.send().status_code == 200


def test_a_full_disk_refuses_and_recovers(desk):
    """When the file cannot grow orders are refused; when it can again they are accepted. Nothing is lost or made up."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    answers = list(send_all(desk, 20)[0])
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (path_of(desk).with_name("gateway.sqlite-wal").stat().st_size, hard))
        answers += [desk.send(text="x" * 2000) for _ in range(30)]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert {answer.status_code for answer in answers} == {200, 500}
    answers.append(desk.send())
    assert answers[-1].status_code == 200
    assert stored(desk) == accepted(answers)


def test_a_disk_without_room_refuses_and_recovers(desks, small_disk):
    """SQLITE_FULL on a real file system: orders are refused, reads go on, and room brings everything back."""
    desk = desks(database_url=f"sqlite:///{small_disk / 'gateway.sqlite'}", free_space_floor=0)
    answers = [desk.send()]
    ballast = filled(small_disk, but=4)
    answers += [desk.send(text="x" * 2000) for _ in range(20)]
    assert answers[-1].status_code == 500
    assert stored(desk) == accepted(answers)
    ballast.unlink()
    answers.append(desk.send())
    assert answers[-1].status_code == 200
    assert stored(desk) == accepted(answers)


def test_a_read_only_file_is_refused_at_start(small_disk):
    """A gateway that could accept nothing does not start, and says why."""
    url = f"sqlite:///{small_disk / 'gateway.sqlite'}"
    initialise(url)
    subprocess.run(["/usr/bin/mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(DatabaseFault, match="cannot be written"):
        initialise(url)


def damage(data):
    """The file in several states in which it must not be used."""
    middle = len(data) // 2
    return {
        "text": b"this was never a database\n" * 400,
        "cut": data[:middle],
        "overwritten": data[:4096] + b"\xff" * 4096 * 3 + data[4096 * 4 :],
        "header": b"SQLite format 3\0" + b"\xff" * 84 + data[100:],
    }


@pytest.mark.parametrize("kind", ["text", "cut", "overwritten", "header"])
def test_a_damaged_file_is_refused_and_left_byte_for_byte(tmp_path, kind):
    """Whoever has to rescue the data finds it as it was."""
    path = tmp_path / "gateway.sqlite"
    url = f"sqlite:///{path}"
    initialise(url)
    path.write_bytes(damage(path.read_bytes())[kind])
    before = path.read_bytes()
    with pytest.raises(DatabaseFault, match="left as it is"):
        initialise(url)
    assert path.read_bytes() == before


def test_a_directory_that_is_not_there_is_a_sentence(tmp_path):
    """No directories are made up."""
    with pytest.raises(DatabaseFault, match="Cannot open the database"):
        initialise(f"sqlite:///{tmp_path / 'nowhere' / 'gateway.sqlite'}")


@pytest.mark.parametrize(("unsafe", "level"), [(False, 2), (True, 1)])
def test_every_connection_syncs_unless_told_by_name(tmp_path, unsafe, level):
    """FULL on the hot path and on every other connection; NORMAL only with `unsafe_durability`."""
    url = f"sqlite:///{tmp_path / 'gateway.sqlite'}"
    initialise(url)
    database = open_database(url, unsafe=unsafe)
    hot = database.insert._open()
    with database.read() as connection:
        levels = {connection.exec_driver_sql("PRAGMA synchronous").scalar()}
    levels |= set(hot.execute("PRAGMA synchronous").fetchone())
    mode = hot.execute("PRAGMA journal_mode").fetchone()[0]
    database.insert.close()
    database.close()
    assert (levels, mode) == ({level}, "wal")


def test_only_errors_before_the_log_is_touched_count_as_proof():
    """An I/O error or a failed fsync is no proof: those go through the void record (`test_fsync.py`)."""
    names = {"SQLITE_IOERR", "SQLITE_CORRUPT", "SQLITE_INTERNAL", "SQLITE_NOMEM"}
    assert not NOTHING_WRITTEN & {getattr(sqlite3, name) for name in names}


def row(number):
    """A row of the hot insert."""
    return (f"SDPS{number:019}", 1, 1, "X", "+630000000001", "+639171234567", "text", "GSM-7", 1, 1, 2**40, 1)


def test_a_taken_id_fails_alone(desk):
    """One row whose id is taken does not take its batch with it."""
    insert = desk.gateway.database.insert
    insert([row(1)])
    assert insert([row(2), row(1), row(3)]) == [Fate.COMMITTED, Fate.DUPLICATE, Fate.COMMITTED]
    assert stored(desk) == {row(number)[0] for number in (1, 2, 3)}


def test_a_file_that_turns_read_only_refuses_and_recovers(desk, refused):
    """An administrator's slip costs the orders of that moment, each with a definite 10007."""
    desk.gateway.database.insert._open().execute("PRAGMA query_only=ON")
    refused(desk.send(), 500, "10007")
    assert stored(desk) == set()
    [event] = [json.loads(line) for line in desk.log.getvalue().splitlines()]
    assert (event["event"], event["orders"], event["reason"]) == (
        "not stored", 1, "attempt to write a readonly database"
    )  # fmt: skip
    assert desk.send().status_code == 200


def test_what_cannot_be_learned_is_marked_indeterminate(desk, refused):
    """When neither the commit nor the void record can be made, the client has 10007 and the log has the order's id."""
    desk.gateway.database.insert._open().create_function("broken", 0, lambda: 1 / 0)
    desk.gateway.database.insert._open().execute(
        "CREATE TEMP TRIGGER broken BEFORE INSERT ON orders BEGIN SELECT broken(); END"
    )
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE voids RENAME TO gone")
    refused(desk.send(), 500, "10007")
    batch, order = [json.loads(line) for line in desk.log.getvalue().splitlines()]
    assert (batch["event"], order["event"], order["order"][:4]) == ("not stored", "indeterminate", "SDPS")
    assert b"smslab_indeterminate_total 1.0" in desk.gateway.metrics.text()
