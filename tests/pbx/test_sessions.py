"""Agents type like people: one session per customer, one hand per agent, a queue when all are busy."""

from itertools import pairwise

import pytest

from simulator.pbx.plan import Plan, fingerprint, shots
from simulator.pbx.sessions import AT_ONCE, KEYS, PASTED, Office
from simulator.people import People


def _said(agents, rate, seconds=300.0, haste=1.0):
    office = Office(People(5), 5, agents, haste)
    return office, list(office.work("steady", rate, seconds, 5))


def test_enough_agents_send_at_the_asked_rate():
    """With enough agents the messages per second are about what was asked, in order of time."""
    office, said = _said(agents=400, rate=10.0)
    assert all(a.due <= b.due for a, b in pairwise(said))
    assert len(said) / 300 == pytest.approx(10.0, rel=0.25)
    assert office.waited == 0


def test_one_agent_types_one_message_at_a_time():
    """Two messages of one agent are never closer than the second takes to type."""
    _, said = _said(agents=3, rate=5.0)
    for agent in range(3):
        own = [one for one in said if one.agent == agent]
        assert all(b.due - a.due >= min(len(b.note.text) / KEYS, PASTED) - 1e-6 for a, b in pairwise(own))


def test_customers_queue_when_all_agents_are_busy():
    """A busy office keeps at most so many sessions open; the rest wait."""
    office, _ = _said(agents=1, rate=5.0, seconds=60)
    assert office.waited > 0
    assert max(office._open) == AT_ONCE


def test_haste_compresses_the_day():
    """Twice the haste is about twice the messages from a busy office."""
    _, slow = _said(agents=2, rate=20.0)
    _, fast = _said(agents=2, rate=20.0, haste=2.0)
    assert len(fast) / len(slow) == pytest.approx(2.0, rel=0.2)


def test_office_is_seeded_like_everything_else():
    """Plans with agents have fingerprints too, and shots in order."""
    plan = Plan(seed=3, rate=5, duration=60, agents=20)
    assert fingerprint(plan) == fingerprint(Plan(seed=3, rate=5, duration=60, agents=20))
    due = [shot.due for shot in shots(plan)]
    assert due == sorted(due)
    assert 0 < due[0] <= due[-1] < 60
