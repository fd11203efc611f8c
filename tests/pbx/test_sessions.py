"""Agents type like people: one session per customer, one hand per agent, a queue where all of its agents are busy."""

from collections import deque
from itertools import pairwise

import pytest
from click.testing import CliRunner

from simulator.pbx.cli import pbx
from simulator.pbx.plan import Plan, fingerprint, shots
from simulator.pbx.sessions import AT_ONCE, KEYS, PASTED, Office, Queue, staff
from simulator.people import People


def _said(agents, rate, seconds=300.0, haste=1.0, queues=None):
    office = Office(People(5), 5, queues or staff(agents), haste)
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
        assert own
        assert all(b.due - a.due >= min(len(b.note.text) / KEYS, PASTED) - 1e-6 for a, b in pairwise(own))


def test_customers_queue_when_all_agents_are_busy():
    """A busy agent keeps at most so many sessions open; the rest wait."""
    office, _ = _said(agents=1, rate=5.0, seconds=60)
    assert office.waited > 0
    assert office.queues[0].open == {0: AT_ONCE}


@pytest.mark.parametrize(
    ("agents", "pbxs", "queues", "expected"),
    [
        (1, 1, None, [1]),
        (60, 1, None, [60]),
        (61, 1, None, [30, 31]),
        (500, 1, None, [55, 56, 55, 56, 55, 56, 55, 56, 56]),
        (501, 1, None, [100, 100, 100, 100, 101]),
        (15_360, 1, None, [120] * 128),
        (10, 1, 3, [3, 3, 4]),
        (32, 1, 32, [1] * 32),
        (9, 4, None, [2, 2, 2, 3]),
    ],
)
def test_staff_is_spread_over_queues(agents, pbxs, queues, expected):
    """Up to 500 agents sit in queues of 60, more in queues of 120; every agent sits in exactly one."""
    found = staff(agents, pbxs, queues)
    assert sorted(len(queue.agents) for queue in found) == sorted(expected)
    assert [agent for queue in found for agent in queue.agents] == list(range(agents))
    assert {queue.pbx for queue in found} == set(range(pbxs))


@pytest.mark.parametrize(
    ("agents", "pbxs", "queues", "sentence"),
    [
        (100, 1, 33, "A PBX of 100 agents has at most 32 message queues of 60 agents each."),
        (100, 1, 1, "at most 32 message queues of 60"),
        (600, 1, 129, "at most 128 message queues of 120"),
        (15_361, 1, None, "A PBX of 15361 agents has at most 128"),
        (2, 1, 3, "2 agents are too few for 1 PBXs with 3 queues each."),
        (3, 4, None, "3 agents are too few for 4 PBXs with 1 queues each."),
    ],
)
def test_offices_that_no_pbx_has_are_sentences(agents, pbxs, queues, sentence):
    """More queues or agents than Yeastar's limits, or a queue without an agent, is exit 2 before anything is sent."""
    with pytest.raises(ValueError, match=sentence.replace(".", r"\.")):
        staff(agents, pbxs, queues)
    words = ["traffic", "--send-url", "http://127.0.0.1:9", "--agents", str(agents), "--pbxs", str(pbxs), "--dry-run"]
    words += ["--queues", str(queues)] if queues else []
    result = CliRunner().invoke(pbx, words, env={"YEASTAR_API_KEY": "k"})
    assert (result.exit_code, sentence in result.output) == (2, True)


def test_a_busy_queue_does_not_borrow_from_another():
    """Customers wait in their own queue, although agents of the other one have nothing to do."""
    lonely, crowd = Queue(0, range(1)), Queue(1, range(1, 60))
    office = Office(People(5), 5, [lonely, crowd], shares=(1.0, 1.0))
    said = list(office.work("steady", 5.0, 60.0, 5))
    assert len(lonely.waiting) + sum(map(len, lonely.asking.values())) > 0
    assert not crowd.waiting
    assert all((one.pbx == 0) == (one.agent == 0) for one in said)
    assert sum(one.agent == 0 for one in said) < len(said) / 3


def test_whoever_asks_for_an_agent_waits_for_that_agent():
    """An agent's own customers wait for him, come before the queue's, and nobody else takes them."""
    queue = Queue(0, range(3))
    first, own, other = object(), object(), object()
    queue.waiting.extend([first])
    queue.asking[1] = deque([own, other])
    assert [queue.next_for(1), queue.next_for(2), queue.next_for(0), queue.next_for(1)] == [own, first, None, other]


def test_session_stays_with_one_agent_and_one_pbx():
    """All that a customer is told in a session comes from one agent and one number, one open session per pair."""
    plan = Plan(seed=3, rate=3, duration=300, agents=100, numbers=("+631", "+632"), shares=(3, 1))
    pairs = {}
    for shot in shots(plan):
        pairs.setdefault(shot.to, set()).add(shot.from_number)
    assert all(len(senders) == 1 for senders in pairs.values())
    shares = [shot.from_number for shot in shots(plan)]
    assert shares.count("+631") > 1.5 * shares.count("+632") > 0


def test_haste_compresses_the_day():
    """Twice the haste is about twice the messages from a busy office."""
    _, slow = _said(agents=2, rate=20.0)
    _, fast = _said(agents=2, rate=20.0, haste=2.0)
    assert len(fast) / len(slow) == pytest.approx(2.0, rel=0.2)


def test_office_is_seeded_like_everything_else():
    """Plans with agents have fingerprints too, and shots in order; another number of queues is another day."""
    plan = Plan(seed=3, rate=5, duration=60, agents=20)
    assert fingerprint(plan) == fingerprint(Plan(seed=3, rate=5, duration=60, agents=20))
    assert fingerprint(plan) != fingerprint(Plan(seed=3, rate=5, duration=60, agents=20, queues=4))
    due = [shot.due for shot in shots(plan)]
    assert due == sorted(due)
    assert 0 < due[0] <= due[-1] < 60
