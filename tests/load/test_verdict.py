"""What a run means: each thing that can go wrong fails its own check, and a run that proves nothing is void."""

from dataclasses import replace

import pytest

from contracts.exits import Exit
from load.arrivals import due_times
from load.checks import Evidence
from load.phases import Phase, Profile, Thresholds
from load.record import Records, Request
from load.verdict import judge
from simulator.ledger.balance import balance

OUTAGE = Profile(
    "outage",
    "",
    (
        Phase("calm", ((10, 10, 10),)),
        Phase("outage", ((10, 10, 10),), {"kind": "outage"}, ("10007",), least=50, most=0.96),
        Phase("recovery", ((10, 10, 10),)),
    ),
    Thresholds(p50_ms=20, p99_ms=50, p999_ms=100, growth_mb=5),
)
EVENTS = (
    {"event": "start", "epoch": 0.0, "processes": 1},
    {"event": "fault", "phase": "outage", "from": 10.0, "to": 20.0},
    {"event": "share", "at": 30.0, "cpu": 0.1, "intended": 300, "held": 0, "spent": False},
)


QUIET = (EVENTS[0], EVENTS[2] | {"intended": 500})


def right(n, due):
    """What a good provider answers: 200, or 500 with 10007 from just after the outage until just after it."""
    down = 10.5 < due < 20.5
    outcome = (500, "10007", None) if down else (200, None, f"ID{n}")
    return Request(n, 0, "sendmessage", due, due + 0.001, due + 0.010, *outcome)


def evidence(change=lambda request: request, *, events=EVENTS, profile=OUTAGE, **more):
    """A run of the outage profile in which each right request was changed."""
    requests = [change(right(n, due)) for n, due in enumerate(due_times(profile.curve))]
    records = Records([request for request in requests if request], list(events))
    return Evidence(**{"profile": profile, "records": records, "balance": balance([], []), "drained_s": 1.0} | more)


def failed(verdict):
    """The names of the failed checks."""
    return [check.name for check in verdict.checks if check.passed is False]


def where(condition, **changes):
    """A change to those requests for which the condition holds."""
    return lambda request: request._replace(**changes) if condition(request) else request


def test_a_good_run_held():
    """With nothing wrong every check passes and the exit code is 0."""
    verdict = judge(evidence())
    assert failed(verdict) == []
    assert not verdict.void
    assert verdict.exit_code == Exit.FINE
    assert verdict.sentence == "It held."
    assert all(check.sentence.endswith((".", ").")) for check in verdict.checks)


def later(condition, by):
    """Answers that come `by` seconds later."""
    return lambda request: request._replace(done=request.done + by) if condition(request) else request


CALM, DOWN, AFTER = (
    lambda r: r.due < 5,
    lambda r: 10.5 < r.due < 20,
    lambda r: 20 <= r.due < 26,
)
WRONG = {
    "a finding of the judge": (where(lambda r: r.n == 3, findings=("YS-ENV-01: no envelope",)), ["envelopes"]),
    "a refusal in a healthy phase": (
        where(lambda r: r.n == 3, status=429, code="10006", order_id=None),
        ["expected answers"],
    ),
    "another error than the expected one": (where(lambda r: r.n == 150, code="10006"), ["expected answers"]),
    "no answer": (where(lambda r: r.n == 3, status=None, order_id=None), ["expected answers"]),
    "slow answers": (later(CALM, 0.2), ["latency p99", "latency p99.9"]),
    "all answers slow": (later(lambda r: r.due < 10 or r.due > 25, 0.03), ["latency p50"]),
    "one very slow answer": (later(lambda r: r.n == 3, 0.2), ["latency p99.9"]),
    "the code hardly seen": (
        lambda r: r if r.status == 200 or r.n > 190 else None,
        ["outage: 10007 seen", "outage: reaction"],
    ),
    "the outage noticed late": (
        where(lambda r: 10 < r.due < 15.6, status=200, code=None, order_id="ID"),
        ["outage: 10007 seen", "outage: reaction"],
    ),
    "more refused than the phase may": (
        where(lambda r: 10 < r.due < 10.6, status=500, code="10007", order_id=None),
        ["outage: share refused"],
    ),
    "recovery too late": (
        where(AFTER, status=500, code="10007", order_id=None),
        ["expected answers", "outage: recovery"],
    ),
}


