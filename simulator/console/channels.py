"""Channels: the PBX's channel screen. Save verifies the key, with a challenge and without, and says what failed."""

import secrets
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from simulator.console import channelform
from simulator.console.page import Page, console, refuse_foreign
from simulator.console.redaction import is_redacted
from simulator.console.shelf import Entry, Shelf, name_for
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.call import open_client
from simulator.pbx.inbound import PATH
from simulator.pbx.pbx import Pbx

page = Page("channels", "Channels", prefix="/channels")


@page.get("")
def index() -> str:
    """Every channel, and how its last verification went."""
    shelf = _shelf()
    return render_template("channels.html", entries=[(entry, shelf.noted(entry.name)) for entry in shelf.all()])


@page.get("/new")
def new() -> str:
    """An empty screen, filled in with what the lab's own channel has, but for the key."""
    target = console().lab.target
    like = {"send_url": target.send_url, "verify_url": target.verify_url or "", "send_rate": 1.0}
    numbers = {} if is_redacted() else {"numbers": [target.from_number], "to": target.to_number}
    return _screen(None, channelform.values_of(like | numbers))


@page.get("/<name>")
def show(name: str) -> str:
    """One channel as the screen has it."""
    return _screen(entry := _entry(name), channelform.values_of(_shelf().table(entry.name)))


@page.post("/new")
def add() -> Response | tuple[str, int]:
    """Save a new channel."""
    return _save(None)


@page.post("/<name>")
def change(name: str) -> Response | tuple[str, int]:
    """Save a channel that is there."""
    return _save(_changeable(name))


@page.post("/<name>/verify")
def verify(name: str) -> Response:
    """Verify again."""
    refuse_foreign()
    _verify(_entry(name))
    return redirect(url_for("channels.show", name=name), 303)


@page.post("/<name>/key")
def reveal(name: str) -> str:
    """The same page with the key on it, this once."""
    entry = _entry(name)
    key = entry.target.key if entry.target else ""
    return _screen(entry, channelform.values_of(_shelf().table(name)), revealed=key)


@page.get("/<name>/delete")
def ask(name: str) -> str:
    """Whether it is really meant."""
    return render_template("channel-delete.html", entry=_changeable(name))


@page.post("/<name>/delete")
def delete(name: str) -> Response:
    """Remove the channel and its key."""
    entry = _changeable(name)
    _shelf().drop(entry.name)
    flash(f"The channel {entry.title} is deleted, and its key with it.", "good")
    return redirect(url_for("channels.index"), 303)


def _save(entry: Entry | None) -> Response | tuple[str, int]:
    refuse_foreign()
    shelf = _shelf()
    table = channelform.table_of(request.form, shelf.table(entry.name) if entry else {})
    typed = channelform.secrets_of(request.form)
    name = entry.name if entry else name_for(str(table.get("name", "")))
    complaints, *whole = channelform.completed(table, typed)
    complaints += shelf.checked(*whole)
    if entry is None and shelf.named(name):
        complaints.append(f"There is a channel called {name} already.")
    if complaints:
        return _screen(entry, request.form, complaints=complaints), 422
    shelf.keep(name, table, typed)
    _verify(_entry(name))
    flash("Saved.", "good")
    return redirect(url_for("channels.show", name=name), 303)


def _verify(entry: Entry) -> None:
    """Verify in both forms and remember how it went."""
    if entry.target is None or entry.trouble:
        abort(403, entry.trouble)
    with PbxLedger(":memory:") as ledger, open_client() as client:
        pbx = Pbx(entry.target, ledger, client, habits=entry.habits)
        results = [(form, pbx.verify(challenge)) for form, challenge in _forms()]
    forms = [{"form": form, **one._asdict(), "findings": [f._asdict() for f in one.findings]} for form, one in results]
    _shelf().note(entry.name, {"at": console().clock(), "forms": forms if entry.target.verify_url else []})


def _forms() -> tuple[tuple[str, str | None], ...]:
    return ("with a challenge", secrets.token_hex(8)), ("without a challenge", None)


def _screen(
    entry: Entry | None, values: Mapping[str, str], *, complaints: Sequence[str] = (), revealed: str = ""
) -> str:
    found: dict[str, Any] = {}
    if entry:
        verify = shlex.join(["smslab", "pbx", "verify", *entry.options])
        found = {"verified": _shelf().noted(entry.name), "lines": f"{verify}\n{verify} --no-challenge"}
    return render_template(
        "channel.html",
        **found,
        entry=entry,
        is_fixed=entry is not None and (entry.is_ours or is_redacted()),
        values=values,
        complaints=complaints,
        revealed=revealed,
        tabs=channelform.TABS,
        habits=channelform.HABITS,
        usual=channelform.values_of({"habits": {name: one.default for name, one in channelform.HABITS.items()}}),
        has_habits=any(value for name, value in values.items() if name.startswith(channelform.HABIT)),
        habit=channelform.HABIT,
        webhook=PATH,
    )


def _shelf() -> Shelf:
    return Shelf(console().lab)


def _entry(name: str) -> Entry:
    return _shelf().named(name) or abort(404, f"There is no channel called {name!r}.")


def _changeable(name: str) -> Entry:
    entry = _entry(name)
    if entry.is_ours:
        abort(403, "The lab's own channel is its target file; it is not changed here.")
    return entry
