"""The gateway on PostgreSQL: the same answers, and the truth after a lost COMMIT or a backend that stands still."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.baton import Fate
from gateway.contract import ROWS
from gateway.database import DatabaseFault, open_database
from gateway.orders import PAGE, listed
from gateway.schema import metadata
from gateway.settings import Settings
from tests.conftest import Desk, open_desk


@pytest.fixture
def desk(postgres) -> Iterator[Desk]:
    """A gateway of this process on PostgreSQL."""
    opened = open_desk(Settings(database_url=postgres.url))
    yield opened
    opened.gateway.close()


def order_row(number: int) -> tuple[object, ...]:
    """A row of the hot insert."""
    return (f"SDPS{number:019}", 1, 1, "X", "+630000000001", "+639171234567", "text", "GSM-7", 1, 1, 2**40, 1)


def test_an_order_is_stored(desk, postgres):
    """A message is answered with the id of an order that is in the table."""
    order_id = desk.send().json["data"]["id"]

    assert postgres.ask("SELECT id, state FROM orders") == [(order_id, "queued")]


def test_orders_are_listed_page_by_page(desk):
    """More orders than fit a page come oldest first, each once, and a filter holds on every page."""
    rows = [order_row(number) for number in range(2 * PAGE + 1)]
    desk.gateway.database.insert(rows)

    assert [order["id"] for order in listed(desk.gateway.database)] == [row[0] for row in rows]
    assert list(listed(desk.gateway.database, state="expired")) == []


def test_refusals_are_the_same(desk):
    """The rows of the contract do not depend on the store."""
    assert desk.send(to="12").json["errors"][0]["code"] == ROWS[0].code
    assert desk.send(key="wrong").json["errors"][0]["code"] == ROWS[3].code


def test_many_at_once_share_transactions(desk, postgres):
    """Concurrent requests are all stored, in fewer transactions than there are requests."""
    before = postgres.ask("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()")
    with ThreadPoolExecutor(32) as pool:
        answers = list(pool.map(lambda n: desk.send(text=f"message {n}").status_code, range(320)))

    assert answers == [200] * 320
    assert postgres.ask("SELECT count(*) FROM orders") == [(320,)]
    assert before


def test_a_taken_id_fails_alone(desk, postgres):
    """One row whose id is taken does not take its batch with it."""
    insert = desk.gateway.database.insert
    insert([order_row(1)])

    assert insert([order_row(1), order_row(2)]) == [Fate.DUPLICATE, Fate.COMMITTED]
    assert postgres.ask("SELECT count(*) FROM orders") == [(2,)]


@pytest.mark.usefixtures("desk")
def test_a_commit_whose_answer_is_lost_is_looked_up(postgres, cutter):
    """Twenty lines cut right after COMMIT was sent: each order is known to be stored, and is."""
    through = open_database(postgres.url.replace(str(postgres.port), str(cutter.port)))
    through.insert([order_row(0)])
    cutter.cut_after(b"COMMIT")

    fates = [through.insert([order_row(number)])[0] for number in range(1, 21)]

    through.close()
    assert cutter.cuts == 20
    assert fates == [Fate.COMMITTED] * 20
    assert postgres.ask("SELECT count(*) FROM orders") == [(21,)]


@pytest.mark.usefixtures("desk")
def test_an_insert_that_was_cut_is_refused_for_sure(postgres, cutter):
    """A line cut before COMMIT was sent: the order is refused, and is not there."""
    through = open_database(postgres.url.replace(str(postgres.port), str(cutter.port)))
    through.insert([order_row(0)])
    cutter.cut_after(b"INSERT")

    fate = through.insert([order_row(1)])

    through.close()
    assert fate == [Fate.REFUSED]
    assert postgres.ask("SELECT count(*) FROM orders") == [(1,)]


def test_a_stopped_backend_holds_no_request(desk, postgres):
    """With every backend stopped by SIGSTOP a request is answered with 10007 within five seconds."""
    assert desk.send().status_code == 200
    stopped = postgres.backends()
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    start = time.monotonic()
    try:
        answer = desk.send()
        took = time.monotonic() - start
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)

    assert answer.json["errors"][0]["code"] == "10007"
    assert took < 5


def test_a_silent_line_holds_no_request(postgres, cutter):
    """When the line to the server falls silent a request is answered with 10007 within five seconds, whatever it asks.

    The key is looked up again by then, so that an idle connection of the pool is met as well.
    """
    desk = open_desk(Settings(database_url=postgres.url.replace(str(postgres.port), str(cutter.port))))
    assert desk.send().status_code == 200
    cutter.speaks.clear()
    took = []
    for _ in range(2):
        desk.clock.now += 1
        start = time.monotonic()
        assert desk.send().json["errors"][0]["code"] == "10007"
        took.append(time.monotonic() - start)
    cutter.speaks.set()
    assert desk.send().status_code == 200
    desk.gateway.close()
    assert max(took) < 5


def test_a_restarted_server_is_used_again(desk, postgres):
    """Connections that the server closed are replaced, and the next message is accepted."""
    assert desk.send().status_code == 200
    for pid in postgres.backends():
        os.kill(pid, signal.SIGTERM)
    desk.send()

    assert desk.send().status_code == 200


@pytest.mark.usefixtures("desk")
def test_a_server_that_could_forget_is_refused(postgres):
    """With synchronous_commit off the gateway does not start, unless it is told to by name."""
    postgres.ask(f"ALTER DATABASE {postgres.name} SET synchronous_commit = off")

    with pytest.raises(DatabaseFault, match="synchronous_commit"):
        open_database(postgres.url)
    open_database(postgres.url, unsafe=True).close()


@pytest.mark.usefixtures("desk")
def test_migrations_make_the_same_tables(postgres):
    """The migrated tables have the columns of the schema."""
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    found = {row for row in postgres.ask(query) if row[0] != "alembic_version"}

    assert found == {(table.name, column.name) for table in metadata.tables.values() for column in table.columns}
