"""Compose: a message is written, seen as on a phone, sent as the PBX sends it, and answered in the PBX's words."""

import json
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from flask import abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from contracts import spec
from contracts.target import Target
from simulator.console.draft import Draft, as_request, command_line, drafted, picked, repeated
from simulator.console.page import Page, console, refuse_foreign
from simulator.console.ready import magic_numbers, naughty, ready, recipients
from simulator.console.record import scrubbed_all
from simulator.console.redaction import is_redacted
from simulator.console.rooms import run_name
from simulator.console.ruler import measure
from simulator.console.search import one
from simulator.console.shelf import LAB, Entry, Shelf
from simulator.console.sources import Table
from simulator.ledger.pbx import SELECT, Attempt, PbxLedger
from simulator.pbx.call import open_client
from simulator.pbx.habits import Habits
from simulator.pbx.outcome import FAILED, SENDING, SENT
from simulator.pbx.pbx import Pbx, Stranger
from simulator.pbx.personas import DOUBLE_CLICK

RUN: Final = "compose"
STATUSES: Final = {SENDING: "Sending", SENT: "Sent", FAILED: "Failed"}  # delivery_status of event 30032
MOST_CLICKS: Final = 2
MOST_SHOWN: Final = 20  # attempts, with the PBX's retries

page = Page("compose", "Compose", prefix="/compose")


@page.get("")
def index() -> str:
    """An empty message, or that of `?attempt=` or `?order=` once more, or the answers to those of `?sent=`."""
    entry = _entry(request.args.get("channel", LAB))
    sent = attempts(request.args.getlist("sent", int)[:MOST_SHOWN])
    return _shown(entry, _again(entry, sent), sent)


@page.post("")
def preview() -> str:
    """The message as it stands, or after a click on something ready."""
    draft = drafted(request.form)
    entry = _entry(draft.channel)
    kind, _, choice = request.form.get("pick", "").partition(" ")
    return _shown(entry, picked(draft, kind, choice or request.form.get(kind, ""), _usual(entry)))


@page.post("/preview")
def fragment() -> str:
    """Phone, ruler and request alone, for the page to show while somebody types."""
    draft = drafted(request.form)
    return render_template("preview.html", **_preview(_entry(draft.channel), draft))


@page.post("/send")
def send() -> Response | tuple[str, int]:
    """Send it as `smslab pbx send` does, or twice as a nervous hand does; then show what was answered."""
    refuse_foreign()
    draft = drafted(request.form)
    entry = _entry(draft.channel)
    clicks = min(max(request.form.get("clicks", 1, int), 1), MOST_CLICKS)
    try:
        numbers = _clicked(entry, draft, clicks)
    except Stranger as stranger:
        return _shown(entry, draft, trouble=str(stranger)), 403
    except sqlite3.Error as error:
        return _shown(entry, draft, trouble=f"The PBX's ledger cannot be used: {error}."), 500
    return redirect(url_for("compose.index", channel=entry.name, sent=numbers, _anchor="answer"), 303)


def attempts(numbers: Sequence[int]) -> list[Attempt]:
    """Attempts as the PBX's ledger has them now: the index may be a moment behind."""
    rows = Table(console().lab.pbx_ledger, SELECT, "number").those(numbers)
    return [Attempt(*[*row[:-1], json.loads(row[-1] or "{}")]) for row in rows]


class _Numbered(PbxLedger):
    """The PBX's ledger, which knows afterwards what it has written down."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.numbers: list[int] = []

    def open(self, run: str, from_number: str, to: str, text: str, at: float) -> int:
        """Write down an attempt, and keep its number."""
        self.numbers.append(super().open(run, from_number, to, text, at))
        return self.numbers[-1]


def _clicked(entry: Entry, draft: Draft, clicks: int) -> list[int]:
    """Send once for each click; the numbers of the attempts. `Stranger` if the message may not leave."""
    if entry.target is None or entry.trouble:
        raise Stranger(entry.trouble)
    run = run_name(RUN)
    with ThreadPoolExecutor(clicks) as hands:
        sent = []
        for click in range(clicks):
            if click:
                time.sleep(DOUBLE_CLICK)
            sent.append(hands.submit(_click, entry.target, entry.habits, draft, run, console().lab.pbx_ledger))
        return sorted(number for hand in sent for number in hand.result())


def _click(target: Target, habits: Habits, draft: Draft, run: str, ledger: Path) -> list[int]:
    """Beyond this machine, only who agreed to receive tests is written to, or whom the guard lets through."""
    receivers = frozenset({draft.to} if target.only_to else ())
    with _Numbered(ledger) as book, open_client() as client:
        pbx = Pbx(target, book, client, habits=habits, run=run, receivers=receivers)
        pbx.send(draft.to, draft.text, media_urls=draft.media, from_number=draft.from_number or None)
        return book.numbers


def _entry(name: str) -> Entry:
    return Shelf(console().lab).named(name) or abort(404, f"There is no channel called {name!r}.")


def _again(entry: Entry, sent: Sequence[Attempt]) -> Draft:
    """The message that was just sent, or is named in the address; nothing of it while numbers and texts are hidden."""
    asked = request.args
    if is_redacted():
        return Draft(entry.name)
    if found := sent or attempts([asked.get("attempt", 0, int)]):
        return repeated(found[-1], entry)
    if row := one(console().projection, order_id=asked.get("order", "")):
        return Draft(entry.name, "", row["recipient"], row["text"])
    return Draft(entry.name, to=asked.get("to", _usual(entry)))


def _usual(entry: Entry) -> str:
    return entry.target.to_number if entry.target else ""


def _preview(entry: Entry, draft: Draft) -> dict[str, Any]:
    found: dict[str, Any] = {"draft": draft, "entry": entry, "ruler": measure(draft.text), "most": spec.limits().text}
    if entry.target and not is_redacted():
        found["request_parts"] = as_request(entry.target, entry.habits, draft, entry.key)
        found["line"] = command_line(entry, draft, console().lab.pbx_ledger)
    return found


def _shown(entry: Entry, draft: Draft, sent: Sequence[Attempt] = (), trouble: str = "") -> str:
    return render_template(
        "compose.html",
        **_preview(entry, draft),
        entries=Shelf(console().lab).all(),
        answers=[(attempt, _event(attempt)) for attempt in sent],
        statuses=STATUSES,
        trouble=trouble or entry.trouble,
        ready=ready(),
        naughty=naughty(),
        recipients=recipients(entry.target, entry.numbers) if entry.target and not is_redacted() else (),
        magic=magic_numbers(),
    )


def _event(attempt: Attempt) -> dict[str, Any]:
    event = attempt.exchange.get("event", {"delivery_status": SENDING})
    return dict(scrubbed_all(event, attempt) if is_redacted() else event)
