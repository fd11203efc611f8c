"""The frame around every page: the menu, the room, the alarms, and how times, numbers and errors are shown."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from flask import Flask, current_app, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response as AnyResponse

from contracts import spec
from simulator.console.page import Alarm, Page, console
from simulator.console.redaction import is_redacted, keep_redacted, shown_number, shown_text
from simulator.console.rooms import own_room, shown_room
from simulator.console.search import message_url


def frame(app: Flask, pages: Iterable[Page]) -> None:
    """Give every template of the app its frame, and every error a page in it."""
    pages = tuple(pages)

    def around() -> dict[str, Any]:
        if g.get("outside"):  # stopped at the door: a page that tells nothing
            return {"outside": True}
        return {
            "menu": [(page.name, page.title) for page in pages if page.title],
            "alarms": list(_alarms(pages)),
            "own_room": own_room(),
            "shown_room": shown_room(),
            "redacted": is_redacted(),
            "lab": console().lab,
            "trouble": console().projection.trouble,
            "titles": {row.code: row.title for row in spec.error_rows()},
        }

    app.context_processor(around)
    app.url_defaults(keep_redacted)
    app.jinja_env.globals["message_url"] = message_url
    app.jinja_env.filters.update(
        clock=clock, day=day, iso=iso, seconds=seconds, offset=offset, number=shown_number, said=shown_text
    )
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(Exception, show_accident)


def show_error(error: HTTPException) -> AnyResponse | tuple[AnyResponse | str, int]:
    """An error as a page in the frame, or as JSON below /api."""
    if error.response is not None or error.code is None:
        return error.get_response()
    if request.path.startswith("/api/"):
        return jsonify(error=error.description), error.code
    return render_template("error.html", error=error), error.code


def show_accident(error: Exception) -> AnyResponse | tuple[AnyResponse | str, int]:
    """What nobody foresaw: one sentence for the reader, the rest for the console's log."""
    current_app.logger.error("accident at %s", request.path, exc_info=error)
    return show_error(InternalServerError("The console met an error of its own; its log has the rest."))


def clock(at: float | None) -> str:
    """Epoch seconds as the time of day on this machine's clock."""
    return "" if at is None else time.strftime("%H:%M:%S", time.localtime(at))


def day(at: float) -> str:
    """Epoch seconds as a date on this machine's clock."""
    return time.strftime("%Y-%m-%d", time.localtime(at))


def iso(at: float | None) -> str:
    """Epoch seconds as ISO 8601 with milliseconds, in UTC, for programs and for hovering."""
    return "" if at is None else datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


def seconds(length: float | None) -> str:
    """A length of time as people read it: 12 ms, 1.20 s, 61 s."""
    if length is None:
        return ""
    return f"{length * 1000:.0f} ms" if abs(length) < 1 else f"{length:.2f} s" if length < 60 else f"{length:.0f} s"


def offset(length: float) -> str:
    """A distance from the start: +38 ms, +1.20 s; clocks of one machine may differ by a hair below zero."""
    return f"{'-' if length < 0 else '+'}{seconds(abs(length))}"


def _alarms(pages: Iterable[Page]) -> Iterable[Alarm]:
    return (alarm for page in pages if page.alarm and (alarm := page.alarm()))
