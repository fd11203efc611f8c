"""What a tester sees: one message across both sides on a real lab, and finding, sharing, saving and hiding it."""

import csv
import io
import json
import re
from pathlib import Path
from threading import Event

import httpx
import pytest

from contracts import spec
from simulator.console.app import PAGES
from simulator.console.follower import GRACE
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
    page = watched.get(f"/messages/{row['attempt']}")

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


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"to": "+1"}, 404, "No such message was tried within 0 s."),
        ({"state": "nowhere"}, 400, "'nowhere' is no state"),
        ({"timeout": "soon"}, 400, "timeout is a number"),
        ({"timeout": "61"}, 400, "no wait is longer than 60 s"),
        ({"after": "-1"}, 400, "after is a number"),
        ({"state": "refused"}, 409, "Attempt 1 is not refused after 0 s."),
        ({"after": "1"}, 404, "No such message"),
        ({"text": "ell", "run": "manual"}, 200, None),
        ({"text": "elk"}, 404, "No such message"),
    ],
)
def test_wait_says_what_is_missing(query, status, error, bench):
    """Each way not to be answered has its status and one sentence."""
    bench.sends("A")
    bench.takes("A")
    bench.rows()

    answer = bench.client.get("/api/wait", query_string={"timeout": "0"} | query)

    assert answer.status_code == status
    assert error is None or error in answer.json["error"]


def test_expect_says_what_is_odd(bench):
    """A duplicate that was not expected is 409, with the numbers and the message."""
    bench.sends("A")
    bench.takes("A")
    bench.takes("A", window=0)
    bench.rows()

    answer = bench.client.get("/api/expect", query_string={"count": 1, "dup": 0, "timeout": 0})

    assert (answer.status_code, answer.json["unmet"]) == (409, ["duplicates: 1, not 0"])
    assert [one["order_id"] for one in answer.json["odd"]] == ["A"]
    assert bench.client.get("/api/expect").status_code == 400


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


def test_wrong_answers_are_pointed_at(bench):
    """An answer that breaks the contract is shown with the rule, what the rule says, and what was seen."""
    bench.answers(bench.tries(), None, 400, "10001")
    bench.rows()

    page = bench.get("/messages/1")

    assert "YS-ENV-03" in page
    assert "The title is the one of its code." in page
    assert spec.error_codes()["10001"].title in page


def test_a_link_to_a_message_outlives_the_index(bench, tmp_path):
    """The address of a message is the PBX's number or the order's id, whichever way the index was filled."""
    bench.clock.now += 1
    bench.takes("S/1 \u00e4", "elsewhere")
    bench.rows()
    bench.clock.now += GRACE + 1
    bench.sends("A")
    bench.rows()
    links = re.findall(r'class="open" href="([^"]+)"', bench.get("/"))

    with open_bench(bench.lab, tmp_path / "anew.sqlite", bench.clock) as anew:
        anew.rows()
        anew.clock.now += GRACE + 1
        anew.rows()
        pages = [anew.get(link) for link in links]

    assert links == ["/orders/S/1%20%C3%A4", "/messages/1"]
    assert ["elsewhere" in page for page in pages] == [True, False]


def test_what_is_shown_can_be_saved(bench):
    """JSON has whole messages, CSV a harmless line each, HAR what crossed the wire; the filter holds in all."""
    bench.sends("A", "=1+1", run="anna/x")
    bench.takes("A", "=1+1")
    bench.sends("B", "Hello", run="ben/x")
    bench.rows()
    saved = {form: bench.get(f"/export.{form}", room="anna") for form in ("json", "csv", "har")}

    (document,) = json.loads(saved["json"])
    (line,) = csv.DictReader(io.StringIO(saved["csv"]))
    (entry,) = json.loads(saved["har"])["log"]["entries"]

    assert (document["order_id"], document["states"]) == ("A", ["accepted", "delivered", "tried"])
    assert (line["order_id"], line["text"], line["recipient"], line["outcome"]) == ("A", "'=1+1", TO, "delivered")
    assert (entry["request"]["method"], entry["response"]["status"]) == ("POST", 200)
    assert json.loads(bench.get("/export.har", room="nobody"))["log"]["entries"] == []
    assert json.loads(bench.get("/export.json", room="nobody")) == []


@pytest.mark.parametrize("text", ['a secret text with \u00fc and "quotes"', "+639171234567", "abc", "200"])
def test_redaction_reaches_everything(text, bench):
    """With redaction on neither number nor text is on any page or in any file."""
    bench.sends("A", text)
    bench.takes("A", text)
    bench.logs("refused", "A", reason=f"no {text}" if len(text) > 3 else "no")
    bench.rows()

    for path in ("/", "/timeline/rows", "/messages/1", "/export.json", "/export.csv", "/export.har", "/api/wait"):
        shown = bench.get(path, redact="1")
        assert TO not in shown, path
        assert len(text) <= 3 or (text not in shown and json.dumps(text)[1:-1] not in shown), path
        assert len(text) > 3 or f'"text": "{text}"' not in shown.replace("&#34;", '"'), path
    assert "a secret" not in bench.get("/messages/1", redact="1")


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


def test_a_message_can_be_saved_as_a_test(bench):
    """Each form of `smslab pbx snippet` is one click, without the key."""
    bench.sends("A")
    bench.rows()

    for form in ("curl", "pytest", "locust", "bru"):
        assert "YEASTAR_API_KEY" in bench.get(f"/messages/1/snippet.{form}")
    assert bench.client.get("/messages/1/snippet.exe").status_code == 404


def test_every_module_is_in_the_internals():
    """How the console is made names each of its modules."""
    said = (DOCS / "INTERNALS.md").read_text(encoding="utf-8")
    modules = {file.name for file in DOCS.parent.glob("*.py")} - {"__init__.py", "app.py"}

    assert not [name for name in modules if name not in said]
    assert PAGES[0].name == "timeline"
