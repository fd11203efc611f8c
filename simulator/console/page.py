"""What a page is made of: a blueprint with a title for the menu, and the console it belongs to.

How to add one is in docs/INTERNALS.md. The menu, the alarms and the frame are in `frame.py`.
"""

import hashlib
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from flask import Blueprint, Response, abort, current_app, request

from simulator.console.lab import LabView
from simulator.console.projection import Projection
from simulator.console.settings import Settings


class Alarm(NamedTuple):
    """One sentence for the red bar, and the address of the page that explains it."""

    sentence: str
    url: str


@dataclass(frozen=True, slots=True)
class Console:
    """One console at work. `clock` gives epoch seconds."""

    settings: Settings
    projection: Projection
    clock: Callable[[], float]

    @property
    def lab(self) -> LabView:
        """What is shown."""
        return self.settings.lab


class Page(Blueprint):
    """A room of the console. With a `title` it is in the menu, its first view is the endpoint `NAME.index`.

    `alarm` is asked for each page that is shown, so it must be cheap; None means all is well.
    """

    def __init__(
        self, name: str, title: str = "", *, prefix: str = "", alarm: Callable[[], Alarm | None] | None = None
    ) -> None:
        super().__init__(name, "simulator.console", url_prefix=prefix or None)
        self.title, self.alarm = title, alarm


def console() -> Console:
    """The console of the request being answered."""
    found: Console = current_app.extensions["console"]
    return found


def live_part(html: str) -> Response:
    """The answer to a `data-live` address: the part of the page as it is now, 204 if the reader has it (`?have=`)."""
    state = hashlib.sha256(html.encode()).hexdigest()[:16]
    if state == request.args.get("have"):
        return Response(status=204)
    return Response(html, mimetype="text/html", headers={"X-State": state})


def refuse_foreign() -> None:
    """Call it first in every view that sends or breaks: a target that is not ours is only looked at (403)."""
    lab = console().lab
    if lab.is_foreign:
        abort(403, f"{lab.gateway_url} is not this machine. Start the console with --i-own-this-target if it is yours.")


def as_command(*words: str, target: bool = True) -> str:
    """The command line that does the same: `smslab WORDS`, with the lab's target and ledger where they matter."""
    lab = console().lab
    places = ["--target", str(lab.file), "--ledger", str(lab.pbx_ledger)] if target else []
    return shlex.join(["smslab", *words, *places])
