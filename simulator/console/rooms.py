"""Rooms: a tester's name. A run's name begins with `ROOM/`, and everybody sees their own room first.

The room is a cookie; `?room=` in a link outranks it for that page, and `?room=*` is everyone.
"""

import re
from typing import Final

from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from simulator.console.page import Page

COOKIE: Final = "room"
EVERYONE: Final = "*"
NAME = re.compile(r"[A-Za-z0-9][\w.@ -]{0,31}", re.ASCII)

page = Page("rooms")


def own_room() -> str:
    """The room of whoever asks; empty if they are in none."""
    name = request.cookies.get(COOKIE, "")
    return name if NAME.fullmatch(name) else ""


def shown_room() -> str:
    """The room whose messages this page shows; empty for everyone."""
    asked = request.args.get("room")
    return own_room() if asked is None else "" if asked == EVERYONE else asked


def run_name(name: str) -> str:
    """The name of a run that this tester starts: `anna/compose`."""
    room = own_room()
    return f"{room}/{name}" if room else name


def room_of(run: str) -> str:
    """The room a run belongs to: what is before the first slash, or nobody's."""
    room, slash, _ = run.partition("/")
    return room if slash else ""


@page.post("/room")
def enter() -> Response:
    """Go into a room, or with an empty name out of it."""
    name = request.form.get("room", "").strip()
    if name and not NAME.fullmatch(name):
        abort(400, "A room is called by up to 32 letters, digits, blanks or any of . @ _ - and begins with a letter.")
    response = redirect(url_for("timeline.index"))
    if name:
        response.set_cookie(COOKIE, name, max_age=365 * 86400, samesite="Lax", httponly=True)
    else:
        response.delete_cookie(COOKIE, samesite="Lax", httponly=True)
    return response
