"""When things are sent: arrival curves, Poisson arrivals, shares, polite waits, the budget. No clock anywhere."""

from itertools import pairwise

import pytest

from load import arrivals
from load.phases import Phase, Profile
from load.plan import Plan
from load.record import Request
from load.schedule import Schedule

CURVES = {
    "flat": ((10, 50, 50),),
    "rise": ((4, 0, 100),),
    "fall to nothing": ((4, 100, 0),),
    "pause in the middle": ((1, 10, 10), (5, 0, 0), (1, 10, 10)),
    "campaigns": ((2, 20, 20), (1, 1000, 1000)) * 3,
    "fractions": ((0.5, 3, 3), (0.25, 10, 30)),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
def test_as_many_messages_are_due_as_the_curve_has_area(curve):
    """The number of arrivals is the area under the curve, to the nearest message, in order and in time."""
    due = list(arrivals.due_times(curve))
    assert len(due) == pytest.approx(arrivals.area(curve), abs=0.5)
    assert due == sorted(due)
    assert due[0] > 0
    assert due[-1] <= arrivals.seconds(curve)


def test_a_flat_rate_is_evenly_spaced():
    """At 50 a second each message follows the one before by 20 ms."""
    due = list(arrivals.due_times(((10, 50, 50),)))
    assert {round(later - earlier, 9) for earlier, later in pairwise(due)} == {0.02}


def test_a_rise_follows_its_slope():
    """From 0 to 100 a second in 4 s: a quarter of the messages is due in the first half."""
    due = list(arrivals.due_times(((4, 0, 100),)))
    assert sum(at < 2 for at in due) == 50


def test_nothing_is_due_in_a_pause():
    """A rate of 0 sends nothing, and the rest of the curve is not moved."""
    due = list(arrivals.due_times(CURVES["pause in the middle"]))
    assert not [at for at in due if 1 <= at < 6]
    assert sum(at >= 6 for at in due) == 10


def test_chance_arrivals_repeat_with_their_seed():
    """Poisson arrivals have the curve's rate, vary, and are the same again for the same seed."""
    due = list(arrivals.due_times(((100, 50, 50),), poisson=True, seed=7))
    assert due == list(arrivals.due_times(((100, 50, 50),), poisson=True, seed=7))
    assert len(due) == pytest.approx(5000, rel=0.05)
    gaps = [later - earlier for earlier, later in pairwise(due)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert variance == pytest.approx(mean**2, rel=0.1)


@pytest.mark.parametrize(("moment", "rate"), [(0, 0), (2, 50), (4, 10), (4.9, 10), (5, 0)])
def test_the_intended_rate_can_be_asked_for(moment, rate):
    """A chart of the intended rate reads it from the curve."""
    assert arrivals.rate_at(((4, 0, 100), (1, 10, 10)), moment) == rate


def plan(*, seconds=10, rate=10, pbxs=4, polite=0.5, budget=None):
    """A plan for a small steady profile."""
    profile = Profile("p", "", (Phase("only", ((seconds, rate, rate),)),), pbxs=pbxs, polite=polite)
    return Plan("http://127.0.0.1:1/send", "key", profile, "+630000000001", budget=budget)


def drain(schedule, answer=lambda _: None):
    """Pop everything at once; `answer(tried)` gives (status, retry_after) or nothing."""
    sent = []
    while schedule.peek() is not None:
        if tried := schedule.pop():
            sent.append(tried)
            if outcome := answer(tried):
                status, wait = outcome
                times = (tried.due, tried.due, tried.due + 0.01)
                done = Request(tried.n, tried.turn, "sendmessage", *times, status, None, None)
                schedule.answered(done, wait)
    return sent


@pytest.mark.parametrize("processes", [1, 2, 3, 7])
def test_the_shares_of_all_processes_are_the_whole(processes):
    """Every message is sent by exactly one process, and all messages of a PBX by the same one."""
    shares = [drain(Schedule(plan(pbxs=20), index, processes)) for index in range(processes)]
    assert sorted(tried.n for sent in shares for tried in sent) == list(range(100))
    owners = {(tried.n % 20, index) for index, sent in enumerate(shares) for tried in sent}
    assert len(owners) == 20


def test_rude_pbxs_ignore_retry_after():
    """A rude PBX sends every message when it is due, whatever it is told, and never again."""
    sent = drain(Schedule(plan(polite=0)), lambda _: (429, 5.0))
    assert [tried.n for tried in sent] == list(range(100))
    assert {tried.turn for tried in sent} == {0}


def test_polite_pbxs_send_nothing_before_retry_after_is_over():
    """After a refusal a polite PBX is silent until the wait is over; then the refused message comes again."""
    schedule = Schedule(plan(pbxs=1, polite=1))
    sent = drain(schedule, lambda tried: (429, 2.0) if tried.n == 3 and tried.turn == 0 else (200, None))
    refused = next(tried for tried in sent if tried.n == 3)
    after = [tried for tried in sent if tried.due > refused.due]
    assert min(tried.due for tried in after) == pytest.approx(refused.due + 2.01)
    assert [tried.turn for tried in sent if tried.n == 3] == [0, 1]
    assert sorted({tried.n for tried in sent}) == list(range(100))
    assert schedule.held > 0


def test_a_polite_pbx_gives_up_after_two_retries():
    """A message that is refused three times is not tried a fourth time."""
    sent = drain(Schedule(plan(pbxs=1, polite=1)), lambda _: (500, 0.1))
    assert max(tried.turn for tried in sent) == 2


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_the_budget_is_exact(processes):
    """The processes together never commit to more real SMS than the budget, and use all of it."""
    whole = plan(pbxs=20, budget=31)
    accepted = sum(len(drain(Schedule(whole, index, processes), lambda _: (200, None))) for index in range(processes))
    assert accepted == 31


def test_a_definite_refusal_costs_no_budget_and_a_missing_answer_does():
    """Only what may have become an SMS counts: refused messages do not, unanswered ones do."""
    outcome = {0: (429, None), 1: (None, None)}
    sent = drain(Schedule(plan(polite=0, budget=10)), lambda tried: outcome.get(tried.n, (200, None)))
    assert len(sent) == 11


def test_open_requests_count_against_the_budget_before_they_are_answered():
    """While nothing is answered no more are sent than the budget allows."""
    assert len(drain(Schedule(plan(budget=7)))) == 7
