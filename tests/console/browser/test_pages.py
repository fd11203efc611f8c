"""Each page of the console in a real browser: nothing to complain of, nothing too wide, nothing hard to read."""

import pytest
from axe_playwright_python.base import AXE_SCRIPT

from tests.console.browser.stage import MENU

# Every page of the menu, and what they lead to.
LOOKS = MENU | {
    "Attempt 1": "/messages/1",
    "search": "/?q=hello&outcome=delivered&room=*",
    "nothing found": "/?q=zebra",
    "one kind of fault": f"{MENU['Carrier']}?kind=refuse",
    "error": "/messages/999",
    "log in": "/login",
}
WIDTHS = (360, 1440)
SCHEMES = ("light", "dark")
SMALLEST = 10.5  # pixels: nothing that is read is smaller

TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
CUT_OFF = """() => [...document.querySelectorAll("main *, header *, footer *")].filter(element => {
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


@pytest.mark.parametrize("title", MENU)
def test_each_page_of_the_menu_opens(title, visit):
    """By the menu: a title, one heading, where we are, that this is a simulator, and no complaint."""
    window = visit()
    page = window.page
    page.goto("/")

    page.get_by_role("navigation").first.get_by_role("link", name=title, exact=True).click()

    assert title in page.title()
    assert page.locator("h1").count() == 1
    assert page.locator("nav a[aria-current]").first.inner_text() == title
    assert "simulator" in page.locator("header").inner_text().lower()
    assert page.locator("main").count() == 1


@pytest.mark.parametrize("look", LOOKS)
def test_each_page_is_for_a_phone_too(look, visit):
    """At 360 pixels nothing scrolls sideways, nothing is cut off, and nothing is too small to read."""
    page = visit(width=360, forgive="404").page
    page.goto(LOOKS[look])

    assert page.evaluate(TOO_WIDE) <= 0
    assert page.evaluate(CUT_OFF) == []
    assert page.evaluate(TINY, SMALLEST) == []


@pytest.mark.parametrize("look", LOOKS)
def test_each_page_is_for_everybody(look, visit):
    """axe-core finds nothing serious: neither on a phone nor on a desk, and every contrast is AA in both schemes."""
    page = visit(bypass_csp=True, forgive="404").page
    page.goto(LOOKS[look])
    page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate(AXE_SCRIPT)

    found = {}
    for width in WIDTHS:
        for scheme in SCHEMES:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found[width, scheme] = page.evaluate(AXE, None if scheme == "light" else ["color-contrast"])

    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize("width", [800, 1024, 1440])
def test_a_message_is_one_line_of_the_timeline(width, visit):
    """On anything wider than a phone no row is broken: what is too long ends in three dots."""
    page = visit(width=width).page
    page.goto("/?room=*")

    heights = page.locator("tbody tr").evaluate_all("rows => rows.map(row => row.getBoundingClientRect().height)")

    assert len(heights) >= 6
    assert max(heights) < 50
