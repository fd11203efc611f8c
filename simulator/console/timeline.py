"""The timeline: every message, newest first, as a page, as the fragment that keeps it live, and found by anything."""

from typing import Final

from flask import Response, render_template, request

from simulator.console.export import MOST
from simulator.console.page import Page, console, live_part
from simulator.console.search import BEYOND, PAGE, find, runs, wanted_from

OUTCOMES: Final = (
    "open", "accepted", "delivered", "refused", "indeterminate", "refused by carrier", "expired", "cancelled",
    "lost", "duplicated", "altered", "phantom", "refused yet delivered", "false id", "disputed",
)  # fmt: skip

page = Page("timeline", "Timeline")


@page.get("/")
def index() -> str:
    """One page of the timeline; the newest one keeps itself up to date."""
    wanted, before = wanted_from(request.args), request.args.get("before", BEYOND, int)
    rows = find(console().projection, wanted, before, PAGE + 1)
    return render_template(
        "timeline.html",
        rows=rows[:PAGE],
        older=rows[PAGE - 1]["number"] if len(rows) > PAGE else None,
        newest=before == BEYOND,
        wanted=wanted,
        outcomes=OUTCOMES,
        most=MOST,
        runs=runs(console().projection, wanted.room),
    )


@page.get("/timeline/rows")
def rows() -> Response:
    """The newest rows as they are now; 204 if they are those that the reader has (`?have=`)."""
    found = find(console().projection, wanted_from(request.args), BEYOND, PAGE)
    return live_part(render_template("rows.html", rows=found))
