"""The balance tells the truth: every corruption of two ledgers that agree is reported, and nothing else is."""

import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.ledger.balance import Balance, balance, kinds
from simulator.ledger.carrier import Delivery
from simulator.ledger.pbx import Attempt
from simulator.ledger.segments import segments

UNHURRIED = settings(deadline=None)  # the machine is shared
SENDER = "+630000000001"


def attempt(number, status=200, text=None):
    """An attempt with its own text; accepted ones get an id."""
    order = f"SDPS{number}" if status == 200 else None
    text = f"text {number}" if text is None else text
    return Attempt(number, "run", SENDER, "+639170000001", text, number, number + 0.5, status, None, order)


def delivery(tried, seq=None, key=None):
    """What an honest carrier has of an attempt."""
    encoding, count = segments(tried.text)
    key = key or tried.order_id
    return Delivery(seq or tried.number, f"SIM{tried.number}", key, SENDER, tried.to, tried.text, encoding, count, 9.0)


def wrongs(account):
    """The kinds of wrong that were found, with their ids."""
    return {name: getattr(account, name) for name, _, wrong in kinds() if wrong and getattr(account, name)}


@st.composite
def worlds(draw):
    """Attempts and the deliveries of an honest provider: never-answered ones delivered or not, as it happens."""
    statuses = draw(st.lists(st.sampled_from([200, 200, 200, 400, 429, 500, None]), min_size=1, max_size=30))
    tried = [attempt(number, status) for number, status in enumerate(statuses, 1)]
    taken = [delivery(one) for one in tried if one.accepted]
    taken += [delivery(one, key=f"X{one.number}") for one in tried if one.indeterminate and draw(st.booleans())]
    return tried, draw(st.permutations(taken))


@UNHURRIED
@given(worlds())
def test_an_honest_provider_balances_in_any_order(world):
    """Whatever the statuses and the order of taking: nothing wrong, and every attempt is placed once."""
    tried, taken = world
    account = balance(tried, taken)
    assert account.is_true
    assert wrongs(account) == {}
    assert len(account.sent) == len(tried)
    assert set(account.delivered) == set(account.accepted)
    assert len(account.accepted) + len(account.refused) + len(account.indeterminate) == len(tried)
    assert len(account.delivered) + len(account.indeterminate_delivered) == len(taken)


CORRUPTIONS = {
    "drop": ("lost", lambda _, rest: rest),
    "duplicate": ("duplicated", lambda one, rest: [one, one._replace(seq=999), *rest]),
    "alter the text": ("altered", lambda one, rest: [one._replace(text=one.text + " "), *rest]),
    "alter the recipient": ("altered", lambda one, rest: [one._replace(to="+639170000002"), *rest]),
    "drop a segment": ("altered", lambda one, rest: [one._replace(segments=one.segments + 1), *rest]),
    "take it as another encoding": ("altered", lambda one, rest: [one._replace(encoding="UCS-2"), *rest]),
}


@pytest.mark.parametrize(("kind", "corrupt"), CORRUPTIONS.values(), ids=CORRUPTIONS)
@UNHURRIED
@given(world=worlds(), data=st.data())
def test_each_corruption_of_a_delivery_is_reported(kind, corrupt, world, data):
    """Spoil one delivery of an accepted message: exactly that id is reported, under exactly that kind."""
    tried, taken = world
    promised = {one.order_id for one in tried if one.accepted}
    victims = [one for one in taken if one.key in promised]
    if not victims:
        return
    victim = data.draw(st.sampled_from(victims))
    account = balance(tried, corrupt(victim, [one for one in taken if one is not victim]))
    assert wrongs(account) == {kind: (victim.key,)}
    assert not account.is_true


@UNHURRIED
@given(worlds())
def test_what_nobody_sent_is_a_phantom(world):
    """A delivery that fits no attempt is a phantom; one that fits a refused attempt was refused yet delivered."""
    tried, taken = world
    stranger = delivery(attempt(500), key="STRANGE")
    refused = attempt(501, 429)
    account = balance([*tried, refused], [*taken, stranger, delivery(refused, key="REFUSED")])
    assert wrongs(account) == {"phantom": ("STRANGE",), "refused_yet_delivered": ("REFUSED",)}


