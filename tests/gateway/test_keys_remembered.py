"""What the gateway remembers of keys: a good one for half a second, a wrong one never, and no more than so many."""

import pytest

from gateway.contract import Refusal
from gateway.keys import FRESH, REMEMBERED, Keys, digest
from tests.conftest import Clock

WRONG = "ysk_" + "0" * 43


class Counted(Keys):
    """Counts its looks into the database; what happens `meanwhile` can be said."""

    looks, meanwhile = 0, None

    def _read(self, key_digest):
        self.looks += 1
        if self.meanwhile:
            self.meanwhile()
        return super()._read(key_digest)


class Door:
    """Takes down which addresses tried wrong keys."""

    def __init__(self):
        self.strangers = []

    def admit_stranger(self, address):
        """Let it try again."""
        self.strangers.append(address)


@pytest.fixture
def known(desk):
    """Keys on the desk's database with a clock of their own, and a request by a key."""
    door, clock = Door(), Clock()
    keys = Counted(desk.gateway.database, door, clock)

    def ask(key=desk.key, **more):
        return keys.authenticate({"HTTP_AUTHORIZATION": f"Bearer {key}"} | more)

    return keys, clock, door, ask


@pytest.mark.parametrize(
    ("later", "looks"), [(0.0, 1), (FRESH - 0.001, 1), (FRESH, 2), (-0.001, 2), (3600.0, 2), (-3600.0, 2)]
)
def test_a_good_key_is_looked_up_once_in_half_a_second(known, later, looks):
    """And not trusted for a moment longer, nor when the clock jumps back."""
    keys, clock, _, ask = known
    first = ask()
    clock.now += later
    assert ask() == first
    assert (keys.looks, first.allowed_from) == (looks, frozenset())


def test_one_request_looks_again_while_the_others_go_on(known):
    """A slow look into the database holds up the request that makes it, and no other."""
    keys, clock, _, ask = known
    first, others = ask(), []
    clock.now += FRESH
    keys.meanwhile = lambda: others.append(ask())
    assert ask() == first
    assert (keys.looks, others) == (2, [first])


def test_a_wrong_key_is_not_remembered(known):
    """Each try is looked up, is counted against the address it came from, and leaves nothing behind."""
    keys, _, door, ask = known
    for more in ({"REMOTE_ADDR": "192.0.2.7"}, {}):
        with pytest.raises(Refusal, match=r"^10004 The Yeastar API key is missing or invalid$"):
            ask(WRONG, **more)
    assert (keys.looks, door.strangers, keys._known) == (2, ["192.0.2.7", ""], {})


def test_a_key_that_is_good_no_longer_is_forgotten(known, desk):
    """What is revoked does not stay in memory."""
    keys, clock, _, ask = known
    ask()
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("UPDATE keys SET revoked_at = 1")
    clock.now += FRESH
    with pytest.raises(Refusal):
        ask()
    assert keys._known == {}


@pytest.mark.parametrize(("before", "after"), [(REMEMBERED - 1, REMEMBERED), (REMEMBERED, 1)])
def test_memory_is_bounded(known, desk, before, after):
    """When as many keys are remembered as may be, all are forgotten before one more."""
    keys, _, _, ask = known
    keys._known = {str(number): (0.0, None) for number in range(before)}
    ask()
    assert (len(keys._known), digest(desk.key) in keys._known) == (after, True)
