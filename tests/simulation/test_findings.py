"""What the simulation has found in the gateway, kept as small tests of their own."""

import sqlite3

from gateway.breaker import Breaker
from gateway.carrier import Call, Outcome
from gateway.dispatcher import Dispatcher
from gateway.health import breaker, keep


def test_a_read_takes_no_lock_from_the_writer(desk, tmp_path):
    """While another connection is in the middle of a write, the gateway reads at once."""
    writer = sqlite3.connect(tmp_path / "gateway.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    with desk.gateway.database.read() as connection:
        assert breaker(connection).is_closed()
        assert not connection.connection.dbapi_connection.in_transaction
    writer.close()


class Deaf:
    """A carrier that must not be called."""

    def submit(self, parcels):
        raise AssertionError(parcels)


def dispatcher(desk, carrier):
    """A dispatcher of the desk's gateway."""
    gateway = desk.gateway
    from random import Random

    return Dispatcher(gateway.database, carrier, gateway.settings, desk.clock, Random(1), gateway.log, gateway.metrics)


def test_a_probe_that_meets_an_expired_order_goes_on_to_the_next(desk):
    """Expired orders tell nothing of the carrier, so they do not use up the one probe of a cool-down."""
    assert desk.send().status_code == 200
    desk.clock.now += desk.gateway.settings.validity + 1
    with desk.gateway.database.write() as connection:
        keep(connection, Breaker(9, desk.clock.now - 1))
    assert dispatcher(desk, Deaf()).step() == 1
    with desk.gateway.database.read() as connection:
        assert breaker(connection).may_probe(desk.clock.now)


def test_an_order_is_the_probe_when_nothing_that_waits_is_due(desk):
    """Behind an open breaker whose cool-down is long over, a backlog in backoff shuts nobody out."""
    assert desk.send().status_code == 200

    class Down:
        def submit(self, parcels):
            return Call([Outcome("retry", reason="down", retry_after=600)] * len(parcels), alive=False)

    dispatcher(desk, Down()).step()
    with desk.gateway.database.write() as connection:
        keep(connection, Breaker(9, desk.clock.now + 2))
    desk.clock.now += 2.5
    assert desk.send().status_code == 500
    desk.clock.now += 1
    assert desk.send().status_code == 200
