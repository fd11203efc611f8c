"""Everything without a mouse: in the order of the page, always seen where one is."""

import pytest

from tests.console.browser.stage import MENU

MOST = 150  # stops of a page
FOCUS = """() => {
  const here = document.activeElement, look = getComputedStyle(here), box = here.getBoundingClientRect();
  return {
    what: here.outerHTML.slice(0, 90),
    ring: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2,
    seen: box.width > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight,
    place: [...document.querySelectorAll("*")].indexOf(here),
  };
}"""


def tab_to(page, locator):
    """Press Tab until one is there."""
    for _ in range(MOST):
        page.keyboard.press("Tab")
        if locator.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"Tab does not lead to {locator}")


@pytest.mark.parametrize("path", MENU.values())
def test_tab_goes_through_the_page_in_order(path, visit):
    """The first stop leads past the menu; every stop is after the one before, on the screen, and has a ring."""
    page = visit()
    page.goto(path)
    page.keyboard.press("Tab")
    assert "Skip" in page.evaluate("document.activeElement.textContent") or "skip" in page.evaluate(FOCUS)["what"]
    stops = [page.evaluate(FOCUS)]
    while len(stops) < MOST:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUS)
        if stop["place"] <= stops[0]["place"]:  # round again, perhaps by way of the browser's own buttons
            break
        stops.append(stop)

    assert [stop["what"] for stop in stops if not (stop["ring"] and stop["seen"])] == []
    places = [stop["place"] for stop in stops]
    assert places == sorted(places)
    assert len(stops) < MOST


def test_the_menu_can_be_skipped(visit):
    """The first stop leads to what the page is about; the next one is in there."""
    page = visit()
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")

    assert page.evaluate("!!document.activeElement.closest('main')")


def test_a_message_is_opened_by_keys(visit):
    """Slash is the search, j the next message, Enter opens it."""
    page = visit()
    page.goto("/?room=*")
    page.keyboard.press("/")
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    page.get_by_text("Hello from Yeastar").wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")

    page.wait_for_url("**/messages/1")


def test_a_message_is_sent_by_keys(visit):
    """From the menu to the answer."""
    page = visit()
    page.goto("/")
    tab_to(page, page.get_by_role("link", name="Compose", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{MENU['Compose']}")
    tab_to(page, page.get_by_label("Text", exact=True))
    page.keyboard.type("By keys alone")
    tab_to(page, page.get_by_role("button", name="Send", exact=True))
    page.keyboard.press("Enter")

    page.get_by_role("heading", name="Sent to").wait_for()


def test_a_fault_is_armed_and_cleared_by_keys(visit):
    """Choose its kind, fill its form, arm it, clear it."""
    page = visit()
    page.goto(MENU["Carrier"])
    tab_to(page, page.get_by_role("link", name="latency", exact=True))
    page.keyboard.press("Enter")
    page.wait_for_url("**kind=latency**")
    tab_to(page, page.get_by_label("seconds", exact=True))
    page.keyboard.press("Control+A")
    page.keyboard.type("0.25")
    tab_to(page, page.get_by_role("button", name="Arm latency"))
    page.keyboard.press("Enter")
    page.locator(".fault-card").get_by_text("0.25").first.wait_for()
    tab_to(page, page.locator(".fault-card").get_by_role("button", name="Clear"))
    page.keyboard.press("Enter")

    page.get_by_text("The carrier is well.").wait_for()
