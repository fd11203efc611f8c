"""Claiming: what it costs does not grow with what waits."""

import sqlite3

import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import StaticPool

from gateway.claims import claim, due_lanes
from gateway.schema import metadata

NOW = 1_000_000
INSERT = (
    "INSERT INTO orders (id, integration_id, key_id, sender, from_number, to_number, text, encoding, segments,"
    " accepted_at, expires_at, due_at, state) VALUES (?, ?, 1, 'S', '+1', '+2', 't', 'GSM-7', 1, 0, 0, ?, ?)"
)


class Table:
    """A table of orders whose database counts its own steps."""

    def __init__(self):
        self.raw = sqlite3.connect(":memory:")
        self.engine = create_engine("sqlite://", creator=lambda: self.raw, poolclass=StaticPool)
        metadata.create_all(self.engine)
        self.steps = 0

    def add(self, count, *, lanes=(1,), due=0, state="queued"):
        """So many orders of each lane."""
        rows = [(f"{lane}/{state}/{due}/{number}", lane, due, state) for lane in lanes for number in range(count)]
        self.raw.executemany(INSERT, rows)

    def cost(self, act):
        """What the database does for an act, in steps of its machine."""
        steps = []
        self.raw.set_progress_handler(lambda: steps.append(1) and None, 1)
        with self.engine.begin() as connection:
            act(connection)
        self.raw.set_progress_handler(None, 1)
        return len(steps)


@pytest.fixture
def table():
    """An empty one."""
    table = Table()
    yield table
    table.engine.dispose()
    table.raw.close()


def lanes_of(table):
    """The lanes that have something to do."""
    with table.engine.connect() as connection:
        return sorted(due_lanes(connection, NOW))


def test_a_lane_is_an_integration_that_has_an_order_due(table):
    """Neither what is leased or waits for its backoff nor what has ended makes a lane."""
    table.add(3, lanes=(2, 5, 9))
    table.add(3, lanes=(3,), due=NOW + 1)
    table.add(3, lanes=(4,), state="submitted")
    assert lanes_of(table) == [2, 5, 9]


def test_without_orders_there_is_no_lane(table):
    """An empty table has none."""
    assert lanes_of(table) == []


@pytest.mark.parametrize(
    "act",
    [lambda c: due_lanes(c, NOW), lambda c: claim(c, [1], 10, NOW, 1000)],
    ids=["finding the lanes", "claiming"],
)
def test_the_backlog_does_not_make_it_dearer(table, act):
    """A backlog of 5,000 costs what one of 50 costs, so a long outage is not followed by a slow recovery."""
    table.add(50)
    few = table.cost(act)
    table.add(5000, due=1)
    assert table.cost(act) <= few * 1.2
