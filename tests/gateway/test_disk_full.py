"""A disk without room at each step of an order but the first, which is in `test_sqlite.py`; and at set-up."""

import hashlib
import hmac
import json

import pytest
from sqlalchemy.exc import OperationalError

from gateway.database import DatabaseFault, initialise
from gateway.dispatcher import LEASE_MARGIN
from tests.gateway.delivery import World
from tests.gateway.disk import filled

SECRET = "shared with the carrier"


@pytest.fixture
def world(desks, small_disk, tmp_path):
    """A gateway whose database is on the small disk; its carrier's ledger is elsewhere."""
    url = f"sqlite:///{small_disk / 'gateway.sqlite'}"
    opened = World(desks(database_url=url, free_space_floor=0, receipt_secret=SECRET), tmp_path)
    yield opened
    opened.close()


def checkpoint(world):
    """Have the write-ahead log give its room back, which would hide that the disk is full."""
    with world.gateway.database.read() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")


def test_an_order_is_not_claimed_without_room_to_write_it_down(world, small_disk):
    """The carrier hears nothing; with room again the order is delivered."""
    ids = world.send()
    checkpoint(world)
    ballast = filled(small_disk)
    with pytest.raises(OperationalError, match="full"):
        world.step()
    assert world.fake.taken() == []
    ballast.unlink()
    assert world.step() == 1
    assert (world.fake.taken(), world.orders("state")) == (ids, ["submitted"])


def test_a_result_that_finds_no_room_costs_no_second_message(world, small_disk):
    """The carrier has it already: after the lease it is offered under the same key, and is there once."""
    ids = world.send()
    ballast = []

    class FullMeanwhile:
        def submit(self, parcels, /):
            checkpoint(world)
            ballast.append(filled(small_disk))
            return world.dispatcher._carrier.submit(parcels)

    with pytest.raises(OperationalError, match="full"):
        world.another(FullMeanwhile()).step()
    assert (world.fake.taken(), world.orders("state")) == (ids, ["queued"])
    ballast[0].unlink()
    assert world.step(after=world.gateway.settings.attempt_deadline + LEASE_MARGIN) == 1
    assert (world.fake.taken(), world.orders("state")) == (ids, ["submitted"])


def test_a_receipt_that_finds_no_room_is_asked_for_again(world, small_disk, refused):
    """10007, so that the carrier repeats it; nothing of it is kept before there is room."""
    [order] = world.send()
    checkpoint(world)
    ballast = filled(small_disk)
    receipt = {"receipt_id": "R", "order_id": order, "message_status": "DELIVRD", "sent_at": world.clock.now}
    raw = json.dumps(receipt).encode()
    headers = {"X-Signature-256": "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}
    answer = world.desk.client.post("/carrier/receipts", data=raw, headers=headers)
    assert refused(answer, 500, "10007")
    ballast.unlink()
    assert world.orders("message_status") == [None]
    assert world.desk.client.post("/carrier/receipts", data=raw, headers=headers).status_code == 204
    assert world.orders("message_status") == ["DELIVRD"]


def test_a_full_disk_is_said_at_start(small_disk):
    """A gateway that could not even make its tables does not start, and with room it does."""
    url = f"sqlite:///{small_disk / 'gateway.sqlite'}"
    ballast = filled(small_disk)
    with pytest.raises(DatabaseFault, match="full"):
        initialise(url)
    ballast.unlink()
    initialise(url)
