"""One lab, one console and one browser for all tests of this folder, and windows that must not complain."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from simulator.lab import Lab
from tests.console.browser.stage import add_channel, console_lab, send, shown
from tests.console.browser.window import CHROMIUM, MISSING, Window, chromium

TO = "+639171234567"


# Not for the whole session: while Playwright's loop is there, no other test can have one.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's chromium."""
    if not CHROMIUM:
        pytest.skip(MISSING)
    with chromium() as running:
        yield running


@pytest.fixture(scope="package")
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a console and a few messages: delivered, refused, in two rooms and in none."""
    del browser  # no browser, no lab
    with console_lab(tmp_path_factory.mktemp("lab")) as running:
        send(running, "anna/greetings", (TO, "Hello from Yeastar"), (TO, "Line 1\nLine 2 🙂"), ("12345", "Nobody's"))
        send(running, "ben/nightly", (TO, "Long " * 90), ("+46701740611", "Not delivered"))
        send(running, "manual", (TO, "In no room"))
        add_channel(running, "night-shift", "Night shift")
        shown(running, 5)
        yield running


@pytest.fixture
def visit(browser: Browser, lab: Lab) -> Iterator[Callable[..., Window]]:
    """Open a window as wide as asked, with Playwright's options for a context; at the end none has complained."""
    windows = []

    def look(**options: object) -> Window:
        windows.append(window := Window(browser, lab.console_url, **options))
        return window

    yield look
    for window in windows:
        window.close()
    assert [complaint for window in windows for complaint in window.complaints] == []
