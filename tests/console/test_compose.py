"""Compose: what is previewed is what leaves, it leaves as a command's does, and is answered in the PBX's words."""

import html
import json
import re
import shlex

import pytest
from click.testing import CliRunner

from simulator.cli import smslab
from simulator.console.lab import LabView
from tests.console.conftest import TO, open_bench, target
from tests.console.forms import post, sent, words

CURLY = "It\u2019s ready"


def attempts(bench):
    """What the PBX's ledger has."""
    return list(bench.pbx.attempts())


def test_a_message_is_sent_and_answered_in_the_words_of_the_pbx(sender):
    """Its attempt is in the ledger, in the tester's room; the page has the event and leads to the message's life."""
    sender.client.set_cookie("room", "anna")

    page = sent(sender, text="Hello")

    (attempt,) = attempts(sender)
    assert (attempt.run, attempt.to, attempt.text, attempt.status) == ("anna/compose", TO, "Hello", 200)
    assert f"Sent to {TO} delivery_status 1 HTTP 200 Order {attempt.order_id}" in words(page)
    assert f'href="/messages/{attempt.number}"' in page
    assert ">\nHello</textarea>" in page


def test_a_refusal_is_told_with_category_code_and_the_words_of_the_provider(sender):
    """delivery_status 2, the category of event 30032, the code with its title."""
    page = words(sent(sender, to="0917 123 4567", text="Hello"))

    assert "Failed to 0917 123 4567 to is not a mobile number in E.164 format" in page
    assert "delivery_status 2 send_error invalid_phone_number HTTP 400 Code 10001 Invalid phone number" in page


@pytest.mark.parametrize(
    "form",
    [
        {"text": "Hello"},
        {"text": "curly \u2019 and \U0001f600\r\nnew line", "from": "+639990000000"},
        {"text": "", "to": ""},
        {"text": "<b>&amp;</b>", "media": "https://pbx.example/1.jpg\nhttps://pbx.example/2.jpg"},
    ],
)
def test_the_preview_is_the_request(form, sender):
    """Headers and body as shown before are headers and body as sent, but for the key, which is masked."""
    page = post(sender, **form).text
    shown = html.unescape(re.search(r"<pre[^>]*><span class=\"dim\">(.*?)</pre>", page, re.DOTALL)[1])
    head, _, body = shown.partition("</span>\n\n")
    sent(sender, **form)

    (attempt,) = attempts(sender)
    request = attempt.exchange["request"]
    assert body == request["body"]
    assert sender.lab.target.key not in page
    assert f"Authorization: Bearer \u2022\u2022\u2022\u2022\u2022\u2022\u2022\u2022{sender.lab.target.key[-4:]}" in head
    assert all(f"{name}: {value}" in head for name, value in request["headers"].items())
    assert f"Content-Length: {len(body)}" in head


@pytest.mark.parametrize("form", [{"text": "-- it's $HOME"}, {"text": CURLY, "from": "+639990000000"}])
def test_the_command_does_the_same(form, sender):
    """The line that is shown, typed in a terminal, sends the same bytes into the same ledger."""
    page = post(sender, **form).text
    line = html.unescape(re.search(r"data-copy>(.*?)</pre>", page, re.DOTALL)[1])
    sent(sender, **form)

    CliRunner().invoke(smslab, shlex.split(line)[1:])

    here, there = attempts(sender)
    assert here.exchange["request"] == there.exchange["request"]


def test_a_double_click_sends_twice(sender):
    """Two attempts, each with its own answer on the page."""
    page = words(sent(sender, text="Hello", clicks="2"))

    first, second = attempts(sender)
    assert first.order_id != second.order_id
    assert f"Order {first.order_id}" in page
    assert f"Order {second.order_id}" in page


@pytest.mark.parametrize("clicks", ["0", "-1", "999", "x"])
def test_a_forged_number_of_clicks_sends_no_flood(clicks, sender):
    """Once or twice, whatever a form says."""
    sent(sender, text="Hello", clicks=clicks)

    assert len(attempts(sender)) in {1, 2}


