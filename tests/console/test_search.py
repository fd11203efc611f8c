"""Searching the index: found by a part of anything, page after page, never reading or sorting everything."""

import pytest

from simulator.console.search import COLUMNS, PAGE, Wanted, _statement, find, find_all
from tests.console.conftest import TO


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "m"),
        (Wanted(to=TO), "messages_by_recipient"),
        (Wanted(code="10001"), "messages_by_code"),
        (Wanted(outcome="refused"), "messages_by_outcome"),
        (Wanted(run="r"), "messages_by_run"),
        (Wanted(room="r"), "messages_by_room"),
        (Wanted(q="abc"), "words"),
        (Wanted(q="abc", room="r"), "words"),
    ],
    ids=str,
)
def test_no_search_reads_or_sorts_everything(wanted, index, bench):
    """Each question walks an index backwards from where its page begins: nothing is sorted, so far is as near."""
    statement, arguments = _statement(wanted, 10**6, PAGE)
    plan = " | ".join(row["detail"] for row in bench.projection.rows("EXPLAIN QUERY PLAN " + statement, arguments))

    assert "TEMP B-TREE" not in plan
    assert index in plan
    assert "SEARCH" in plan
    assert COLUMNS in statement


@pytest.mark.parametrize(
    ("q", "found"),
    [
        ("ello", 1), ("HELLO WÖRLD", 1), ("917123", 3), ("SDPS26112", 3), ("B2", 0), ("%", 1), ("ö", 1),
        ('"quoted" OR', 1), ('ed" OR', 1), ("a'b", 0), ("Hello AND Wörld", 0), ("*", 0), ("nothing of the kind", 0),
    ],
)  # fmt: skip
def test_anything_is_found_by_a_part_of_it(q, found, bench):
    """Texts, numbers and ids are found by any three characters; what is typed is never a query language."""
    bench.sends("SDPS261122AAB2", "Hello Wörld")
    bench.sends("SDPS261122AAB3", '100 % "quoted" OR not')
    bench.sends("SDPS261122AAB4", "Bye")
    bench.rows()

    assert len(find(bench.projection, Wanted(q=q))) == found


def test_pages_have_neither_gaps_nor_repeats(bench):
    """Page after page gives every message once, newest first, while new ones arrive."""
    for n in range(7):
        bench.sends(f"ID{n}", f"text {n} ID{n}", run="anna/x")
    bench.rows()
    seen, before = [], 1 << 62
    while page := find(bench.projection, Wanted(q="text"), before, 3):
        seen += [row["order_id"] for row in page]
        before = page[-1]["number"]
        bench.sends("late", "text late")
        bench.rows()

    assert seen == [f"ID{n}" for n in reversed(range(7))]


def test_a_message_that_names_its_own_order_is_found_once(bench):
    """Text and order id are searched together, and a message with the same in both is one message."""
    for n in range(5):
        bench.sends(f"SDPS{n}", f"your order SDPS{n}")
    bench.rows()

    assert [row["order_id"] for row in find_all(bench.projection, Wanted(q="SDPS"), 4)] == [
        *("SDPS4", "SDPS3", "SDPS2", "SDPS1")
    ]
