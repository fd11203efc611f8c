"""Delivery under load: while batches are full, one transaction writes a batch down and claims the next."""

from itertools import count

import pytest

from gateway.administration import add_integration
from gateway.breaker import THRESHOLD
from gateway.carrier import Call, Outcome

BATCH = 10


@pytest.fixture
def world(worlds):
    """With small batches."""
    return worlds(carrier_batch=BATCH)


class Watched:
    """A carrier that notes what is on disk when a batch is offered. After `good` batches it is down."""

    def __init__(self, world, good=1000, meanwhile=lambda: None):
        self.world, self.good, self.meanwhile, self.seen = world, good, meanwhile, []

    def submit(self, parcels):
        """Take them, or not."""
        self.seen.append((len(parcels), self.world.orders("state").count("submitted")))
        self.meanwhile()
        if len(self.seen) > self.good:
            return Call([Outcome("retry", reason="down")] * len(parcels), alive=False)
        return Call([Outcome("submitted", carrier_id=parcel.key) for parcel in parcels], alive=True)


def test_full_batches_follow_each_other(world):
    """Each is offered when the one before is on disk. One that is not full is the last: the next may fill up."""
    carrier = Watched(world, meanwhile=world.send)
    world.send(3 * BATCH - 4)
    assert world.another(carrier).step(lambda: True) == BATCH - 2
    assert carrier.seen == [(BATCH, 0), (BATCH, BATCH), (BATCH - 2, 2 * BATCH)]
    assert world.orders("state", "attempts").count(("submitted", 1)) == 3 * BATCH - 2
    assert world.orders("state", "attempts")[-1] == ("queued", 0)


def test_a_dispatcher_that_is_to_stop_claims_nothing_more(world):
    """It asks before it claims; what is left is due at once for another."""
    carrier, asked = Watched(world), count()
    world.send(4 * BATCH)
    assert world.another(carrier).step(lambda: next(asked) < 1) == BATCH
    assert [size for size, _ in carrier.seen] == [BATCH, BATCH]
    assert world.step() == BATCH


def test_a_carrier_that_goes_down_meanwhile_is_left_alone(world):
    """The failed batches of a row count for the breaker as any others do; once it is open nothing more is claimed."""
    carrier = Watched(world, good=1)
    world.send(9 * BATCH)
    world.another(carrier).step(lambda: True)
    assert len(carrier.seen) == 1 + THRESHOLD
    assert sorted(set(world.orders("attempts"))) == [0, 1]


def test_a_sender_throttled_meanwhile_is_left_alone(world):
    """The next batches are all another's."""
    other = add_integration(world.gateway.database, "Other", "OTHER")
    world.fake.break_it("refuse", scope={"sender": "FUTURESMS"}, status=429, retry_after=60)
    world.send(3 * BATCH)
    mine = world.send(2 * BATCH, key=other)
    world.dispatcher.step(lambda: True)
    assert sorted(world.fake.taken()) == sorted(mine)
    assert world.orders("attempts").count(1) == BATCH // 2 + len(mine)


def test_what_cannot_be_written_down_is_offered_again_under_its_key(world):
    """The next batch is claimed in the same transaction, so a failed one leaves it unclaimed."""
    world.send(2 * BATCH)
    with world.gateway.database.write() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE UPDATE OF state ON orders BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        )
    with pytest.raises(Exception, match="disk full"):
        world.dispatcher.step(lambda: True)
    assert sorted(world.orders("state", "attempts")) == [("queued", 0)] * BATCH + [("queued", 1)] * BATCH
    with world.gateway.database.write() as connection:
        connection.exec_driver_sql("DROP TRIGGER full")
    assert world.dispatcher.step(lambda: True) == BATCH
    world.step(after=3600)
    assert len(world.fake.taken()) == len(set(world.fake.taken())) == 2 * BATCH
