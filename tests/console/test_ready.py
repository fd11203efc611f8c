"""What is ready to be sent is on the page, fills the form by a click, and does what its button says."""

import html
import re

import pytest

from simulator.console.ready import magic_numbers, naughty, ready
from tests.console.conftest import TO
from tests.console.forms import post, sent

CURLY = "It\u2019s ready"

PICKS = [
    ("ready bad number", {}, {"to": "0917 123 4567"}),
    ("ready plain", {"to": "0917 123 4567"}, {"to": TO, "text": ready()["plain"].text}),
    ("ready plain", {"to": "+63999"}, {"to": "+63999"}),
    ("ready media", {}, {"media": "https://pbx.example/files/1.jpg"}),
    ("ready 2,001 characters", {}, {"text": ready()["2,001 characters"].text}),
    ("ready nonsense", {"text": "kept"}, {"text": "kept"}),
    ("to +46701740640", {"text": "kept"}, {"to": "+46701740640", "text": "kept"}),
    ("naughty", {"naughty": '"%s%s%s%n"'}, {"text": "%s%s%s%n"}),
    ("naughty", {"naughty": "1 to 20"}, {"text": "\n".join(list(naughty().values())[3:23])}),
    ("naughty", {"naughty": "nonsense", "text": "kept"}, {"text": "kept"}),
    ("smart", {"text": CURLY}, {"text": "It's ready"}),
    ("smart", {"text": "\U0001f600"}, {"text": "\U0001f600"}),
    ("nonsense", {"text": "kept"}, {"text": "kept"}),
]


@pytest.mark.parametrize(("pick", "form", "field"), PICKS, ids=[str(number) for number in range(len(PICKS))])
def test_a_click_on_something_ready_fills_the_form(pick, form, field, sender):
    """And sends nothing."""
    page = post(sender, pick=pick, **form).text

    shown = {
        "to": html.unescape(re.search(r'id="to".*?value="([^"]*)"', page)[1]),
        "text": html.unescape(re.search(r'id="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1]),
        "media": html.unescape(re.search(r'id="media"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)[1]),
    }
    assert {name: shown[name] for name in field} == field
    assert list(sender.pbx.attempts()) == []


def test_everything_ready_is_on_the_page(sender):
    """Ready messages, magic numbers, naughty strings: each a button or a choice that works without a script."""
    page = html.unescape(sender.get("/compose"))

    assert all(f'value="ready {name}"' in page for name in ready())
    assert all(f'value="to {one.number}">{one.number}</button> {one.meaning}' in page for one in magic_numbers())
    assert all(f"<option>{label}</option>" in page for label in naughty())


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("plain", 200, None), ("emoji", 200, None), ("curly quotes", 200, None), ("escape at the edge", 200, None),
        ("2,000 characters", 200, None), ("markup", 200, None), ("2,001 characters", 400, "10002"),
        ("empty", 400, "10002"), ("media", 400, "10003"), ("bad number", 400, "10001"),
    ],
)  # fmt: skip
def test_a_ready_message_does_what_its_button_says(name, status, code, sender):
    """Accepted, or refused with the code that stands on it."""
    one = ready()[name]
    sent(sender, text=one.text, to=one.to or TO, media="\n".join(one.media))

    (attempt,) = sender.pbx.attempts()
    assert (attempt.status, attempt.code) == (status, code)
    assert code is None or code in one.expect