def test_the_fragment_is_the_preview(sender):
    """What a script fetches is the same part of the page, with the text as text."""
    text = "<img src=x onerror=alert(1)> \u2019 " + "x" * 60
    page, fragment = post(sender, text=text).text, post(sender, "/compose/preview", text=text).text

    assert fragment.strip() in page
    assert fragment.startswith('<div id="preview"')
    assert "<img" not in fragment
    assert "&lt;img src=x onerror=alert(1)&gt;" in fragment
    assert "UCS-2</strong></dd></div>" in fragment
    assert '<span class="edge"><span>2</span></span>' in fragment
    assert '<mark class="odd">\u2019</mark>' in fragment
    assert "Now UCS-2, 2 segments; with them replaced GSM-7, 1." in words(fragment)


def test_a_message_is_composed_again(sender):
    """From its page: to the same number, with the same text and files, from the same sender."""
    links = "https://pbx.example/1.jpg"
    sent(sender, text="Once\r\nmore", media=links, **{"from": "+639990000000"})
    sender.takes("B", "From elsewhere", "+639170000001")
    sender.rows()
    sender.clock.now += 60
    sender.rows()

    page = sender.get("/messages/1")
    again = sender.get(html.unescape(re.search(r'href="(/compose[^"]+)"', page)[1]))
    assert ">\nOnce\nmore</textarea>" in again
    assert f">\n{links}</textarea>" in again
    assert 'value="+639990000000"' in again
    elsewhere = sender.get("/orders/B")
    again = sender.get(html.unescape(re.search(r'href="(/compose\?order[^"]+)"', elsewhere)[1]))
    assert ">\nFrom elsewhere</textarea>" in again
    assert 'value="+639170000001"' in again


@pytest.mark.parametrize(
    ("query", "number"), [({}, TO), ({"to": "+46701740610"}, "+46701740610"), ({"attempt": 9}, TO)]
)
def test_who_it_goes_to_at_first(query, number, sender):
    """Whoever the address names, or whoever the target says receives tests."""
    assert re.search(r'id="to".*?value="([^"]*)"', sender.get("/compose", **query))[1] == number


def test_what_is_hidden_is_not_written_into_the_form(sender):
    """With numbers and texts hidden, neither the message that is repeated nor the request gives them away."""
    sent(sender, text="A private text", to="+639170000002")
    sender.client.set_cookie("redact", "1")

    for page in (sender.get("/compose", attempt=1), sender.get("/compose", sent=1)):
        assert "A private text" not in page
        assert "+639170000002" not in page
        assert TO not in page
        assert sender.lab.target.from_number not in page
    assert "+6391******02" in sender.get("/compose", sent=1)


def test_the_guard_holds_here_too(lab, tmp_path):
    """A receiver outside only_to is sent nothing, and what was typed is still there."""
    guarded = target(lab.send_url, only_to=("+639170000001",))
    with open_bench(LabView(guarded, tmp_path / "lab.toml"), tmp_path / "i.sqlite") as bench:
        page = post(bench, "/compose/send", 403, text="Typed with care").text

        assert f"{TO} is not among the receivers of only_to; nothing was sent." in words(page)
        assert ">\nTyped with care</textarea>" in page
        assert attempts(bench) == []


def test_a_provider_elsewhere_is_sent_nothing(tmp_path):
    """Without --i-own-this-target the form is there and Send is refused; with it, only who agreed is written to."""
    for owned, sentence in ((False, "is not this machine"), (True, "has not agreed to receive tests")):
        lab = LabView(target("https://sms.invalid/send", owned=owned), tmp_path / "lab.toml")
        with open_bench(lab, tmp_path / "i.sqlite") as bench:
            page = post(bench, "/compose/send", 403, text="Hello", to="+639170000009").text

            assert sentence in page
            assert attempts(bench) == []


def test_a_ledger_that_is_none_is_said(sender):
    """A file that is no ledger is left as it is, and the text is not lost."""
    sender.lab.pbx_ledger.write_text("no ledger")

    page = post(sender, "/compose/send", 500, text="Typed with care").text

    assert "The PBX's ledger cannot be used: pbx.sqlite is no ledger" in words(page)
    assert "Typed with care" in page


def test_a_channel_that_is_not_there_is_said(sender):
    """404 with one sentence."""
    assert "There is no channel called &#39;nowhere&#39;." in sender.client.get("/compose?channel=nowhere").text
    assert post(sender, "/compose/send", 404, text="x", channel="../key").status_code == 404


def test_an_attempt_without_an_answer_yet_is_shown_as_sending(sender):
    """What was written down before it left, and was not answered."""
    number = sender.tries("Hello")

    assert "Sending to" in words(sender.get("/compose", sent=number))
    assert json.dumps("Hello") not in sender.get("/compose", sent=number + 1)
