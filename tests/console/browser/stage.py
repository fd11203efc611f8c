"""A lab with a console, and PBXs that send: what the browser looks at, in tests and on screenshots."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx
from flask import Flask, url_for

from contracts.target import Target, load
from simulator.console.app import PAGES, create_app
from simulator.console.lab import LabView
from simulator.console.settings import Settings
from simulator.console.shelf import Shelf
from simulator.handover import hand_over
from simulator.lab import CONSOLE, Lab, free_port, running_lab
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.call import open_client
from simulator.pbx.outcome import Outcome
from simulator.pbx.pbx import Pbx


def app() -> Flask:
    """The console as an app that knows its addresses, and nothing else."""
    nowhere = LabView(Target("http://127.0.0.1:9/", None, "", "", ""), Path("lab.toml"))
    return create_app(Settings(nowhere), None)


def _menu() -> dict[str, str]:
    """The title and the address of each page in the console's menu."""
    with app().test_request_context():
        return {page.title: url_for(f"{page.name}.index") for page in PAGES if page.title}


MENU: Final = _menu()


@contextmanager
def console_lab(directory: Path) -> Iterator[Lab]:
    """Gateway, carrier and console as processes, as `smslab up` starts them."""
    with running_lab(directory, rate=5000) as lab:
        target = hand_over(lab)
        lab.console_port = free_port()
        lab.start(CONSOLE, "--lab", str(target))
        yield lab


def send(lab: Lab, run: str, *messages: tuple[str, str]) -> list[Outcome]:
    """A PBX sends each text to its number, as part of that run."""
    with PbxLedger(lab.pbx_ledger) as ledger, open_client() as client:
        pbx = Pbx(load(lab.directory / "lab.toml", {}), ledger, client, run=run)
        return [pbx.send(to, text) for to, text in messages]


def add_channel(lab: Lab, name: str, title: str) -> None:
    """Keep a channel as the console's form does, with the lab's own key."""
    table = {"name": title, "send_url": lab.send_url, "verify_url": lab.verify_url, "numbers": [lab.from_number]}
    shelf = Shelf(LabView(load(lab.directory / "lab.toml", {}), lab.directory / "lab.toml"))
    shelf.keep(name, table, {"key": lab.key})


def shown(lab: Lab, count: int, state: str = "delivered", **choice: str) -> None:
    """Wait until the console's index has so many messages in that state."""
    with httpx.Client(base_url=lab.console_url, timeout=70, trust_env=False) as client:
        answer = client.get("/api/expect", params={"count": count, "state": state, "timeout": 60, **choice})
    assert answer.status_code == 200, answer.text
