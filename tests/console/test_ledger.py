"""The balance as people see it: counted while messages change, equal to what the ledgers say, red when it is false."""

import csv
import io
import json

import pytest

from simulator.console.follower import GRACE
from simulator.console.tallies import ORDER, account, wrong_now
from simulator.ledger.balance import balance
from simulator.ledger.pbx import Attempt


def counts(bench, room: str = "") -> dict[str, int]:
    """The numbers of the balance that are not zero."""
    bench.rows()
    found = account(bench.projection, room)
    return {one.name: one.number for one in found.counts if one.number} | {"sent": found.sent}


def known(bench, order: str, *events: str) -> None:
    """The gateway's log tells of an order."""
    for event in events:
        bench.logs(event, order)


def delivered(bench, order: str, text: str = "Hello", run: str = "manual") -> None:
    """A message that goes the whole way."""
    bench.sends(order, text, run=run)
    known(bench, order, "accepted", "submitted")
    bench.takes(order, text)


def everything(bench) -> None:
    """One message for each way it can end, in both ledgers and the log."""
    for number in range(3):
        delivered(bench, f"good-{number}", f"good {number}")
    bench.sends("pending", "pending")
    known(bench, "pending", "accepted")
    for end in ("refused", "expired", "cancelled"):
        bench.sends(f"was-{end}", f"was {end}")
        known(bench, f"was-{end}", "accepted", end)
    bench.answers(bench.tries("no"), None, 400, "10001")
    bench.answers(bench.tries("silence"), None, None)
    bench.answers(bench.tries("silence, taken"), None, None)
    bench.takes("unheard", "silence, taken")
    bench.sends("lost", "lost")
    known(bench, "lost", "accepted", "submitted")
    delivered(bench, "twice", "twice")
    bench.takes("twice", "twice", window=0)
    bench.sends("cut", "all of it")
    known(bench, "cut", "accepted", "submitted")
    bench.takes("cut", "all of")
    bench.takes("nobody", "who said this")
    bench.answers(bench.tries("no id"), None, 200)
    bench.sends("unknown", "an id of no order")
    bench.sends("good-0", "an id given before")
    bench.answers(bench.tries("refused, taken"), None, 500, "10007")
    bench.takes("void", "refused, taken")
    bench.sends("disputed", "disputed")
    known(bench, "disputed", "accepted", "expired")
    bench.takes("disputed", "disputed")
    bench.rows()
    bench.clock.now += GRACE + 1


STATES = {
    "pending": "queued", "lost": "submitted", "was-refused": "refused", "was-expired": "expired",
    "was-cancelled": "cancelled", "disputed": "expired", "twice": "submitted", "cut": "submitted",
} | {f"good-{number}": "submitted" for number in range(3)}  # fmt: skip


def test_the_page_and_reconcile_agree(bench):
    """Every way a message can end is counted as `smslab reconcile` counts it from the ledgers and the orders."""
    everything(bench)
    seen = counts(bench)
    orders = [{"id": order, "state": state} for order, state in STATES.items()]
    true = balance(bench.pbx.attempts(), bench.carrier.deliveries(), orders)

    said = {name.replace(" ", "_"): number for name, number in seen.items()}
    assert said.pop("indeterminate") == len(true.indeterminate) == 2
    assert account(bench.projection).unanswered_delivered == len(true.indeterminate_delivered) == 1
    assert said.pop("refused") + said["refused_yet_delivered"] == len(true.refused) == 2
    assert said == {name: len(getattr(true, name)) for name in said}
    assert len(said) == len(ORDER) - 2  # nothing is open, and two were compared above; sent is one more


def test_what_was_sent_is_the_sum_of_what_became_of_it(bench):
    """No message is in two places or in none: the outcomes of a room add up to what it sent."""
    everything(bench)
    seen = counts(bench)

    assert seen["sent"] == sum(number for name, number in seen.items() if name not in {"sent", "phantom"})


def test_counts_are_kept_and_not_made(bench):
    """The counts kept while messages change are those that counting all messages would give."""
    everything(bench)
    bench.rows()
    counted = bench.projection.rows("SELECT outcome, count(*) FROM messages GROUP BY outcome ORDER BY outcome")
    kept = bench.projection.rows(
        "SELECT outcome, sum(number) FROM tallies GROUP BY outcome HAVING sum(number) <> 0 ORDER BY outcome"
    )
    paced = bench.projection.rows("SELECT sum(number) FROM pace")[0][0]

    assert [tuple(row) for row in kept] == [tuple(row) for row in counted]
    assert paced == account(bench.projection).sent


def test_a_true_balance_is_no_alarm(bench):
    """While every promise is kept no page has a red bar."""
    delivered(bench, "A")
    bench.sends("B")
    bench.rows()

    assert "alarm" not in bench.get("/")
    assert "The balance is true." in bench.get("/ledger")


