"""Each message is found where it is: by id, by content where there is none, and only the newest one answers."""

import pytest

from simulator.ledger.carrier import Delivery, Handover
from simulator.ledger.pbx import Attempt
from simulator.ledger.watch import DUPLICATES, STATES, Wanted, arrived, messages, selected, totals, unmet

SENDER = "+630000000001"


def attempt(number, status=200, *, to="+639170000001", text="hi", run="r"):
    """An attempt; an accepted one has the id SDPS and its number."""
    order = f"SDPS{number}" if status == 200 else None
    return Attempt(number, run, SENDER, to, text, number, None, status, None, order, {"seconds": 1})


def delivery(seq, key, *, to="+639170000001", text="hi"):
    """A delivery as the carrier has it."""
    return Delivery(seq, f"SIM{seq}", key, "FUTURESMS", to, text, "GSM-7", 1, 9.0)


@pytest.mark.parametrize(
    ("attempts", "deliveries", "expected"),
    [
        ([], [], {}),
        ([attempt(1)], [], {"tried": 1, "accepted": 1}),
        ([attempt(1, None)], [], {"tried": 1, "indeterminate": 1}),
        ([attempt(1, 429)], [], {"tried": 1, "refused": 1}),
        ([attempt(1)], ["SDPS1"], {"tried": 1, "accepted": 1, "delivered": 1}),
        ([attempt(1)], ["SDPS1"] * 3, {"tried": 1, "accepted": 1, "delivered": 1, "duplicated": 1, DUPLICATES: 2}),
        ([attempt(1)], ["SDPS1", "OTHER"], {"tried": 1, "accepted": 1, "delivered": 1}),
        ([attempt(1, None)], ["X", "Y"], {"tried": 1, "indeterminate": 1, "delivered": 1}),
        (
            [attempt(1, None)],
            ["X", "X"],
            {"tried": 1, "indeterminate": 1, "delivered": 1, "duplicated": 1, DUPLICATES: 1},
        ),
        ([attempt(1), attempt(2)], ["SDPS2", "SDPS1"], {"tried": 2, "accepted": 2, "delivered": 2}),
        (
            [attempt(1), attempt(2, None)],
            ["SDPS1", "X"],
            {"tried": 2, "accepted": 1, "indeterminate": 1, "delivered": 2},
        ),
        ([attempt(1, 500), attempt(2, None)], ["X"], {"tried": 2, "refused": 1, "indeterminate": 1, "delivered": 1}),
    ],
)
def test_totals_say_where_messages_are(attempts, deliveries, expected):
    """Each attempt is counted under every state it is in; deliveries beyond the first are duplicates."""
    found = messages(attempts, [delivery(seq, key) for seq, key in enumerate(deliveries, 1)])
    assert {name: n for name, n in totals(found).items() if n} == expected
    assert set(totals(found)) == {*STATES, DUPLICATES}


def test_a_delivery_without_an_id_goes_to_the_unanswered_first():
    """What came under an unknown key is the unanswered attempt's, then the refused one's."""
    tried = [attempt(1), attempt(2, 500), attempt(3, None)]
    found = messages(tried, [delivery(1, "A"), delivery(2, "B"), delivery(3, "SDPS1"), delivery(4, "C", text="other")])
    assert [[copy.key for copy in one.deliveries] for one in found] == [["SDPS1"], ["B"], ["A"]]


def test_a_delivery_from_before_is_somebody_elses():
    """What the carrier took before an attempt was made is not what the attempt was about."""
    (message,) = messages([attempt(10, None)], [delivery(1, "OLD")])
    assert message.deliveries == ()


def test_receipts_that_were_taken_are_states():
    """A receipt answered with 2xx is a state of the message; one that was refused is not, but is shown."""
    told = [Handover(1, "R1", "SIM1", "ENROUTE", 1.0, 500), Handover(2, "R2", "SIM1", "DELIVRD", 2.0, 204)]
    (message,) = messages([attempt(1)], [delivery(1, "SDPS1")], told)
    assert message.states == {"tried", "accepted", "delivered", "DELIVRD"}
    document = message.as_document()
    assert [one["message_status"] for one in document["receipts"]] == ["ENROUTE", "DELIVRD"]
    assert (document["order_id"], document["exchange"], document["deliveries"][0]["seq"]) == (
        "SDPS1",
        {"seconds": 1},
        1,
    )


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (Wanted(), [1, 2, 3]),
        (Wanted(to="+2"), [2, 3]),
        (Wanted(run="b"), [3]),
        (Wanted(text="ell"), [2]),
        (Wanted(to="+2", after=2), [3]),
        (Wanted(to="+2", run="a", text="hello", after=2), []),
    ],
)
def test_messages_are_selected_by_all_that_is_said(wanted, numbers):
    """Recipient, run, a part of the text and the ledger's number narrow the choice together."""
    tried = [attempt(1, to="+1", run="a"), attempt(2, to="+2", text="hello", run="a"), attempt(3, to="+2", run="b")]
    assert [one.attempt.number for one in selected(messages(tried, []), wanted)] == numbers


def test_yesterdays_message_does_not_answer_for_todays():
    """Only the newest message to a number arrives; nobody arrives where nothing was tried."""
    yesterday, today = attempt(1), attempt(2, text="today")
    found = messages([yesterday, today], [delivery(1, "SDPS1")])
    assert arrived(found, "delivered") is None
    assert arrived(found[:1], "delivered") is found[0]
    assert arrived([], "delivered") is None


def test_what_is_not_as_expected_is_a_sentence_each():
    """Totals that differ are named with both numbers; a receipt that nobody got counts as none."""
    counts = totals(messages([attempt(1)], [delivery(1, "SDPS1")]))
    assert unmet(counts, {"delivered": 1, DUPLICATES: 0, "DELIVRD": 0}) == []
    assert unmet(counts, {"delivered": 2, "DELIVRD": 1}) == ["delivered: 1, not 2", "DELIVRD: 0, not 1"]
