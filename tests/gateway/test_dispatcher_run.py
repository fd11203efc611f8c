"""The dispatcher's pace: at once while batches are full, a moment for more when they are not, asleep without work."""

from collections import deque

import pytest

from gateway.dispatcher import GATHER, POLL
from tests.gateway.delivery import World


class Heard:
    """An event that notes how long it is waited for, and is set when it has been asked often enough."""

    def __init__(self, asked=100):
        self.waits, self.left = [], deque(range(asked))

    def is_set(self):
        """Whether it is over."""
        return not self.left or self.left.pop() is None

    def wait(self, seconds):
        """Note it."""
        self.waits.append(seconds)

    def clear(self):
        """Nothing to clear."""


@pytest.fixture
def paced(desks, tmp_path):
    """Send so many messages and let a dispatcher with batches of three run: its pauses, and how long it slept."""
    worlds = []

    def run(messages):
        worlds.append(World(desks(carrier_batch=3), tmp_path))
        worlds[-1].send(messages)
        stop, wake = Heard(asked=messages // 3 + 2), Heard()
        worlds[-1].dispatcher.run(stop, wake)
        assert set(worlds[-1].orders("state")) <= {"submitted"}
        return stop.waits, wake.waits

    yield run
    for world in worlds:
        world.close()


def test_full_batches_follow_each_other_at_once(paced):
    """A backlog is worked off without a pause."""
    pauses, _ = paced(9)
    assert pauses == []


def test_after_a_batch_that_was_not_full_it_waits_for_more(paced):
    """A step costs the same for one message as for a hundred, so it gathers."""
    pauses, _ = paced(4)
    assert pauses == [GATHER]


def test_without_work_it_sleeps_until_it_is_woken(paced):
    """At most as long as another process may take to bring work it does not tell of."""
    pauses, sleeps = paced(0)
    assert (pauses, set(sleeps)) == ([], {POLL})
