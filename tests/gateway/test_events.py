"""The event log: one JSON line a step, from which an order can be followed and nobody can be called."""

import json
from io import StringIO

import pytest

from gateway.dispatcher import FIRST_BACKOFF
from gateway.events import fingerprint, masked, open_log
from tests.gateway.delivery import World


def lines(desk):
    """The log's events."""
    return [json.loads(line) for line in desk.log.getvalue().splitlines()]


def test_an_order_can_be_followed_by_its_id(desk, tmp_path):
    """Accepted, a failed attempt and submitted are one line each, with the order's id and a time."""
    world = World(desk, tmp_path)
    world.fake.break_it("refuse", status=503)
    [order] = world.send()
    world.step()
    world.fake.mend()
    world.step(after=FIRST_BACKOFF)
    world.close()
    events = [event for event in lines(desk) if event.get("order") == order]
    assert [event["event"] for event in events] == ["accepted", "attempt", "submitted"]
    assert all(event["at"].endswith("Z") for event in events)
    assert [event.get("attempt") for event in events] == [None, 1, 2]
    assert events[1]["reason"]
    assert events[2]["carrier"]


def test_the_log_holds_no_key_no_number_and_no_text(desk, tmp_path):
    """Whatever happens to a message, what is logged of it cannot be read back."""
    world = World(desk, tmp_path)
    canary = {"from": "+630000000001", "to": "+639171234567", "text": "canary in the mine"}
    world.send(**canary)
    desk.send(**canary | {"to": "+6391712345678"})
    desk.send(key="ysk_" + "canary0" * 6 + "x")
    for status in (503, 422):
        world.fake.break_it("refuse", status=status)
        world.send(**canary)
        world.step()
        world.fake.mend()
    world.close()
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("ALTER TABLE orders RENAME COLUMN text TO gone")
    assert desk.send(**canary).status_code == 500
    log = desk.log.getvalue()
    assert log
    for secret in (desk.key, *canary.values(), "canary"):
        assert secret not in log


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+639171234567", "+6391******67"), ("+1234567", "+1234*67"), ("", "")],
)
def test_a_number_is_masked(number, shown):
    """The country and a little more at the front, two digits at the end."""
    assert masked(number) == shown


def test_a_text_is_its_length_and_hash():
    """Two orders of one text can be told to be so, and the text cannot be told."""
    assert fingerprint("hello") == "5:2cf24dba5fb0"


def test_nothing_forges_a_line():
    """Line ends and escapes in a value stay inside its JSON string."""
    stream = StringIO()
    open_log(stream=stream).info("x", reason='\n{"event": "accepted"}\x1b[2J')
    [line] = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert json.loads(line)["event"] == "x"


def test_a_value_moves_no_line_end_of_a_batch():
    """Lines that are written together end where their events end, whatever is in them; nothing is written for none."""
    stream, odd = StringIO(), 'a,\n b},\n{"event": "x"'
    log = open_log({"at home": ",\n"}, stream)
    log.many([])
    log.many([{"order": odd, "attempt": 1, "reason": None, "event": "e"}, {"event": odd}])
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert [first.pop("at home"), second.pop("at home")] == [",\n"] * 2
    assert first == {"order": odd, "attempt": 1, "reason": None, "event": "e", "at": first["at"]}
    assert second == {"event": odd, "at": second["at"]}


def test_an_exception_is_one_line(desk):
    """A traceback is a field, not a page."""
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE keys")
    desk.send()
    [event] = lines(desk)
    assert (event["event"], event["path"][:5]) == ("accident", "/api/")
    assert "Traceback" in event["exception"]


@pytest.mark.parametrize(("unsafe", "context"), [(True, "UNSAFE"), (False, None)])
def test_every_line_says_when_durability_was_given_up(unsafe, context):
    """The context of the process is in each line, of a batch as of any other event."""
    stream = StringIO()
    log = open_log({"durability": "UNSAFE"} if unsafe else {}, stream)
    log.info("x")
    assert [json.loads(line).get("durability") for line in stream.getvalue().splitlines()] == [context]


def test_a_log_that_cannot_be_written_fails_nobody():
    """An order that is on disk is accepted, whether or not it could be logged."""
    stream = StringIO()
    stream.close()
    open_log(stream=stream).info("x")
