"""Runs: start one with the words of the command line, watch it, stop it, play it again, hold it against another."""

import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

from flask import Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from werkzeug.wrappers import Response as AnyResponse

from simulator.console.children import Children, Crowded, Started
from simulator.console.figures import WHOLE, Figures, chart, figures
from simulator.console.page import Page, as_command, console, live_part, refuse_foreign
from simulator.console.recipes import CONTACTS, RECIPES, Place, Planned, asked_for, contacts_csv, needs_own_lab
from simulator.console.redaction import shown_text
from simulator.console.reports import VAR, Report, reports, served
from simulator.console.rooms import own_room, run_name, shown_room
from simulator.console.search import Wanted, find
from simulator.console.search import runs as latest_runs
from simulator.console.tallies import by_run
from simulator.pbx.pacing import PROFILES
from simulator.pbx.personas import PERSONAS
from simulator.pbx.scenario import find as scenario_file
from simulator.pbx.scenario import load, pack

SHOWN: Final = 30
Cell = tuple[int, float]
GOOD: Final = ("delivered", "accepted", "open")

page = Page("runs", "Runs", prefix="/runs")


@page.record_once
def _children(state: BlueprintSetupState) -> None:
    """Each console has its own children; who ends the process closes them."""
    app = state.app
    app.extensions["runs"] = Children(app.extensions["console"].lab.directory / "runs")


@page.get("")
def index() -> str:
    """What runs and what ran, and the forms to start more."""
    return _index({})


@page.post("")
def start() -> AnyResponse | tuple[str, int]:
    """Start what the form says, or a run again that is named in `again`, with its seed."""
    refuse_foreign()
    again = request.form.get("again")
    before = _child(again) if again else None
    kind = before.kind if before else request.form.get("kind", "")
    asked = before.plan if before else {name: value for name, value in request.form.items() if name != "csrf_token"}
    try:
        run = _start(kind, asked_for(kind, asked))
    except (ValueError, Crowded) as error:
        flash(str(error), "bad")
        return _index(request.form), 400
    return redirect(url_for("runs.one", run=run), 303)


@page.post("/stop")
def stop() -> AnyResponse:
    """Ask a run to end; only one that this console has started can be."""
    run = request.form.get("run", "")
    stopped = _all().stop(run)
    flash("It is told to stop, and finishes what it has begun." if stopped else "It is not running here.", "good")
    return redirect(url_for("runs.one", run=run), 303)


@page.get("/of/<path:run>")
def one(run: str) -> str:
    """One run: how far it is, what came of it, what failed, what it said."""
    return render_template("run.html", **_one(run))


@page.get("/live/<path:run>")
def live(run: str) -> Response:
    """The part of a run's page that goes on changing."""
    return live_part(render_template("progress.html", **_one(run)))


@page.get("/compare")
def compare() -> str:
    """Two runs side by side: outcomes, codes, latency, what is wrong."""
    names = request.args.getlist("run")[:2]
    if len(names) < 2:
        abort(400, "Choose two runs to compare.")
    pair = [figures(console().projection, run, WHOLE) for run in names]
    return render_template(
        "compare.html",
        pair=pair,
        started=[_all().one(run) for run in names],
        outcomes=_rows(pair, lambda found: {share.outcome: share.number for share in found.shares}),
        answers=_rows(pair, lambda found: dict(found.answers)),
    )


@page.get("/reports/<identity>")
def report(identity: str) -> Response:
    """A report that another command has left, behind a policy of its own."""
    found = next((one for one in _reports() if one.id == identity), None)
    if found is None:
        abort(404, "There is no such report any more.")
    return served(found)


def _index(given: Any) -> str:  # noqa: ANN401 - a form
    room = shown_room()
    started = {one.run: one for one in _all().all() if room in {"", one.room}}
    began = {row["run"]: row["first_at"] for row in latest_runs(console().projection, room, SHOWN)}
    began |= {run: child.at for run, child in started.items()}
    names = sorted(began, key=began.__getitem__, reverse=True)[:SHOWN]
    return render_template(
        "runs.html",
        rows=[(run, started.get(run), _state(started.get(run)), began[run]) for run in names],
        outcomes=by_run(console().projection, names),
        room=room,
        given=given,
        scenarios=_stories(),
        profiles=list(PROFILES),
        personas={name: persona.about for name, persona in PERSONAS.items()},
        reports=_reports(),
        line=as_command("pbx", "run", "--list", target=False),
    )


def _start(kind: str, asked: dict[str, str]) -> str:
    run = run_name(f"{kind}-{secrets.token_hex(3)}")
    children = _all()
    place = Place(console().lab, run, children.place(run))
    if kind == "campaign":
        (place.directory / CONTACTS).write_text(contacts_csv(asked), encoding="utf-8")
    words, at = RECIPES[kind].words(asked, place), console().clock()
    children.start(
        Started(run, own_room(), kind, RECIPES[kind].title(asked), at, words, asked), console().lab.target.key
    )
    return run


def _one(run: str) -> dict[str, Any]:
    child = _child(run)
    found = figures(console().projection, run)
    planned = RECIPES[child.kind].planned(child.plan) if child else Planned()
    if child is None and not found.sent:
        abort(404, "There is no such run.")
    bad = [share.outcome for share in found.shares if share.outcome not in GOOD]
    failures = [row for name in bad for row in find(console().projection, Wanted(run=run, outcome=name), limit=3)]
    return {
        "run": run,
        "child": child,
        "state": _state(child),
        "figures": found,
        "planned": planned,
        "chart": chart(found.pace, planned.rate, planned.seconds),
        "failures": failures,
        "line": shown_text(as_command(*child.words, target=False)) if child else "",
        "output": shown_text(child.output) if child else "",
        "apart": bool(child and (child.kind == "contract" or "--lab" in child.words)),
        "report": next((one for one in _reports() if child and one.path.parent == child.directory), None),
    }


def _state(child: Started | None) -> str:
    return _all().state(child) if child else ""


def _all() -> Children:
    found: Children = current_app.extensions["runs"]
    return found


def _child(run: str) -> Started | None:
    return _all().one(run)


def _reports() -> list[Report]:
    return reports(console().lab.directory, VAR)


@cache
def _stories() -> tuple[tuple[str, str, bool], ...]:
    """Each ready scenario's name, what must hold, and whether it brings its own lab. They change with the code only."""
    stories = [load(scenario_file(name)) for name in pack()]
    return tuple((story.name, story.about, needs_own_lab(story)) for story in stories)


def _rows(pair: Sequence[Figures], numbers: Callable[[Figures], Mapping[str, int]]) -> list[tuple[str, list[Cell]]]:
    """What two runs have of each name: number and share."""
    both = [(numbers(found), sum(numbers(found).values()) or 1) for found in pair]
    names = dict.fromkeys(name for table, _ in both for name in table)
    return [(name, [(table.get(name, 0), table.get(name, 0) / total) for table, total in both]) for name in names]
