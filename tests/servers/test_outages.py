"""The servers behind the gateway die under load and come back: what was answered is true, and nobody has to help.

Each test has a PostgreSQL or a Redis of its own, a served gateway in front of it, and eight clients that send as fast
as they are answered.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from signal import SIGKILL, SIGQUIT
from threading import Event, Thread
from time import monotonic

import httpx
import pytest

from contracts import spec
from contracts.judge import Answer, judge_answer
from simulator.chaos.deeds import stopped
from simulator.chaos.servers import ServerMissing, postgresql, redis
from tests.gateway.served import SEND, Served
from tests.servers.conftest import Postgres, until

CLIENTS = 8
DEADLINE = 5.0  # seconds in which a request is answered, and in which a server that is back is used again
SLOW_MACHINE = 1.0  # seconds that this machine may take on top


class Load:
    """What the clients sent and were answered: text, status, seconds, body and when."""

    def __init__(self, served):
        self.answers, self._served = [], served
        self._stop, self._texts = Event(), count()
        self._threads = [Thread(target=self._send) for _ in range(CLIENTS)]

    def _send(self):
        headers = {"Authorization": f"Bearer {self._served.key}"}
        with httpx.Client(headers=headers, timeout=20, trust_env=False) as client:
            while not self._stop.is_set():
                text, started = f"message {next(self._texts)}", monotonic()
                answer = client.post(self._served.url + SEND, json=spec.page_example() | {"text": text})
                self.answers.append((text, answer, monotonic() - started, monotonic()))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def texts(self, status):
        """The texts that were answered so."""
        return {text for text, answer, *_ in self.answers if answer.status_code == status}

    def more(self, status, number=50):
        """Wait for so many more answers of this kind: when the first of them came."""
        before = len(self.texts(status))
        until(lambda: len(self.texts(status)) >= before + number)
        return sorted(at for _, answer, _, at in self.answers if answer.status_code == status)[before]

    def slowest(self):
        """Seconds that the slowest answer took."""
        return max(took for _, _, took, _ in self.answers)

    def wrong(self):
        """What the contract's judge finds in the answers."""
        for _, one, *_ in self.answers:
            headers = {name.lower(): value for name, value in one.headers.items()}
            yield from judge_answer("sendmessage", "POST", Answer(one.status_code, headers, one.content))


@contextmanager
def or_skip(server):
    """The server, unless it is not installed."""
    try:
        with server() as running:
            yield running
    except ServerMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture
def store() -> Iterator:
    """A PostgreSQL that a test may kill."""
    with or_skip(postgresql) as running:
        yield running


@pytest.fixture
def counters() -> Iterator:
    """A Redis that a test may kill."""
    with or_skip(redis) as running:
        yield running


@pytest.mark.parametrize("goodbye", [SIGKILL, SIGQUIT], ids=["kill -9", "immediate shutdown"])
def test_a_database_that_dies_under_load_costs_no_order(store, tmp_path, goodbye):
    """All that was answered 200 is there when it is back, nothing that was answered 500 is, and sending goes on."""
    database = Postgres(store.port, "postgres")
    with Served(tmp_path, "--no-deliver", SMSLAB_DATABASE_URL=database.url) as served:
        with Load(served) as load:
            load.more(200)
            store.end(goodbye)
            load.more(500)
            store.start()
            back = monotonic()
            assert load.more(200) - back < DEADLINE
        events = [json.loads(line) for line in served.log.read_text().splitlines()]
    orders = dict(database.ask("SELECT text, id FROM orders"))
    open_questions = {event["order"] for event in events if event["event"] == "indeterminate"}
    assert load.texts(200) <= orders.keys()
    assert {orders[text] for text in orders.keys() & load.texts(500)} <= open_questions
    assert load.texts(200) | load.texts(500) == {text for text, *_ in load.answers}
    assert list(load.wrong()) == []
    assert load.slowest() < DEADLINE


@pytest.mark.parametrize("which", ["the backends", "the whole server"])
def test_a_database_that_stands_still_holds_no_request(store, tmp_path, which):
    """Stopped by SIGSTOP under load, for longer than a request may take: each has its 10007 in time."""
    database = Postgres(store.port, "postgres")
    with Served(tmp_path, "--no-deliver", SMSLAB_DATABASE_URL=database.url) as served, Load(served) as load:
        load.more(200)
        family = [] if which == "the backends" else [store.process.pid]
        with stopped(*family, *store.children("127.0.0.1")):
            end = monotonic() + DEADLINE + 2 * SLOW_MACHINE
            until(lambda: monotonic() > end)
        back = monotonic()
        assert load.more(200) - back < DEADLINE
    assert load.texts(200) <= {text for (text,) in database.ask("SELECT text FROM orders")}
    assert list(load.wrong()) == []
    assert load.slowest() < DEADLINE


def test_without_redis_each_process_counts_for_itself(counters, tmp_path):
    """Killed under load it costs nobody an answer; when it is back the limit is shared again, and the log says both."""
    url = f"redis://127.0.0.1:{counters.port}/0"
    with Served(tmp_path, "--no-deliver", SMSLAB_REDIS_URL=url) as served:
        with Load(served) as load:
            load.more(200)
            counters.end(SIGKILL)
            load.more(200, 200)
            counters.start()
            until(lambda: "redis is back" in served.log.read_text())
            load.more(200)
        log = served.log.read_text()
    assert load.texts(200) == {text for text, *_ in load.answers}
    assert "redis is down" in log
    assert "Traceback" not in log


def test_a_redis_that_hangs_holds_nobody(counters, tmp_path):
    """Stopped by SIGSTOP it is waited for half a second once, not by every request."""
    url = f"redis://127.0.0.1:{counters.port}/0"
    with Served(tmp_path, "--no-deliver", SMSLAB_REDIS_URL=url) as served, Load(served) as load:
        load.more(200)
        with stopped(counters.process.pid):
            load.more(200, 200)
        until(lambda: "redis is back" in served.log.read_text())
    assert load.texts(200) == {text for text, *_ in load.answers}
    assert load.slowest() < DEADLINE / 2


def test_a_gateway_starts_without_redis(tmp_path):
    """Nothing listens at its address: messages are accepted, and limits are kept by the process itself."""
    with Served(tmp_path, "--no-deliver", SMSLAB_REDIS_URL="redis://127.0.0.1:1/0") as served:
        assert served.send()[0] == 200
