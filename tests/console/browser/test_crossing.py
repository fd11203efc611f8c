"""The console's main job, by mouse: one message seen to cross, one carrier seen to break and to be well again."""

from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect

from tests.console.browser.stage import MENU

TO = "+639171230001"


@contextmanager
def busy_carrier(lab):
    """The carrier is too busy for this recipient until the block ends: there is something to watch."""
    fault = {"kind": "refuse", "params": {"status": 429, "retry_after": 1}, "scope": {"to": TO}}
    with httpx.Client(base_url=lab.carrier_url, trust_env=False) as client:
        client.post("/faults", json=fault).raise_for_status()
        try:
            yield
        finally:
            client.post("/reset").raise_for_status()


def send(page, text, to=TO):
    """Write a message on the page Compose and press Send; the answer."""
    page.goto(MENU["Compose"])
    page.get_by_label("To", exact=True).fill(to)
    page.get_by_label("Text", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()
    page.wait_for_url("**#answer")
    return page.locator("#answer")


def test_a_message_is_seen_to_cross(lab, visit):
    """Sent from Compose, it goes through PBX, gateway and carrier and back as a receipt, on one page that lives."""
    page = visit()
    with busy_carrier(lab):
        assert send(page, "Crossing").inner_text().startswith("Sent")
        page.get_by_role("link", name="See its life").click()
        page.get_by_text("to be tried again").first.wait_for()
        page.evaluate("document.body.dataset.first = 'yes'")
        assert page.get_by_text("Takes it").count() == 0

    page.get_by_text("Message is now DELIVRD").wait_for()
    for lane, sentence in (
        ("PBX", "Sends"),
        ("Gateway", "Order is on disk"),
        ("PBX", "Gets 200"),
        ("Carrier", "Takes it"),
        ("Gateway", "Carrier took it"),
        ("Carrier", "Hands over the receipt DELIVRD"),
        ("Gateway", "Message is now DELIVRD"),
    ):
        expect(page.locator(f".life .{lane.lower()} h3").filter(has_text=f"{lane}: {sentence}")).to_have_count(1)
    expect(page.locator("#head .outcome").first).to_have_text("delivered")
    assert page.locator("body").get_attribute("data-first") == "yes"


def test_a_sent_message_comes_to_an_open_timeline(visit):
    """Somebody who has the timeline open sees what another sends, without a reload, and only in a room they look at."""
    watcher, sender = visit(), visit()
    watcher.goto("/?room=*")
    watcher.evaluate("document.body.dataset.first = 'yes'")

    send(sender, "Seen by the other")

    watcher.get_by_role("row", name="Seen by the other").get_by_text("delivered", exact=True).wait_for()
    assert watcher.locator("body").get_attribute("data-first") == "yes"


def test_breaking_the_carrier_is_a_click(visit):
    """An outage is one click, the gateway gives the carrier up, the PBX reads 10007; all clear, and it is well."""
    page = visit()
    page.goto(MENU["Carrier"])
    page.get_by_role("button", name="Outage for 30 s").click()
    page.get_by_text("Outage: every call meets 503").wait_for()
    watcher = page.context.new_page()
    watcher.goto(MENU["Carrier"])

    assert send(page, "Still accepted, and queued").inner_text().startswith("Sent")
    watcher.get_by_text("carrier is down").wait_for()
    # An order that comes when nobody has probed for a while is taken as the probe; the next one is not.
    answers = (send(page, f"Refused now, or the {count}. probe").inner_text() for count in range(1, 6))
    assert "10007 Service unavailable" in next(answer for answer in answers if answer.startswith("Failed"))
    watcher.get_by_text("Service unavailable").wait_for()

    watcher.get_by_role("button", name="All clear").click()
    watcher.get_by_text("The carrier is well.").wait_for()
    watcher.get_by_text("carrier is back").wait_for()
    assert send(page, "Well again").inner_text().startswith("Sent")


@pytest.mark.parametrize(("text", "kind"), [("Plain", "GSM-7"), ("Żółw", "UCS-2")])
def test_the_ruler_follows_the_typing(text, kind, visit):
    """While somebody writes, phone and ruler show the message, without a reload."""
    page = visit()
    page.goto(MENU["Compose"])
    page.get_by_label("Text", exact=True).press_sequentially(text)

    page.locator("#preview .bubble").get_by_text(text).wait_for()
    page.locator("#preview .facts").get_by_text(kind).wait_for()
