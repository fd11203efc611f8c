"""The pictures of the console in its user's guide, taken anew from a running lab.

    python -m tests.console.screenshots [FOLDER]

A lab is started, a short working day is played in it, and each page is photographed as a visitor sees it.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import click
from playwright.sync_api import Page

import simulator.console
from simulator.lab import Lab
from tests.console.browser.stage import MENU, console_lab, send, shown
from tests.console.browser.window import Window, chromium

FOLDER: Final = Path(simulator.console.__file__).parent / "docs"
LARGEST: Final = 200_000  # bytes: a picture that everybody who clones has to load
RETRIED: Final = "+46701740654"  # the carrier's magic number that is refused twice, then taken

DAY: Final = {
    "ben/newsletter": (
        ("+639171234501", "Our shop opens at 9 on Monday. Come and see what is new."),
        ("+639171234502", "Our shop opens at 9 on Monday. Come and see what is new."),
        ("+639171234503", "Our shop opens at 9 on Monday. Come and see what is new."),
        ("0917 1234504", "Our shop opens at 9 on Monday. Come and see what is new."),
    ),
    "anna/smoke": (
        ("+639171234567", "Hello from Yeastar"),
        ("+639171234567", "Two segments, because this one goes on and on: " + "the quick brown fox jumps. " * 5),
        ("+639171234567", "Привет из офиса"),
        ("+46701740611", "Your parcel is at the door"),
        ("+639171234567", "x" * 2001),
        ("+46701740622", "The carrier will not have this one"),
    ),
    "anna/compose": (
        (RETRIED, "Your table for two is booked for 19:30"),
        ("+639171234567", "Your code is 481 516. It is good for five minutes."),
    ),
}


class Shot(NamedTuple):
    """One picture: its name, where it is, and what the visitor does there first."""

    name: str
    path: str
    act: Callable[[Page], object] = lambda _: None
    height: int = 800
    width: int = 1200
    dark: bool = False


def write(page: Page) -> None:
    """A text that a phone's keyboard has made longer than it looks."""
    page.get_by_label("To", exact=True).fill("+639171234567")
    page.get_by_label("Text", exact=True).fill(
        "Dear Ms Reyes, your table for two is booked for 19:30 on Friday. "
        "We\u2019re looking forward to seeing you \u2013 reply STOP if you don\u2019t want reminders."
    )
    page.get_by_text("What forces UCS-2").wait_for()


def break_it(page: Page) -> None:
    """Two faults, one of them for some recipients only."""
    page.get_by_role("button", name="Throttle to 5/s").click()
    page.goto(f"{MENU['Carrier']}?kind=lost-reply")
    page.get_by_label("prefix").fill("+63917")
    page.get_by_label("every").fill("2")
    page.get_by_role("button", name="Arm lost-reply").click()


def run(page: Page) -> None:
    """Some seconds of traffic, over."""
    page.get_by_label("Peak, messages/s").fill("20")
    page.get_by_label("Seconds", exact=True).fill("12")
    page.get_by_label("Profile").select_option("ramp")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("button", name="Stop").wait_for()
    page.locator("#state .outcome").filter(has_not_text="running").wait_for(timeout=60_000)
    page.reload()


SHOTS: Final = (
    Shot("timeline", "/?room=*", height=640),
    Shot("message", "", height=1000),
    Shot("dark", "", height=700, dark=True),
    Shot("compose", MENU["Compose"], write, height=900),
    Shot("runs", MENU["Runs"], run, height=700),
    Shot("ledger", MENU["Ledger"], height=760),
    Shot("phone", "/?room=*", height=720, width=360),
    Shot("carrier", MENU["Carrier"], break_it, height=900),
)


def play(lab: Lab) -> str:
    """The day in this lab; the address of the message that was tried most."""
    for run, messages in DAY.items():
        send(lab, run, *messages)
    shown(lab, sum(to.startswith("+") for day in DAY.values() for to, _ in day) - 2)
    shown(lab, 1, "DELIVRD", to=RETRIED)
    return f"/messages/{1 + [to for day in DAY.values() for to, _ in day].index(RETRIED)}"


def take(shot: Shot, window: Window, folder: Path) -> None:
    """One picture into the folder; what is too large is an error."""
    page = window.enter(shot.width, scheme="dark" if shot.dark else "light")
    page.set_viewport_size({"width": shot.width, "height": shot.height})
    page.goto(shot.path)
    shot.act(page)
    size = len(page.screenshot(path=folder / f"{shot.name}.png"))
    click.echo(f"{folder / shot.name}.png  {size / 1000:.0f} kB")
    if (complaints := window.leave()) or size > LARGEST:
        message = f"{shot.name}: {size} bytes, {complaints}"
        raise SystemExit(message)


def main(folder: Path) -> None:
    """Every picture."""
    with tempfile.TemporaryDirectory() as directory, console_lab(Path(directory)) as lab, chromium() as browser:
        message, window = play(lab), Window(browser, lab.console_url)
        for shot in SHOTS:
            take(shot._replace(path=shot.path or message), window, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER)
