"""The console as a Flask app: its pages in the order of the menu, the door before them, the frame around them."""

from collections.abc import Callable
from time import time
from typing import Final

from flask import Flask

from simulator.console import (
    api,
    carrier,
    channels,
    compose,
    export,
    ledger,
    message,
    redaction,
    rooms,
    runs,
    security,
    timeline,
)
from simulator.console.frame import frame
from simulator.console.page import Console, Page
from simulator.console.projection import Projection
from simulator.console.settings import Settings

# One line each, in the order of the menu; pages without a title are not in it.
PAGES: Final[tuple[Page, ...]] = (
    timeline.page,
    compose.page,
    channels.page,
    carrier.page,
    runs.page,
    ledger.page,
    message.page,
    export.page,
    api.page,
    rooms.page,
    redaction.page,
    security.page,
)
FORM_BYTES: Final = 1 << 20


def create_app(settings: Settings, projection: Projection, clock: Callable[[], float] = time) -> Flask:
    """A console on an open projection; whoever opened that feeds it (`follower.py`) and closes it."""
    app = Flask("simulator.console")
    app.secret_key = settings.secret
    app.config["MAX_CONTENT_LENGTH"] = FORM_BYTES
    app.extensions["console"] = Console(settings, projection, clock)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    security.guard(app)
    frame(app, PAGES)
    for page in PAGES:
        app.register_blueprint(page)
    return app
