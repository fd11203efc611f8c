"""What is stored stays text: no field of any message becomes markup, and no template has anything inline."""

import re
from html.parser import HTMLParser
from pathlib import Path

import yaml

from simulator.console.app import PAGES
from simulator.console.page import as_command, console

NAUGHTY = yaml.safe_load((Path(__file__).parents[2] / "contracts" / "cases" / "naughty.yaml").read_text())


class Markup(HTMLParser):
    """What a browser would make of a page: its elements and their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        """One element."""
        self.found.append((tag, dict(attrs)))


def test_what_is_stored_stays_text(bench):
    """Every naughty string in every field of every page makes no element, no attribute and no address of its own."""
    pages = ["/", "/timeline/rows", "/?" + "q=%3Cscript%3Ealert(1)%3C/script%3E&run=%22%3E%3Csvg/onload%3D1%3E"]
    for number, nasty in enumerate(NAUGHTY, 1):
        order = f"{nasty} {number}"
        attempt = bench.tries(nasty, nasty, nasty)
        bench.answers(attempt, order, 200 if number % 2 else 400, nasty)
        bench.logs(nasty, order, reason=nasty, attempt=nasty, carrier=nasty)
        bench.logs("receipt", order, status=nasty)
        bench.takes(order, nasty, nasty)
        bench.carrier.note_receipt(nasty, f"SIM{number:012d}", nasty, bench.clock(), 204)
        pages.append(f"/messages/{attempt}")
    bench.rows()
    calm = {tag for tag, _ in Markup(bench.get("/")).found} | {"blockquote", "dl", "dt", "dd", "li", "ol", "ul", "h3"}
    calm |= {"br", "strong", "section", "pre", "details", "summary", "bdi", "div", "h2"}

    for path in pages:
        for tag, attributes in Markup(bench.get(path)).found:
            assert tag in calm, (path, tag)
            assert not [name for name in attributes if name.startswith("on") or name in {"style", "srcdoc"}], path
            assert tag != "script" or attributes == {"src": "/static/console.js", "defer": None}
            for name in ("href", "src", "action"):
                assert (attributes.get(name) or "/").startswith(("/", "#")), (path, attributes)


def test_no_template_has_anything_inline():
    """What the policy forbids is in no template: no script of its own, no style attribute, no handler."""
    folder = Path(__file__).parents[2] / "simulator" / "console" / "templates"
    inline = re.compile(r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:", re.IGNORECASE)

    assert not [file.name for file in folder.iterdir() if inline.search(file.read_text(encoding="utf-8"))]
    assert not [file.name for file in folder.iterdir() if "|safe" in file.read_text().replace(" ", "")]


def test_commands_are_quoted(bench):
    """The equivalent command is one a shell reads as it was meant, whatever is in it."""
    with bench.client.application.test_request_context("/"):
        line = as_command("pbx", "send", "it's $(rm -rf) `x`", target=False)
        assert console().lab is bench.lab

    assert line == "smslab pbx send 'it'\"'\"'s $(rm -rf) `x`'"
    assert len({page.name for page in PAGES}) == len(PAGES)
