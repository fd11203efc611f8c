"""What a tester sees on a real lab and on the list: both sides of a message, filters, rooms, the live part."""

import json
import re
from pathlib import Path
from threading import Event

import httpx
import pytest

from simulator.console.app import PAGES
from simulator.console.lab import LabView
from simulator.ledger import accounts
from simulator.ledger.pbx import PbxLedger
from simulator.ledger.watch import totals
from simulator.pbx.call import open_client
from simulator.pbx.habits import Habits
from simulator.pbx.pbx import Pbx
from simulator.pbx.world import until
from tests.console.conftest import TO, open_bench, target

DOCS = Path(__file__).parents[2] / "simulator" / "console" / "docs"


@pytest.fixture
def watched(lab, tmp_path):
    """A console on the running lab, and a PBX that sends through it in a run of this test's own."""
    seen = target(lab.send_url, carrier={"url": lab.carrier_url})
    real = type(seen)(lab.send_url, lab.verify_url, lab.key, lab.from_number, TO)
    with (
        open_bench(LabView(seen, lab.directory / "lab.toml"), tmp_path / "index.sqlite") as bench,
        PbxLedger(lab.pbx_ledger) as ledger,
        open_client() as client,
    ):
        bench.run = f"anna/{tmp_path.name}"
        bench.player = Pbx(real, ledger, client, habits=Habits(), run=bench.run)
        yield bench


def reaches(bench, order: str, outcome: str, receipt: str | None = None) -> None:
    """Wait until the index has the message where it should be."""
    for _ in until(Event(), 20):
        rows = [row for row in bench.rows() if row["order_id"] == order]
        if rows and (rows[0]["outcome"], rows[0]["receipt"]) == (outcome, receipt):
            return
    raise AssertionError([dict(row) for row in rows])


def test_one_message_is_seen_on_both_sides(watched):
    """A message whose carrier resets the line once: PBX, gateway, carrier, receipts and the fault on one page."""
    sent = watched.player.send("+46701740671", "across <both> sides")
    reaches(watched, sent.order_id, "delivered", "DELIVRD")

    row = next(row for row in watched.rows() if row["order_id"] == sent.order_id)
    for _ in until(Event(), 20):  # what the carrier wrote may be read before what the gateway logged
        page = watched.get(f"/messages/{row['attempt']}")
        if "Carrier took it" in page and "Message is now DELIVRD" in page:
            break

    for said in (
        *("Sends", "Gets 200", "Order is on disk", "Takes it", "Carrier did not take it", "Carrier took it"),
        *("Hands over the receipt DELIVRD", "Message is now DELIVRD", "the first time: taken, then the connection is"),
        *("across &lt;both&gt; sides", "The answer is right", "curl -sS", "smslab pbx snippet", sent.order_id),
    ):
        assert said in page, said
    assert page.count("magic number") == 1
    assert "Authorization: Bearer $YEASTAR_API_KEY" in page.replace("&#34;", '"')


def test_an_armed_fault_is_named(watched, lab):
    """What somebody did to the carrier stands beside what it did to the message."""
    httpx.post(f"{lab.carrier_url}/faults", json={"kind": "refuse", "params": {"status": 422}, "scope": {"to": TO}})
    try:
        sent = watched.player.send(TO, "to be refused")
        reaches(watched, sent.order_id, "refused by carrier")
        row = next(row for row in watched.rows() if row["order_id"] == sent.order_id)

        assert f"armed then: refuse status=422 --scope to={TO}" in watched.get(f"/messages/{row['attempt']}")
    finally:
        httpx.post(f"{lab.carrier_url}/reset")


def test_the_timeline_finds_a_refusal_by_its_code(watched):
    """Filters narrow, the room is the visitor's own, and everyone is one click away."""
    watched.player.send("12", "no number")
    watched.rows()

    page = watched.get("/", run=watched.run, code="10001", outcome="refused", room="anna")

    assert page.count("<tr id=") == 1
    assert "Show everyone" in page
    assert "no number" in page
    assert watched.get("/", run=watched.run, code="10002", room="anna").count("<tr id=") == 0
    assert watched.get("/", run=watched.run, room="ben").count("<tr id=") == 0


def test_wait_and_expect_answer_as_the_command_line_does(watched, lab):
    """The counts over HTTP are those of `smslab pbx expect`, and `wait` gives the whole message."""
    for to, text in ((TO, "one"), ("12", "two"), ("+46701740611", "three")):
        last = watched.player.send(to, text)
    reaches(watched, last.order_id, "delivered", "UNDELIV")
    query = {"run": watched.run}
    found = [one for one in accounts.messages(lab.pbx_ledger, lab.carrier_ledger) if one.attempt.run == watched.run]

    expected = watched.client.get("/api/expect", query_string=query | {"count": 2, "dup": 0, "timeout": 5})
    waited = watched.client.get("/api/wait", query_string=query | {"state": "UNDELIV", "timeout": 5})

    assert (expected.status_code, expected.json["totals"]) == (200, totals(found))
    assert waited.json == json.loads(json.dumps(found[-1].as_document()))


def test_the_live_part_speaks_only_when_something_changed(bench):
    """The newest rows come once; as long as nothing changes the answer is empty."""
    bench.sends("A")
    bench.rows()
    first = bench.client.get("/timeline/rows")
    have = {"have": first.headers["X-State"]}
    assert bench.client.get("/timeline/rows", query_string=have).status_code == 204

    bench.takes("A")
    bench.rows()
    second = bench.client.get("/timeline/rows", query_string=have)

    assert (second.status_code, "delivered" in second.text) == (200, True)


def test_rooms_and_redaction_are_switches(bench):
    """A room is entered and left by a form, the timeline follows, and so does hiding."""
    bench.sends("A", "of anna", run="anna/x")
    bench.sends("B", "of ben", run="ben/x")
    bench.rows()
    form = {"csrf_token": re.search(r'csrf_token" value="([^"]+)', bench.get("/"))[1]}

    bench.client.post("/room", data=form | {"room": "anna"})
    own = bench.get("/")
    bench.client.post("/redaction", data=form | {"redact": "1"})
    hidden = bench.get("/")
    bench.client.post("/room", data=form | {"room": ""})
    everyone = bench.get("/", redact="0")

    assert ("of anna" in own, "of ben" in own) == (True, False)
    assert "[7 characters]" in hidden
    assert ("of anna" in everyone, "of ben" in everyone) == (True, True)
    assert bench.client.post("/room", data=form | {"room": "<b>"}).status_code == 400


def test_every_module_is_in_the_internals():
    """How the console is made names each of its modules."""
    said = (DOCS / "INTERNALS.md").read_text(encoding="utf-8")
    modules = {file.name for file in DOCS.parent.glob("*.py")} - {"__init__.py", "app.py"}

    assert not [name for name in modules if name not in said]
    assert PAGES[0].name == "timeline"