WRONG = {
    "duplicated": lambda bench: (delivered(bench, "A"), bench.takes("A", window=0)),
    "altered": lambda bench: (bench.sends("A"), bench.takes("A", "Hell")),
    "false id": lambda bench: bench.answers(bench.tries(), None, 200),
    "refused yet delivered": lambda bench: (bench.answers(bench.tries(), None, 400, "10001"), bench.takes("A")),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_false_balance_is_red_on_every_page(name, bench):
    """One message that breaks the promise makes the bar red on every page, with its name and a link to the ledger."""
    WRONG[name](bench)
    bench.rows()

    for path in ("/", "/carrier", "/ledger", "/messages/1"):
        page = bench.get(path)
        assert f"The balance is false: 1 {name}." in page, path
        assert 'href="/ledger?room=*"' in page.replace("%2A", "*"), path


def test_a_message_on_its_way_is_not_lost_yet(bench):
    """What the gateway has handed over and the carrier's ledger does not have is lost, once it had time to arrive."""
    delivered(bench, "A")
    bench.sends("B", "late")
    known(bench, "B", "accepted", "submitted")
    assert counts(bench)["pending"] == 1

    bench.clock.now += GRACE + 1
    assert counts(bench)["lost"] == 1
    bench.takes("B", "late")

    assert counts(bench) == {"sent": 2, "delivered": 2}


def test_what_came_from_elsewhere_is_no_phantom(bench):
    """A message that the gateway accepted from somebody whose ledger is not here alarms nobody."""
    bench.takes("A")
    known(bench, "A", "accepted", "submitted")
    bench.rows()
    bench.clock.now += GRACE + 1
    bench.rows()

    assert account(bench.projection).elsewhere == 1
    assert wrong_now(bench.projection) == {}
    assert "from somebody whose ledger is not here" in bench.get("/ledger")


def test_segments_counted_wrong_are_an_alteration(bench):
    """A message that arrives with its text but charged as another number of segments is altered."""
    bench.sends("A", "x" * 161)
    bench.takes("A", "x" * 161)

    assert counts(bench)["altered"] == 1


def test_a_doubt_of_the_gateway_is_no_refusal(bench):
    """A 500 that the gateway's log calls indeterminate, and that was delivered, breaks no promise."""
    bench.answers(bench.tries(), None, 500, "10007")
    bench.logs("indeterminate", "A")
    bench.takes("A")
    bench.rows()

    assert wrong_now(bench.projection) == {}
    assert account(bench.projection).unanswered_delivered == 1


def test_each_room_has_a_balance_of_its_own(bench):
    """A room's page counts its own messages, and everybody's page all of them."""
    delivered(bench, "A", run="anna/x")
    bench.answers(bench.tries("no", run="ben/y"), None, 400, "10001")

    assert counts(bench, "anna") == {"sent": 1, "delivered": 1}
    assert counts(bench, "ben") == {"sent": 1, "refused": 1}
    assert counts(bench) == {"sent": 2, "delivered": 1, "refused": 1}
    page = bench.get("/ledger", room="ben")
    assert "outcome=refused" in page.replace("&amp;", "&")
    assert "room=ben" in page
    assert "anna/x" not in page


def test_each_number_leads_to_its_messages(bench):
    """A number of the balance is a link to a timeline that has just those messages."""
    everything(bench)
    bench.rows()
    for one in account(bench.projection).counts:
        page = bench.get("/", outcome=one.outcome, room="*")
        assert page.count('<tr id="m') == one.number, one.outcome
        assert f"outcome={one.outcome.replace(' ', '+')}" in bench.get("/ledger")


def test_the_balance_can_be_saved(bench):
    """As JSON with the ids of what matters, in the words of reconcile, and as a table."""
    everything(bench)
    bench.rows()
    document = json.loads(bench.get("/ledger/balance.json"))
    table = list(csv.DictReader(io.StringIO(bench.get("/ledger/balance.csv"))))

    assert not document["true"]
    assert document["counts"]["sent"] == account(bench.projection).sent
    assert document["ids"]["lost"] == ["lost"]
    assert document["ids"]["false_id"] == ["#14", "unknown", "good-0"]
    assert {"kind": "lost", "count": "1", "wrong": "wrong"}.items() <= table[9].items()
    assert bench.client.get("/ledger/balance.xml").status_code == 404


def test_the_same_in_a_terminal(bench):
    """The page says which command reads the ledgers themselves."""
    assert "smslab reconcile --pbx-ledger" in bench.get("/ledger")


def test_a_hundred_thousand_messages_cost_no_page_anything(bench):
    """What a page reads for its alarm and its balance are the rows of the runs, however many messages they have."""
    attempts = [Attempt(0, f"run {n % 5}", "+1", f"+{n}", "x", 1.0, 2.0, 400, "10001") for n in range(5000)]
    bench.pbx.record_many(attempts)
    bench.rows()

    assert len(bench.projection.rows("SELECT * FROM tallies WHERE number > 0")) == 5
    plan = bench.projection.rows("EXPLAIN QUERY PLAN SELECT sum(number) FROM tallies WHERE outcome IN ('lost')")
    assert "tallies_by_outcome" in plan[0]["detail"]
