"""Group commit: whoever waits shares one write, nobody is left behind, and a refusal is definite.

The store here is a recording function whose writes wait for the test; the real one is in `test_sqlite.py`.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from time import monotonic

import pytest

from gateway.baton import Baton, Fate

DEADLINE = 10


def until(holds):
    """Poll until it holds; a test that waits in vain fails."""
    end = monotonic() + DEADLINE
    while not holds():
        assert monotonic() < end, "it never came to that"


class Store:
    """Remembers its batches; each write waits until the test lets it go. `fates` says what becomes of a row."""

    def __init__(self, fates=None):
        self.batches, self.go, self.fates = [], Event(), fates or {}

    def __call__(self, rows):
        """Write a batch."""
        self.batches.append(list(rows))
        assert self.go.wait(DEADLINE)
        return [self.fates.get(row, Fate.COMMITTED) for row in rows]


@pytest.fixture
def store():
    """A slow store."""
    return Store()


@pytest.fixture
def pool():
    """Callers."""
    with ThreadPoolExecutor(64) as threads:
        yield threads


def queued(baton, pool, rows):
    """Have a leader stuck in its write and the other rows waiting in their order: their futures."""
    futures = [pool.submit(baton.submit, rows[0])]
    until(lambda: baton._write.batches)
    for count, row in enumerate(rows[1:], 1):
        futures.append(pool.submit(baton.submit, row))
        until(lambda count=count: len(baton._waiting) == count)
    return futures


def test_a_lone_caller_writes_at_once(store):
    """Without company there is nothing to wait for: one write, one row."""
    store.go.set()
    assert Baton(store).submit("a") is Fate.COMMITTED
    assert store.batches == [["a"]]


def test_those_who_come_during_a_write_share_the_next(store, pool):
    """Forty rows that wait while one is written are one write, in the order they came."""
    rows = list(range(41))
    futures = queued(Baton(store), pool, rows)
    store.go.set()
    assert {future.result(DEADLINE) for future in futures} == {Fate.COMMITTED}
    assert store.batches == [[0], rows[1:]]


def test_a_batch_is_bounded(store, pool):
    """No more than `most` rows go into one transaction; the rest are led on by one of their own."""
    futures = queued(Baton(store, most=4), pool, list(range(12)))
    store.go.set()
    assert {future.result(DEADLINE) for future in futures} == {Fate.COMMITTED}
    assert [len(batch) for batch in store.batches] == [1, 4, 4, 3]


def test_a_row_that_fails_fails_alone(pool):
    """Each caller learns the fate of its own row."""
    store = Store({2: Fate.DUPLICATE, 3: Fate.UNKNOWN})
    futures = queued(Baton(store), pool, [1, 2, 3, 4])
    store.go.set()
    fates = [future.result(DEADLINE) for future in futures]
    assert fates == [Fate.COMMITTED, Fate.DUPLICATE, Fate.UNKNOWN, Fate.COMMITTED]


def test_nobody_is_left_behind(store):
    """32 threads submitting 100 rows each: all are answered, and each row is written once."""
    store.go.set()
    baton, rows = Baton(store, most=8), range(3200)
    with ThreadPoolExecutor(32) as threads:
        assert set(threads.map(baton.submit, rows)) == {Fate.COMMITTED}
    assert sorted(row for batch in store.batches for row in batch) == list(rows)
    assert (baton._waiting, baton._led) == ([], False)


def test_who_waits_too_long_is_refused_for_certain(store, pool):
    """A row that nobody has taken up when patience ends is withdrawn: it is never written afterwards."""
    baton = Baton(store, patience=0.05)
    leader = pool.submit(baton.submit, "slow")
    until(lambda: store.batches)
    assert pool.submit(baton.submit, "late").result(DEADLINE) is Fate.REFUSED
    store.go.set()
    assert leader.result(DEADLINE) is Fate.COMMITTED
    assert baton.submit("next") is Fate.COMMITTED
    assert store.batches == [["slow"], ["next"]]


def test_a_row_that_is_being_written_when_patience_ends_is_unknown(store, pool):
    """It may yet be committed, so nobody calls it refused."""

    class Slow(Store):
        def __call__(self, rows):
            fates = super().__call__(rows)
            self.go.clear()
            return fates

    store = Slow()
    baton = Baton(store, patience=0.3)
    futures = queued(baton, pool, [1, 2, 3])
    store.go.set()
    assert futures[2].result(DEADLINE) is Fate.UNKNOWN
    store.go.set()
    assert [future.result(DEADLINE) for future in futures[:2]] == [Fate.COMMITTED] * 2
    assert store.batches == [[1], [2, 3]]
