"""The carrier's page: what is armed against it, counting down; every way to break it by a click; magic numbers.

What the carrier is, it says itself (`GET /faults`); what it does to messages is read from the index.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import click
from flask import Response, abort, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from simulator.carrier.controls import CouldNotTest, ask
from simulator.carrier.faults import kinds
from simulator.carrier.magic import numbers
from simulator.console.faultform import PARTS, READY, about, entries, scope_in_words, spec_from
from simulator.console.page import Page, as_command, console, live_part, refuse_foreign
from simulator.pbx.snippets import fault_command

RECENT: Final = 60.0  # seconds that "just now" is
LATELY: Final = """
SELECT started_at, coalesce(code, CASE WHEN status = 200 THEN 'accepted' WHEN status IS NULL THEN 'no answer' END,
       status) AS answer FROM messages WHERE attempt IS NOT NULL AND finished_at IS NOT NULL
ORDER BY number DESC LIMIT 2000
"""
BREAKER: Final = """
SELECT kind, at FROM steps WHERE order_id = '' AND kind IN ('carrier is down', 'carrier is back')
ORDER BY at DESC LIMIT 1
"""

page = Page("carrier", "Carrier", prefix="/carrier")


@page.get("")
def index() -> str:
    """Everything that is armed, and the forms to arm more; `?kind=` opens the form of that fault."""
    return _page(request.args.get("kind", ""), {})


@page.get("/faults")
def faults() -> Response:
    """The armed faults and the carrier's state as they are now; 204 if the reader has them (`?have=`)."""
    return live_part(render_template("faults.html", **_state()))


@page.post("/faults")
def arm() -> AnyResponse:
    """Arm a fault: a ready one by its name, or what the form says; what the carrier refuses is shown with the form."""
    refuse_foreign()
    name = request.form.get("ready")
    spec = next((one.spec for one in READY if one.name == name), None) if name else spec_from(request.form)
    if spec is None:
        abort(400, "There is no such ready fault.")
    try:
        armed = _ask("POST", "/faults", spec)
    except click.UsageError as error:
        flash(str(error), "bad")
        return make_response(_page(request.form.get("kind", ""), request.form), 400)
    flash(f"Armed: {armed['kind']}, number {armed['id']}.", "good")
    return redirect(url_for("carrier.index"), 303)


@page.post("/clear")
def clear() -> AnyResponse:
    """End one fault by its id, or without one make the carrier well again."""
    refuse_foreign()
    identity = request.form.get("id", type=int)
    try:
        cleared = _ask("DELETE", f"/faults/{identity}") if identity else _ask("POST", "/reset")
        flash(f"Fault {identity} has ended." if identity else _all_clear(cleared["cleared"]), "good")
    except click.UsageError as error:
        flash(str(error), "bad")
    return redirect(url_for("carrier.index"), 303)


def _page(kind: str, given: Mapping[str, str]) -> str:
    cls = kinds().get(kind)
    return render_template(
        "carrier.html",
        **_state(),
        kind=kind if cls else "",
        about=about,
        parts_of=[(name, entries(part)) for name, part in (("params", cls), *PARTS) if part],
        given=given,
        kinds=sorted(kinds()),
        ready=[(one, _command(one.spec)) for one in READY],
        magic=numbers(),
        reset_line=as_command("carrier", "reset", "--carrier-url", console().lab.carrier_url or "", target=False),
    )


def _state() -> dict[str, Any]:
    """What the carrier says of itself, and what its faults are doing to messages just now."""
    url = console().lab.carrier_url
    try:
        report, trouble = (ask(url, "GET", "/faults"), "") if url else ({}, "There is no carrier of ours to break.")
    except click.ClickException as error:
        report, trouble = {}, error.message
    now = console().clock()
    lately = console().projection.rows(LATELY)
    counts = Counter(row["answer"] for row in lately if now - row["started_at"] <= RECENT)
    breaker = console().projection.rows(BREAKER)
    return {
        "armed": [_card(fault, now) for fault in report.get("faults", [])],
        "past": [_card(fault, now) for fault in reversed(report.get("past", []))],
        "trouble": trouble,
        "lately": [(str(answer), number) for answer, number in counts.most_common()],
        "breaker": breaker[0] if breaker else None,
    }


def _card(fault: Mapping[str, Any], now: float) -> dict[str, Any]:
    """One fault as it is shown."""
    ends, begins = fault["ends"], fault["begins"]
    return {
        **fault,
        "about": about(fault["kind"]),
        "whom": scope_in_words(fault.get("scope", {})),
        "left": None if ends is None else max(0, round(ends - now)),
        "wait": max(0, round(begins - now)),
        "command": _command(fault),
    }


def _command(fault: Mapping[str, Any]) -> str:
    return f"{fault_command(fault)} --carrier-url {console().lab.carrier_url}"


def _all_clear(number: int) -> str:
    return f"All clear: {number} ended." if number else "All clear; nothing was armed."


def _ask(method: str, path: str, spec: object = None) -> dict[str, Any]:
    """What the carrier says to a change; UsageError if it refuses, an error page if there is none."""
    url = console().lab.carrier_url
    if not url:
        abort(404, "This lab has no carrier of ours, so there is nothing to break.")
    try:
        return ask(url, method, path, spec=spec)
    except CouldNotTest as error:
        abort(502, error.message)
