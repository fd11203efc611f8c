"""Politeness: the rate, the budget, Retry-After; and the invariants at the carrier."""

import json

import pytest

from contracts import cases
from contracts.invariants import Delivery, compare
from contracts.judge import Answer
from contracts.provider import Accepted, BudgetSpentError, Provider
from contracts.serving import serving
from contracts.wire import Call, Exchange


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        """Remember it and move on."""
        self.slept.append(round(seconds, 3))
        self.now += seconds


def _throttling(retry_after, times):
    """A provider that answers 429 so many times and then accepts."""
    left = [times]

    def app(_environ, start):
        left[0] -= 1
        status = "429 Slow" if left[0] >= 0 else "200 OK"
        start(status, [("Retry-After", retry_after), ("Content-Type", "application/json")])
        return [b'{"data": {"id": "A"}}']

    return app


@pytest.mark.parametrize(
    ("retry_after", "times", "slept", "status"),
    [
        ("2", 1, [2.0], 200),
        ("2", 2, [2.0, 2.0], 200),
        ("2", 9, [2.0] * 3, 429),
        ("60", 9, [], 429),
        ("x", 1, [1.0], 200),
    ],
)
def test_retry_after_is_honoured(target_at, retry_after, times, slept, status):
    """A 429 is waited for as long as the provider asks, a few times, unless it asks for too long."""
    clock = Clock()
    with serving(_throttling(retry_after, times)) as url:
        provider = Provider(target_at(url), clock, clock.sleep)
        done = provider.ask(cases.send(provider.target))
    assert (done.answer.status, clock.slept) == (status, slept)


def test_requests_keep_to_the_rate(target_at):
    """At 4 per second the second to fourth request wait a quarter of a second each."""
    clock = Clock()
    with serving(_throttling("1", 0)) as url:
        provider = Provider(target_at(url, rate=4), clock, clock.sleep)
        for _ in range(4):
            provider.call(cases.send(provider.target).call)
    assert clock.slept == [0.25] * 3


def test_one_message_of_the_budget_is_kept_for_refusals_that_do_not_come(target_at):
    """Good messages stop one before the end; what should be refused may use the last one, and then all stops."""
    with serving(_throttling("1", 0)) as url:
        provider = Provider(target_at(url, max_accepted=2))
        good = cases.send(provider.target)
        bad = next(case for case in cases.scenarios(provider.target) if case.name == "text-2001")
        provider.ask(good)
        assert not provider.allows(good)
        provider.ask(bad)
        with pytest.raises(BudgetSpentError):
            provider.ask(bad)
    assert provider.spent == 2


def _sent(identity, to, text):
    """An exchange that sent this message: accepted with the id, or refused."""
    body = json.dumps({"from": "+631", "to": to, "text": text}).encode()
    answer = Answer(200, {}, json.dumps({"data": {"id": identity}}).encode()) if identity else Answer(400, {}, b"{}")
    return Exchange(Call("sendmessage", "POST", "http://x/", (), body), answer, "", 0.0, 0.0)


EXCHANGES = [_sent("A", "+639", "one"), _sent("B", "+639", "two"), _sent("", "+639", "media"), _sent("", "+639", "one")]
ACCEPTED = [Accepted("A", None, 0), Accepted("B", None, 1)]
RIGHT = [Delivery(1, "A", "+639", "one"), Delivery(2, "B", "+639", "two")]


@pytest.mark.parametrize(
    ("arrived", "broken"),
    [
        (RIGHT, []),
        ([*RIGHT, Delivery(3, "Z", "+1", "somebody else's")], []),
        (RIGHT[:1], ["YS-INV-02"]),
        ([*RIGHT, Delivery(3, "A", "+639", "one")], ["YS-INV-02"]),
        ([*RIGHT, Delivery(3, "C", "+639", "two")], ["YS-INV-02"]),
        ([*RIGHT, Delivery(3, "C", "+639", "media")], ["YS-INV-01"]),
        ([RIGHT[0], Delivery(2, "B", "+639", "tw")], ["YS-INV-03"]),
        ([RIGHT[0], Delivery(2, "B", "+630", "two")], ["YS-INV-03"]),
    ],
)
def test_what_reached_the_carrier_is_compared(arrived, broken):
    """Each 200 once and unchanged, no refusal at all, and other people's messages are left alone."""
    assert [one.rule for one in compare(ACCEPTED, EXCHANGES, arrived)] == broken
