"""One message: what the judge says of it, how it is linked, repeated, saved and hidden."""

import csv
import io
import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from contracts import spec
from simulator.console.follower import GRACE
from tests.console.conftest import TO, open_bench


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


def test_a_message_can_be_saved_as_a_test(bench):
    """Each form of `smslab pbx snippet` is one click, without the key."""
    bench.sends("A")
    bench.rows()

    for form in ("curl", "pytest", "locust", "bru"):
        assert "YEASTAR_API_KEY" in bench.get(f"/messages/1/snippet.{form}")
    assert bench.client.get("/messages/1/snippet.exe").status_code == 404


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


def test_a_life_goes_on_while_it_is_looked_at(bench):
    """The page names the address of its live part, which speaks when something has happened."""
    bench.sends("A")
    bench.rows()
    (address,) = re.findall(r'data-live="([^"]+)"', bench.get("/messages/1"))
    first = bench.client.get(address)
    have = {"part": "life", "have": first.headers["X-State"]}
    assert bench.client.get("/messages/1", query_string=have).status_code == 204

    bench.takes("A")
    bench.rows()
    second = bench.client.get("/messages/1", query_string=have)

    assert ("Takes it" in first.text, "Takes it" in second.text) == (False, True)
    assert "not at the carrier yet" in first.text


@pytest.mark.parametrize("path", ["/", "/messages/1"])
def test_a_link_that_hides_leads_to_what_hides(path, bench):
    """Every address on a page that was opened with `?redact=1` says so too: its live part, its links, its files."""
    bench.sends("A")
    bench.rows()

    page = bench.get(path, redact="1")

    addresses = re.findall(r'(?:data-live|href)="(/[^"]*)"', page)
    assert not [one for one in addresses if "redact=1" not in one and not one.startswith("/static")]
    assert 'name="redact" value="1"' in page or path != "/"


def test_a_message_just_sent_has_its_page(bench):
    """Who follows the link of a message before the index has it waits a moment for the page, and gets it."""
    number = bench.sends("A", "Just now")
    with ThreadPoolExecutor(1) as visitor:
        answer = visitor.submit(bench.client.get, f"/messages/{number}")
        bench.follower.catch_up()

    assert "Just now" in answer.result().text
