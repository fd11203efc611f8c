"""Without JavaScript everything can still be done: it is forms and links."""

import time

import pytest
from playwright.sync_api import expect

from simulator.console.search import PAGE
from simulator.ledger.pbx import Attempt, PbxLedger
from tests.console.browser.stage import MENU, send, shown

RUN = "carl/many"
MANY = 120


@pytest.fixture
def page(visit):
    """A visitor whose browser runs no scripts."""
    return visit(java_script_enabled=False)


@pytest.fixture(scope="module")
def many(lab):
    """More messages than fit on a page: refused ones, so that the ledger stays true."""
    now = time.time()
    with PbxLedger(lab.pbx_ledger) as ledger:
        ledger.record_many(
            Attempt(0, RUN, lab.from_number, "12345", f"Number {number}.", now, now, 400, "10001")
            for number in range(MANY)
        )
    shown(lab, MANY, "refused", run=RUN)


def test_pages_follow_each_other(many, page):
    """The older pages lead from the newest message to the very first, each one once."""
    del many
    page.goto(f"/?run={RUN}&room=*")
    expected = [f"Number {number}." for number in reversed(range(MANY))]
    for first in range(0, MANY, PAGE):
        if first:
            page.get_by_role("link", name="Older").click()
        expect(page.locator("td.text")).to_have_text(expected[first : first + PAGE])

    expect(page.get_by_role("link", name="Older")).to_have_count(0)


def test_the_search_finds(many, page):
    """Words and filters go into the address and come back in the form."""
    del many
    page.goto("/?room=*")
    page.get_by_label("Search").fill("mber 77")
    page.get_by_label("Code").select_option("10001")
    page.get_by_role("button", name="Find").click()

    expect(page.locator("td.text")).to_have_text(["Number 77."])
    assert page.get_by_label("Search").input_value() == "mber 77"
    assert page.get_by_label("Code").input_value() == "10001"
    page.get_by_role("main").get_by_role("link", name="Clear").click()
    expect(page.locator("td.text")).to_have_count(PAGE)


def test_what_is_new_comes_with_refresh(lab, page):
    """The timeline has a link that shows what has come since."""
    page.goto("/?room=*")
    send(lab, "manual", ("+639171230002", "Since then"))
    shown(lab, 1, to="+639171230002")
    assert page.get_by_text("Since then").count() == 0

    page.get_by_role("link", name="Refresh").click()

    expect(page.get_by_text("Since then")).to_have_count(1)


def test_a_message_is_previewed_and_sent(page):
    """Preview shows the phone and keeps what is written; Send shows the answer and leads to its life."""
    page.goto(MENU["Compose"])
    page.get_by_label("To", exact=True).fill("+639171230003")
    page.get_by_label("Text", exact=True).fill("No scripts €")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".bubble")).to_contain_text("No scripts €")
    assert page.get_by_label("Text", exact=True).input_value() == "No scripts €"

    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator("#answer h2")).to_contain_text("Sent to")
    page.get_by_role("link", name="See its life").click()
    page.wait_for_url("**/messages/*")
    for _ in range(100):
        if page.get_by_text("Order is on disk").count():
            break
        page.reload()

    assert page.get_by_text("Order is on disk").count() == 1


def test_a_fault_is_armed_and_cleared(page):
    """By one click, by its own form, and all clear."""
    page.goto(MENU["Carrier"])
    page.get_by_role("button", name="Slow by 2 s").click()
    page.get_by_role("link", name="throttle", exact=True).click()
    page.get_by_label("per_second").fill("7")
    page.get_by_role("button", name="Arm throttle").click()
    expect(page.locator(".fault-card")).to_have_count(2)

    page.get_by_role("button", name="All clear").click()

    expect(page.get_by_text("The carrier is well.")).to_have_count(1)
    expect(page.locator(".fault-card")).to_have_count(0)


def test_a_room_is_entered_and_left(page):
    """One's own messages first, everyone's a click away."""
    page.goto("/")
    page.get_by_label("Room").fill("ben")
    page.get_by_label("Room").press("Enter")
    expect(page.locator("a.run")).to_have_text(["ben/nightly"] * 2)

    page.get_by_role("link", name="Show everyone").click()

    expect(page.get_by_role("link", name="Only room ben")).to_have_count(1)
    expect(page.locator("a.run").nth(2)).to_be_visible()
