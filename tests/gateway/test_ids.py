"""Order ids: 23 characters that no two orders share, whatever the clock does."""

import re
from concurrent.futures import ThreadPoolExecutor

from gateway.ids import Ids
from tests.conftest import Clock

FORM = re.compile(r"SDPS\d{12}[0-9A-Z]{7}")


def test_an_id_has_the_pages_form():
    """`SDPS`, the UTC second, seven of 0-9A-Z: the form of the page's own example."""
    assert FORM.fullmatch("SDPS260325103012A1B2C3D")
    drawn = Ids(lambda: 1_774_434_612.9, lambda below: below - 1).draw()
    assert drawn == "SDPS260325103012ZZZZZZZ"


def test_many_ids_in_one_second_are_different():
    """Twenty thousand drawn by eight threads within one second of the clock."""
    ids = Ids(Clock())
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: ids.draw(), range(20_000)))
    assert len(set(drawn)) == 20_000
    assert all(FORM.fullmatch(one) for one in drawn)


def test_ids_stay_unique_when_the_clock_jumps_back():
    """An hour lived twice gives no id twice: the counter does not follow the clock."""
    clock = Clock()
    ids, drawn = Ids(clock), set()
    for _ in range(3):
        drawn |= {ids.draw() for _ in range(1000)}
        clock.now -= 3600
        drawn |= {ids.draw() for _ in range(1000)}
        clock.now += 3600
    assert len(drawn) == 6000


def test_processes_tell_themselves_apart():
    """Two processes that drew different names never meet, wherever their counters are."""
    first, second = (Ids(Clock(), lambda below, name=name: name % below) for name in (1, 2))
    assert first.draw()[16:19] != second.draw()[16:19]


def test_an_id_that_is_taken_is_drawn_again(desk):
    """When two processes did draw the same, the second draws once more; the client sees one id and one order."""
    desk.send()
    with desk.gateway.database.read() as connection:
        [taken] = connection.exec_driver_sql("SELECT id FROM orders").scalars()
    fresh = "SDPS260921000000FRESHID"
    draws = iter([taken, taken, fresh])
    desk.gateway.orders._ids = type("Repeats", (), {"draw": lambda _self: next(draws)})()
    assert desk.send().json == {"data": {"id": fresh}}


def test_ids_that_are_all_taken_are_a_definite_refusal(desk, refused):
    """After some draws the answer is 10007, and there is still one order."""
    taken = desk.send().json["data"]["id"]
    desk.gateway.orders._ids = type("Stuck", (), {"draw": lambda _self: taken})()
    refused(desk.send(), 500, "10007")
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 1


def test_three_digits_name_the_process_and_four_count():
    """What is drawn at the start fits its digits, and the last number is followed by the first."""
    asked = []
    ids = Ids(Clock(1_000_000_000.0), lambda below: asked.append(below) or below - 1)
    assert asked == [36**3, 36**4]
    assert [ids.draw(), ids.draw()] == ["SDPS010909014640ZZZZZZZ", "SDPS010909014640ZZZ0000"]