def test_an_unanswered_attempt_explains_one_delivery_only():
    """At most once: a second delivery of an unanswered attempt is a phantom, or a duplicate if the key is the same."""
    lost = attempt(1, None)
    twice = [delivery(lost, 1, "A"), delivery(lost, 2, "B")]
    account = balance([lost], twice)
    assert account.indeterminate_delivered == ("A",)
    assert wrongs(account) == {"phantom": ("B",)}
    assert wrongs(balance([lost], [one._replace(key="A") for one in twice])) == {"duplicated": ("A",)}


@pytest.mark.parametrize(
    ("states", "taken", "kind"),
    [
        ({"SDPS1": "queued"}, False, "pending"),
        ({"SDPS1": "refused"}, False, "refused_by_carrier"),
        ({"SDPS1": "expired"}, False, "expired"),
        ({"SDPS1": "cancelled"}, False, "cancelled"),
        ({"SDPS1": "submitted"}, False, "lost"),
        ({"SDPS1": "void"}, False, "lost"),
        ({}, False, "false_id"),
        ({"SDPS1": "submitted"}, True, "delivered"),
        ({"SDPS1": "queued"}, True, "delivered"),
        ({"SDPS1": "expired"}, True, "disputed"),
        ({"SDPS1": "void"}, True, "disputed"),
        ({}, True, "disputed"),
    ],
)
def test_orders_say_how_an_accepted_message_ended(states, taken, kind):
    """With the gateway's orders each end has its own kind; one that contradicts the carrier is disputed."""
    one = attempt(1)
    orders = [{"id": order, "state": state} for order, state in states.items()]
    account = balance([one], [delivery(one)] if taken else [], orders)
    placed = [name for name, _, _ in kinds() if getattr(account, name) and name not in {"sent", "accepted"}]
    assert placed == [kind]


def test_a_void_order_must_not_be_delivered():
    """An order that was made void after a failed commit, and is at the carrier, was refused yet delivered."""
    refused = attempt(1, 500)
    account = balance([refused], [delivery(refused, key="V")], [{"id": "V", "state": "void"}])
    assert wrongs(account) == {"refused_yet_delivered": ("V",)}


def test_a_refusal_in_doubt_is_no_broken_word():
    """A 500 whose order the gateway's log calls indeterminate may have been taken, once; others may not."""
    first, second = attempt(1, 500), attempt(2, 500)
    account = balance([first, second], [delivery(first, key="A"), delivery(second, key="B")], doubts={"A"})
    assert account.indeterminate_delivered == ("A",)
    assert wrongs(account) == {"refused_yet_delivered": ("B",)}


@pytest.mark.parametrize("order", [None, "", "SDPS1"])
def test_a_200_needs_an_id_of_its_own(order):
    """A 200 with no id, or with one that was given before, is a false id."""
    second = replace(attempt(2), order_id=order)
    account = balance([attempt(1), second], [delivery(attempt(1))])
    assert wrongs(account) == {"false_id": (f"{order or ''}#2",)}


def test_in_flight_is_the_peak_of_open_attempts():
    """Attempts that were never closed stay open to the end; one that ends as another begins is not beside it."""
    times = [(0, 4), (1, 2), (2, 3), (5, None), (6, None)]
    tried = [replace(attempt(n), started_at=a, finished_at=b) for n, (a, b) in enumerate(times)]
    assert balance(tried, []).in_flight == 2


def test_a_hundred_thousand_messages_balance_in_under_five_seconds():
    """The size of a release run, with trouble in it; in time of this process, since others share the machine."""
    tried = [attempt(number, text="Your parcel 0123456789 is on its way. " * 4) for number in range(100_000)]
    taken = [delivery(one) for one in tried]
    taken[7] = taken[7]._replace(text="other")
    began = time.process_time()
    account = balance(tried, [*taken[:50], *taken[51:], taken[90]])
    assert time.process_time() - began < 5
    assert wrongs(account) == {"lost": ("SDPS50",), "duplicated": ("SDPS90",), "altered": ("SDPS7",)}


def test_every_kind_is_a_field_with_its_meaning():
    """The kinds are the balance's own fields, so a report cannot leave one out."""
    assert {name for name, _, _ in kinds()} == set(Balance.__dataclass_fields__) - {"in_flight"}
    assert all(meaning for _, meaning, _ in kinds())
