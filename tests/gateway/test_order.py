"""The order of validation: of two faults in one request, the earlier one answers.

One fault per step of the provider's request flow, each breaking only its own step, so that any two can be combined.
"""

from collections.abc import Mapping
from itertools import combinations
from types import MappingProxyType
from typing import NamedTuple

import pytest

from contracts import spec
from gateway import health
from gateway.administration import change_integration
from gateway.breaker import Breaker


class Fault(NamedTuple):
    """One thing wrong: the step, its code, a word of its detail, and how to bring it about."""

    step: str
    code: str
    word: str
    fields: Mapping = MappingProxyType({})
    tail: bytes = b""
    key: str | None = None
    state: str = ""


FAULTS = [
    Fault("key", "10004", "API key", key="ysk_wrong"),
    Fault("rate", "10006", "per second", state="rate"),
    Fault("body", "10002", "given twice", tail=b',"x":1,"x":2'),
    Fault("type", "10002", "from is required", fields={"from": 5}),
    Fault("integration", "10005", "integration is disabled", state="disabled"),
    Fault("account", "10005", "account is suspended", state="suspended"),
    Fault("sender", "10005", "sender is not approved", state="blocked"),
    Fault("number", "10001", "to is not", fields={"to": "+63"}),
    Fault("reach", "10005", "country code", state="countries"),
    Fault("media", "10003", "media_urls", fields={"media_urls": ["https://example.com/a.png"]}),
    Fault("text", "10002", "text", fields={"text": " "}),
    Fault("backlog", "10006", "backlog", state="backlog"),
    Fault("carrier", "10007", "carrier", state="carrier"),
    Fault("store", "10007", "stored", state="store"),
]
CHANGES = {
    "rate": {"rate": 1},
    "disabled": {"enabled": False},
    "suspended": {"active": False},
    "blocked": {"approved": False},
    "countries": {"allowed_countries": "1"},
}


def bring_about(desk, state):
    """Put the gateway into a state in which the fault shows."""
    database = desk.gateway.database
    if state == "backlog":
        assert desk.send().status_code == 200
    elif state == "carrier":
        with database.write() as connection:
            health.keep(connection, Breaker(9, desk.clock.now + 60))
    elif state == "store":
        with database.write() as connection:
            connection.exec_driver_sql("ALTER TABLE orders RENAME COLUMN text TO gone")
    elif state:
        change_integration(database, "Lab", CHANGES[state])
    if state == "rate":
        desk.clock.now += 1
        desk.send()


def answer(desk, *faults):
    """Send one message with these faults; the full backlog is brought about first, while orders are still accepted."""
    for fault in sorted(faults, key=lambda fault: (fault.step != "backlog", -FAULTS.index(fault))):
        bring_about(desk, fault.state)
    desk.clock.now += 1
    fields, tail, key = {}, b"", None
    for fault in faults:
        fields, tail, key = {**fault.fields, **fields}, tail + fault.tail, key or fault.key
    plain = spec.page_example() | fields
    body = desk.client.application.json.dumps(plain).encode()[:-1] + tail + b"}"
    return desk.send(body, key=key)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.step)
def test_each_fault_alone_is_answered_with_its_own_row(desks, refused, fault):
    """A request with one thing wrong is answered with the row of that thing."""
    detail = refused(answer(desks(backlog_cap=1), fault), spec.error_codes()[fault.code].status, fault.code)
    assert fault.word in detail


@pytest.mark.parametrize(("earlier", "later"), list(combinations(FAULTS, 2)), ids=lambda fault: fault.step)
def test_the_earlier_fault_wins(desks, refused, earlier, later):
    """Of two things wrong the one that comes first in the provider's request flow is answered."""
    response = answer(desks(backlog_cap=1), earlier, later)
    assert earlier.word in refused(response, spec.error_codes()[earlier.code].status, earlier.code)


def test_nothing_wrong_is_accepted(desks):
    """Without a fault the same request is accepted, so each fault above is the cause of its refusal."""
    assert answer(desks(backlog_cap=1)).status_code == 200
