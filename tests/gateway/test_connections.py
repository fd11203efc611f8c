"""Ten thousand connections that nobody sends anything over: other clients are served, and nothing is left behind.

Half of them are idle, half have sent half a header. All real, over loopback, against `smslab gateway serve`.
"""

import json
import resource
import socket
from contextlib import contextmanager, suppress

import pytest

from tests.gateway.served import SEND, Served, until

MANY = 10_000
FEW = 400  # descriptors
HALF = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthor".encode()
DEADLINE = 5.0  # seconds in which a client is answered, and after which a header must have come
EACH = 16 * 1024  # bytes that a connection may cost; kept for the next wave, not returned to the system


@pytest.fixture
def descriptors():
    """Room for the clients' ends in this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < MANY + 1000:
        pytest.skip(f"this machine allows a process {hard} descriptors, the test needs {MANY + 1000}")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def connections(port, count):
    """So many at once, every second one with half a header."""
    lines = [socket.socket() for _ in range(count)]
    try:
        for line in lines:
            line.setblocking(False)
            line.connect_ex(("127.0.0.1", port))
        for line in lines[::2]:
            with suppress(OSError):  # those beyond the server's queues are not connected yet
                line.send(HALF)
        yield lines
    finally:
        for line in lines:
            line.close()


def closed(line):
    """Whether the server ended it."""
    try:
        return line.recv(4096) is not None
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.usefixtures("descriptors")
def test_ten_thousand_connections_hold_nobody_up(tmp_path):
    """Others are answered in time, the silent ones are closed, and a second wave costs no more than the first."""
    with Served(tmp_path, "--no-deliver") as served:
        files, memory = served.worker.num_fds(), served.worker.memory_info().rss
        for _ in range(2):
            with connections(served.port, MANY) as lines:
                until(lambda: served.worker.num_fds() > files + 0.9 * MANY)
                answers = [served.send(timeout=DEADLINE) for _ in range(20)]
                assert {status for status, _ in answers} == {200}
                until(lambda lines=lines: all(map(closed, lines)), seconds=4 * DEADLINE)
            until(lambda: served.worker.num_fds() <= files + 10)
        assert served.send(timeout=DEADLINE)[0] == 200
        assert served.worker.memory_info().rss < memory + MANY * EACH
    assert "Traceback" not in served.log.read_text()


def test_running_out_of_descriptors_is_survived(tmp_path):
    """With more clients than descriptors the process neither dies nor spins, and accepts again when they are gone."""
    with Served(tmp_path, "--no-deliver", descriptors=FEW) as served:
        with connections(served.port, 5 * FEW) as lines:
            spent = sum(served.worker.cpu_times()[:2])
            until(lambda: sum(map(closed, lines)) > FEW)
            assert served.worker.num_fds() <= FEW
            assert sum(served.worker.cpu_times()[:2]) - spent < DEADLINE / 5
        until(lambda: served.send(timeout=DEADLINE)[0] == 200)
    assert "Traceback" not in served.log.read_text()


def test_the_limit_on_descriptors_is_raised_and_logged(tmp_path):
    """What the kernel allows is used, less what the gateway needs itself, and an operator can read how much that is."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Served(tmp_path, "--no-deliver") as served:
        assert served.worker.rlimit(resource.RLIMIT_NOFILE) == (hard, hard)
        [line] = served.log.read_text().splitlines()
    event = json.loads(line)
    assert (event["event"], event["threads"]) == ("serving", 64)
    assert 0 < event["connections"] < hard