@pytest.mark.parametrize(("change", "expected"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_named(change, expected):
    """Each fault fails the checks that are about it, and no others; the exit code is 1."""
    verdict = judge(evidence(change))
    assert failed(verdict) == expected
    assert verdict.exit_code == Exit.WRONG


VOID = {
    "late": (evidence(lambda r: r._replace(sent=r.due + 0.2, done=r.due + 0.21)), "could not keep up"),
    "nothing": (evidence(lambda _: None), "Nothing was sent"),
    "silent": (evidence(where(lambda _: True, status=None)), "never answered"),
    "wrong key": (evidence(where(lambda _: True, status=401, code="10004")), "does not take the key"),
    "stopped": (evidence(interrupted=True), "stopped before its end"),
    "gave up": (evidence(events=(*EVENTS[:2], EVENTS[2] | {"intended": 290})), "10 messages were never sent"),
    "worker gone": (evidence(events=EVENTS[:2]), "0 of 1 generator processes"),
}


@pytest.mark.parametrize(("proof", "said"), VOID.values(), ids=VOID)
def test_a_run_that_proves_nothing_is_void(proof, said):
    """When the load was not what it should have been, nothing is known: exit code 3, and the reason."""
    verdict = judge(proof)
    assert verdict.exit_code == Exit.COULD_NOT_TEST
    assert said in " ".join(verdict.void)


UNREACHED = {
    "fault": {"events": (EVENTS[0], {"event": "skipped", "phase": "outage", "fault": {"kind": "outage"}}, EVENTS[2])},
    "budget": {"events": (*EVENTS[:2], EVENTS[2] | {"spent": True, "intended": 296})},
    "ledger": {"balance": None},
}


@pytest.mark.parametrize(("name", "how"), UNREACHED.items(), ids=UNREACHED)
def test_what_could_not_be_reached_is_named(name, how):
    """Faults that cannot be injected, a spent budget, a missing ledger: exit code 4, each with its name."""
    change = where(lambda _: name == "fault", status=200, code=None, order_id="ID")
    verdict = judge(evidence(change, **how))
    assert verdict.exit_code == Exit.NOT_ALL_REACHED
    assert next(check.name for check in verdict.checks if check.passed is None).endswith(name)


def test_a_limit_that_was_not_met_is_not_a_fault_of_a_provider_with_limits_of_its_own():
    """A burst that a staging system takes in its stride is named as not reached; in the lab it is wrong."""
    burst = Profile("burst", "", (Phase("burst", ((10, 50, 50),), codes=("10006",), least=100),))
    for known, passed in ((True, False), (False, None)):
        taken = where(lambda _: True, status=200, code=None, order_id="ID")
        verdict = judge(evidence(taken, profile=burst, events=QUIET, quota_known=known))
        assert [check.passed for check in verdict.checks if "10006" in check.name] == [passed]


def test_an_unbalanced_ledger_is_wrong():
    """One accepted message that never reached the carrier is enough."""
    run = evidence()
    assert failed(judge(replace(run, drained_s=None))) == ["backlog drained"]
    assert failed(judge(replace(run, drained_s=99.0))) == ["backlog drained"]


def test_growing_memory_is_wrong():
    """More than the allowed growth after the first minute fails; growth before it does not count."""
    steady = ((0.0, 50.0), (61.0, 90.0), (120.0, 92.0))
    assert failed(judge(evidence(memory=steady))) == []
    assert failed(judge(evidence(memory=(*steady, (180.0, 99.0))))) == ["memory"]


def test_a_run_slower_than_its_baseline_is_wrong():
    """A kept run sets the mark: a quarter more, and at least 5 ms, is too much."""
    before = judge(evidence()).figures
    assert failed(judge(evidence(baseline=before))) == []
    slower = later(lambda _: True, 0.008)
    assert failed(judge(evidence(slower, baseline=before))) == ["baseline p50", "baseline p99", "baseline p99.9"]
