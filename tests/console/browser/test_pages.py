"""Each page of the console in a real browser: nothing to complain of, nothing too wide, nothing hard to read."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.console.browser.stage import MENU, app

# Every page of the menu, and what they lead to.
LOOKS = MENU | {
    "Attempt 1": "/messages/1",
    "search": "/?q=hello&outcome=delivered&room=*",
    "nothing found": "/?q=zebra",
    "answered": "/compose?sent=1&sent=3",
    "once more": "/compose?attempt=2",
    "a channel": "/channels/night-shift",
    "a new channel": "/channels/new",
    "one channel less": "/channels/night-shift/delete",
    "one kind of fault": f"{MENU['Carrier']}?kind=refuse",
    "a run": "/runs/of/ben/nightly",
    "two runs": "/runs/compare?run=anna/greetings&run=ben/nightly",
    "error": "/messages/999",
    "log in": "/login",
}
# What is no page of its own: parts of pages, files, answers for programs; an order is shown as an attempt is.
PARTS = {
    "static", "timeline.rows", "carrier.faults", "runs.live", "ledger.numbers", "runs.report", "ledger.save",
    "message.as_test", "export.save", "api.wait", "api.expect", "door.healthz", "message.order",
}  # fmt: skip
CONTRAST = ["color-contrast"]
AXED = ((360, "light", None), (360, "dark", CONTRAST), (1440, "light", CONTRAST), (1440, "dark", None))
SMALLEST = 10.5  # pixels: nothing that is read is smaller

SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter(element => {
  const box = element.getBoundingClientRect();
  return box.width > 1 && box.right > innerWidth + 1 && box.left >= 0;
}).map(element => element.outerHTML.slice(0, 90))"""
TINY = """smallest => [...document.querySelectorAll("body *")].filter(element =>
  [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) &&
  parseFloat(getComputedStyle(element).fontSize) < smallest).map(element => element.outerHTML.slice(0, 90))"""
AXE = """async rules => {
  const found = await axe.run({ resultTypes: ["violations"], ...(rules && { runOnly: rules }) });
  return found.violations.filter(one => ["serious", "critical"].includes(one.impact)).flatMap(one =>
    one.nodes.map(node => `${one.id}: ${node.target.join(" ")} ${node.html.slice(0, 120)} ${node.failureSummary}`));
}"""


def test_every_page_is_looked_at():
    """No page of the console is missing above, whether the menu has it or not."""
    addresses = app().url_map.bind("127.0.0.1")
    pages = {rule.endpoint for rule in app().url_map.iter_rules() if "GET" in rule.methods} - PARTS

    assert {addresses.match(look.partition("?")[0])[0] for look in LOOKS.values()} == pages


@pytest.mark.parametrize("title", MENU)
def test_each_page_of_the_menu_opens(title, visit):
    """By the menu: a title, one heading, where we are, that this is a simulator, and no complaint."""
    page = visit()
    page.goto("/")

    page.get_by_role("navigation").first.get_by_role("link", name=title, exact=True).click()

    assert title in page.title()
    assert page.locator("h1").count() == 1
    assert page.locator("nav a[aria-current]").first.inner_text() == title
    assert "simulator" in page.locator("header").inner_text().lower()
    assert page.locator("main").count() == 1


@pytest.mark.parametrize("look", LOOKS)
def test_each_page_is_for_everybody(look, visit):
    """Nothing scrolls sideways, is cut off or too small on a phone; axe-core finds nothing serious, phone or desk.

    Every contrast is AA in both colour schemes.
    """
    page = visit(360, forgive="404", bypass_csp=True)
    page.goto(LOOKS[look])
    assert page.evaluate(CUT_OFF) == []
    assert not page.evaluate(SIDEWAYS)
    assert page.evaluate(TINY, SMALLEST) == []

    page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(AXE_SCRIPT)
    found = {}
    for width, scheme, rules in AXED:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found[width, scheme] = page.evaluate(AXE, rules)

    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize("width", [800, 1024, 1440])
def test_a_message_is_one_line_of_the_timeline(width, visit):
    """On anything wider than a phone no row is broken: what is too long ends in three dots."""
    page = visit(width=width)
    page.goto("/?room=*")

    heights = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")

    assert len(heights) >= 6
    assert max(heights) < 50
