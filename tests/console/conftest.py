"""A console on a lab whose files the test writes itself, with a clock the test moves; and one on a real lab."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from contracts import spec
from contracts.target import Target, load
from simulator.console.app import create_app
from simulator.console.follower import Follower
from simulator.console.lab import LabView
from simulator.console.projection import Projection
from simulator.console.settings import Settings
from simulator.lab import Lab
from simulator.ledger.carrier import CarrierLedger, Message
from simulator.ledger.pbx import PbxLedger
from tests.conftest import Clock

KEY = "ysk_a-key-that-no-page-may-show"
TO = "+639171234567"


def target(send_url: str = "http://127.0.0.1:9/send", **settings: object) -> Target:
    """A provider of that URL."""
    return Target(send_url, None, KEY, spec.page_example()["from"], TO, **settings)


@dataclass
class Bench:
    """A console, its follower, and the pens of those that it reads."""

    lab: LabView
    clock: Clock
    settings: Settings
    projection: Projection
    follower: Follower
    client: FlaskClient
    pens: list[object] = field(default_factory=list)

    @property
    def pbx(self) -> PbxLedger:
        """The PBX's ledger, open."""
        return self._pen(PbxLedger, self.lab.pbx_ledger)

    @property
    def carrier(self) -> CarrierLedger:
        """The carrier's ledger, open."""
        return self._pen(CarrierLedger, self.lab.carrier_ledger)

    def _pen(self, kind, path):
        found = next((pen for pen in self.pens if isinstance(pen, kind)), None)
        if found is None:
            self.pens.append(found := kind(path))
        return found

    def tries(self, text: str = "Hello", to: str = TO, run: str = "manual") -> int:
        """The PBX opens an attempt; its number."""
        return self.pbx.open(run, "+630000000001", to, text, self.clock())

    def answers(self, number: int, order: str | None, status: int | None = 200, code: str | None = None) -> None:
        """The PBX's attempt is answered, with an exchange as the real one keeps it."""
        body = json.dumps({"data": {"id": order}} if order else {"errors": [{"code": code}]})
        response = {"status": status, "headers": {"content-type": "application/json"}, "body": body}
        request = {"method": "POST", "url": "http://127.0.0.1:9/send", "headers": {}, "body": "{}"}
        exchange = {"request": request, "response": response if status else None, "failure": None, "seconds": 0.01}
        self.pbx.close(number, self.clock() + 0.01, status=status, code=code, order_id=order, exchange=exchange)

    def sends(self, order: str, text: str = "Hello", to: str = TO, run: str = "manual") -> int:
        """One attempt that is accepted."""
        number = self.tries(text, to, run)
        self.answers(number, order)
        return number

    def logs(self, event: str, order: str | None = None, **facts: object) -> None:
        """One line of the gateway's log."""
        self.writes(self.line(event, order, **facts) + "\n")

    def line(self, event: str, order: str | None = None, **facts: object) -> str:
        """A line of the gateway's log, without its end."""
        at = datetime.fromtimestamp(self.clock(), UTC).isoformat().replace("+00:00", "Z")
        return json.dumps(({"order": order} if order else {}) | facts | {"event": event, "at": at})

    def writes(self, text: str) -> None:
        """Anything into the gateway's log."""
        with self.lab.gateway_log.open("a") as log:
            log.write(text)

    def takes(self, order: str | None, text: str = "Hello", to: str = TO, window: float = 1e9) -> None:
        """The carrier takes a message; a window of 0 lets it take the same one twice."""
        self.carrier.take([Message(order, "FUTURESMS", to, text, "GSM-7", 1)], self.clock(), window)

    def rows(self) -> list:
        """Every message of the index, oldest first, after the follower has seen everything."""
        self.follower.catch_up()
        return self.projection.rows("SELECT * FROM messages ORDER BY number")

    def outcomes(self) -> list[str]:
        """What each message has come to."""
        return [row["outcome"] for row in self.rows()]

    def get(self, path: str, **query: object) -> str:
        """A page, which must be there."""
        answer = self.client.get(path, query_string=query or None)
        assert answer.status_code == 200, answer.text
        return answer.text

    def posts(self, path: str, **form: str) -> TestResponse:
        """A form as a browser sends it, with the session's token."""
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/login").text)[1]
        return self.client.post(path, data={"csrf_token": token, **form})


@contextmanager
def open_bench(lab: LabView, index: Path, clock: Clock | None = None, **settings: object) -> Iterator[Bench]:
    """A console on a lab."""
    clock = clock or Clock()
    told = Settings(lab, **settings)
    projection = Projection(index)
    follower = Follower(lab, projection, clock)
    bench = Bench(lab, clock, told, projection, follower, create_app(told, projection, clock).test_client())
    try:
        yield bench
    finally:
        projection.close()
        for pen in bench.pens:
            pen.close_file()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A console on an empty directory."""
    with open_bench(LabView(target(), tmp_path / "lab.toml"), tmp_path / "console.sqlite") as opened:
        yield opened


@pytest.fixture
def sender(lab: Lab, tmp_path: Path) -> Iterator[Bench]:
    """A console on a real gateway, with ledgers and target file of its own."""
    (tmp_path / "key").write_text(lab.key)
    file = tmp_path / "lab.toml"
    urls = f'send_url = "{lab.send_url}"\nverify_url = "{lab.verify_url}"\n'
    file.write_text(f'{urls}key_file = "key"\nfrom = "{lab.from_number}"\nto = "{TO}"\n')
    with open_bench(LabView(load(file, {}), file), tmp_path / "console.sqlite") as opened:
        yield opened
