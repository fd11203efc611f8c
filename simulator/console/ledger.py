"""The ledger's page: does everything that was promised and everything that arrived add up? Red everywhere if not."""

import csv
import io
from typing import Any, Final

from flask import Response, abort, jsonify, render_template, url_for

from simulator.console.page import Alarm, Page, as_command, console, live_part
from simulator.console.rooms import EVERYONE, shown_room
from simulator.console.search import runs
from simulator.console.tallies import Account, account, by_run, ids, wrong_now, wrong_outcomes

NAMED: Final = ("accepted", "indeterminate", "refused by carrier", "expired", "cancelled")  # with ids in an export


def alarm() -> Alarm | None:
    """The red bar: what is wrong for anybody."""
    wrong = wrong_now(console().projection)
    if not wrong:
        return None
    said = ", ".join(f"{number} {name}" for name, number in wrong.items())
    return Alarm(f"The balance is false: {said}.", url_for("ledger.index", room=EVERYONE))


page = Page("ledger", "Ledger", prefix="/ledger", alarm=alarm)


@page.get("")
def index() -> str:
    """The balance of the room that is shown, or of everybody."""
    lab = console().lab
    places = ["--pbx-ledger", str(lab.pbx_ledger), "--carrier-ledger", str(lab.carrier_ledger)]
    events = ["--events", str(lab.gateway_log)] if lab.gateway_log.exists() else []
    return render_template("ledger.html", **_state(), line=as_command("reconcile", *places, *events, target=False))


@page.get("/numbers")
def numbers() -> Response:
    """The balance as it is now; 204 if the reader has it (`?have=`)."""
    return live_part(render_template("numbers.html", **_state()))


@page.get("/balance.<form>")
def save(form: str) -> Response:
    """The balance as a file: JSON in the words of `smslab reconcile --json`, or CSV."""
    found = account(console().projection, shown_room())
    name = {"Content-Disposition": f'attachment; filename="balance.{form}"'}
    if form == "csv":
        return Response(_as_csv(found), mimetype="text/csv", headers=name)
    if form != "json":
        abort(404, "A balance can be saved as json or csv.")
    response = jsonify(_document(found, shown_room()))
    response.headers.update(name)
    return response


def _state() -> dict[str, Any]:
    projection, room = console().projection, shown_room()
    latest = [row["run"] for row in runs(projection, room)]
    return {
        "account": account(projection, room),
        "room": room,
        "by_run": by_run(projection, latest),
        "wrong": wrong_outcomes(),
        "has_carrier": console().lab.carrier_ledger.exists(),
    }


def _document(found: Account, room: str) -> dict[str, Any]:
    """The verdict, a count of each kind, and the ids of those that matter."""
    numbers = {"sent": found.sent} | {one.name.replace(" ", "_"): one.number for one in found.counts}
    named = [one for one in found.counts if one.wrong or one.outcome in NAMED]
    return {
        "true": found.is_true,
        "room": room or None,
        "counts": numbers | {"indeterminate_delivered": found.unanswered_delivered, "elsewhere": found.elsewhere},
        "ids": {one.name.replace(" ", "_"): ids(console().projection, one.outcome, room) for one in named},
    }


def _as_csv(found: Account) -> str:
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["kind", "count", "wrong", "meaning"])
    table.writerow(["sent", found.sent, "", "attempts of the PBX"])
    table.writerows([one.name, one.number, "wrong" if one.wrong else "", one.meaning] for one in found.counts)
    return text.getvalue()
