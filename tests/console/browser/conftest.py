"""One lab, one console and one browser for all tests of this folder, and windows that must not complain."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from simulator.lab import Lab
from tests.console.browser.stage import add_channel, console_lab, send, shown
from tests.console.browser.window import CHROMIUM, MISSING, Window, chromium

TO = "+639171234567"


# No longer than a file: while Playwright's loop is there, no other test of this process can have one.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a console and a few messages: delivered, refused, in two rooms and in none."""
    if not CHROMIUM:
        pytest.skip(MISSING)
    with console_lab(tmp_path_factory.mktemp("lab")) as running:
        send(running, "anna/greetings", (TO, "Hello from Yeastar"), (TO, "Line 1\nLine 2 🙂"), ("12345", "Nobody's"))
        send(running, "ben/nightly", (TO, "Long " * 90), ("+46701740611", "Not delivered"))
        send(running, "manual", (TO, "In no room"))
        add_channel(running, "night-shift", "Night shift")
        shown(running, 5)
        yield running


@pytest.fixture(scope="module")
def windows(lab: Lab, browser: Browser) -> Iterator[Callable[..., Window]]:
    """Windows onto the lab by Playwright's options for them; a new one costs as much as ten pages."""
    found: dict[str, list[Window]] = {}

    def window(place: int, **options: object) -> Window:
        alike = found.setdefault(repr(options), [])
        while len(alike) <= place:
            alike.append(Window(browser, lab.console_url, **options))
        return alike[place]

    yield window
    for alike in found.values():
        for one in alike:
            one.close()


@pytest.fixture
def visit(windows: Callable[..., Window]) -> Iterator[Callable[..., Page]]:
    """Visit the console: how wide, what to forgive, Playwright's options. At the end nobody has complained."""
    open_windows: list[Window] = []

    def look(width: int = 1440, forgive: str = "", **options: object) -> Page:
        open_windows.append(windows(len(open_windows), **options))
        return open_windows[-1].enter(width, forgive)

    yield look
    assert [complaint for window in open_windows for complaint in window.leave()] == []
