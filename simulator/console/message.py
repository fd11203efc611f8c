"""One message's whole life, on one axis of time, with its exchange, what the judge says of it, and how to repeat it."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from threading import Event
from typing import Any, Final

import click
from flask import Response, abort, render_template, request

from simulator.carrier.controls import ask
from simulator.console.exchange import readable, verdict
from simulator.console.life import life, veiled
from simulator.console.page import Page, as_command, console, live_part
from simulator.console.record import messages, scrubbed, steps_of
from simulator.console.redaction import is_redacted
from simulator.console.search import one
from simulator.console.sources import Table
from simulator.ledger.pbx import Attempt
from simulator.ledger.watch import Message
from simulator.pbx.snippets import FORMS, faults_at, snippet
from simulator.pbx.world import until

FILES: Final = {"curl": "sh", "pytest": "py", "locust": "py", "bru": "bru"}
OPENED: Final = "SELECT number FROM opened"
PATIENCE: Final = 3.0  # seconds that a page waits for the index to have what the PBX has just written
HEALTH: Final = "SELECT * FROM steps WHERE order_id = '' AND at BETWEEN ? AND ? ORDER BY at LIMIT 20"

page = Page("message")


@page.get("/messages/<int:number>")
def attempt(number: int) -> str | Response:
    """The message of a PBX's attempt."""
    return _shown(_found(attempt=number))


@page.get("/orders/<path:order_id>")
def order(order_id: str) -> str | Response:
    """The message of an order; the way to those that no PBX here has sent."""
    return _shown(_found(order_id=order_id))


@page.get("/messages/<int:number>/snippet.<form>")
def as_test(number: int, form: str) -> Response:
    """The attempt as a test for another tool, to be saved; without the key."""
    if form not in FORMS:
        abort(404, f"A message can be saved for {', '.join(FORMS)}.")
    (message,) = messages(console(), [_found(attempt=number)])
    text = repeated(message.attempt, form, known_faults())
    if not text:
        abort(404, "What this attempt sent is not in the ledger, so it cannot be repeated.")
    name = f"{'test_' if form == 'pytest' else ''}attempt_{number}.{FILES[form]}"
    return Response(text, mimetype="text/plain", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def repeated(attempt: Attempt, form: str, faults: Sequence[Mapping[str, Any]]) -> str:
    """The attempt as a test for another tool, with the faults of its moment; nothing if what it sent is not known."""
    try:
        text = snippet(attempt, form, faults_at({"faults": faults}, attempt.started_at))
    except ValueError:
        return ""
    return scrubbed(text, attempt) if is_redacted() else text


def _found(attempt: int | None = None, order_id: str | None = None) -> sqlite3.Row:
    row = one(console().projection, attempt=attempt, order_id=order_id)
    if row is None and attempt and Table(console().lab.pbx_ledger, OPENED, "number").those([attempt]):
        for _ in until(Event(), PATIENCE):
            if row := one(console().projection, attempt=attempt):
                break
    return row or abort(404, "There is no such message, or not yet.")


def _shown(row: sqlite3.Row) -> str | Response:
    (message,) = messages(console(), [row])
    faults = known_faults()
    lived = _lived(row, message, faults)
    if "part" in request.args:
        return live_part(render_template("life.html", **lived))
    exchange = message.attempt.exchange
    return render_template(
        "message.html",
        **lived,
        exchange=readable(exchange, _veil(message.attempt)),
        verdict=verdict(exchange),
        curl=repeated(message.attempt, "curl", faults),
        forms=[form for form in FORMS if form != "curl"],
        line=as_command("pbx", "snippet", str(message.attempt.number)) if message.attempt.number else "",
    )


def _lived(row: sqlite3.Row, message: Message, faults: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What the part of the page needs that goes on changing."""
    steps = steps_of(console(), [row["order_id"]])[row["order_id"]] if row["order_id"] else []
    if steps:
        steps = [*steps, *console().projection.rows(HEALTH, (row["started_at"], steps[-1]["at"]))]
        steps.sort(key=lambda step: step["at"])
    veil = _veil(message.attempt)
    moments = [veiled(moment, veil) for moment in life(message, steps, faults)]
    return {"row": row, "moments": moments}


def _veil(attempt: Attempt) -> Callable[[str], str]:
    return partial(scrubbed, attempt=attempt) if is_redacted() else str


def known_faults() -> list[dict[str, Any]]:
    """Every fault the carrier remembers; none if there is no carrier of ours."""
    url = console().lab.carrier_url
    try:
        report = ask(url, "GET", "/faults") if url else {}
    except click.ClickException:
        return []
    return [*report.get("faults", []), *report.get("past", [])]
