"""Looking a key up again while it is in use: one request does it, the others do not wait, and nobody does for long."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest

from gateway.administration import revoke_key
from gateway.contract import Refusal
from gateway.keys import FRESH, TRUSTED, Keys
from gateway.limiter import Limiter, OwnWindow


class Slow:
    """A database whose reads wait for `gate`, and which says when one has begun."""

    def __init__(self, database):
        self.database, self.begun, self.gate = database, Event(), Event()
        self.reads = 0

    @contextmanager
    def read(self):
        """One read."""
        self.reads += 1
        self.begun.set()
        assert self.gate.wait(20)
        with self.database.read() as connection:
            yield connection


@pytest.fixture
def slow(desk):
    """The desk's database, slowed down."""
    return Slow(desk.gateway.database)


@pytest.fixture
def renewing(desk, slow):
    """Keys of which one request knows the desk's key, a clock that says it is stale, and a second request looking."""
    clock = desk.clock
    keys, environ = Keys(slow, Limiter(OwnWindow(), 50), clock), {"HTTP_AUTHORIZATION": f"Bearer {desk.key}"}
    slow.gate.set()
    keys.authenticate(environ)
    slow.gate.clear()
    slow.begun.clear()
    clock.now += FRESH
    with ThreadPoolExecutor(1) as threads:
        second = threads.submit(keys.authenticate, environ)
        assert slow.begun.wait(20)
        yield keys, environ, clock, second
        slow.gate.set()


def test_the_others_go_on_with_what_is_known(renewing, slow):
    """A hundred requests in progress are one look into the database, not a hundred at once."""
    keys, environ, _, second = renewing
    names = {keys.authenticate(environ).id for _ in range(100)}
    slow.gate.set()
    assert names == {second.result(20).id}
    assert slow.reads == 2


def test_a_revocation_holds_within_a_second_even_so(renewing, slow, desk):
    """Nobody trusts what is known for longer than that, however long the look takes."""
    keys, environ, clock, second = renewing
    revoke_key(desk.gateway.database, 1)
    clock.now += TRUSTED - FRESH
    assert TRUSTED < 1
    slow.gate.set()
    with pytest.raises(Refusal):
        keys.authenticate(environ)
    with pytest.raises(Refusal):
        second.result(20)
