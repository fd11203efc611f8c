"""What several rooms of tests share: a running lab, and one gateway in this process whose clock the test moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from contracts import spec
from gateway.administration import add_integration
from gateway.app import create_app
from gateway.contract import SEND_PATH
from gateway.database import initialise
from gateway.events import open_log
from gateway.gateway import Gateway, open_gateway
from gateway.settings import Settings
from simulator.lab import Lab, running_lab


class Clock:
    """A clock that stands still until it is moved. Epoch seconds."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Desk:
    """A gateway in this process, with one integration named Lab: `send` is a PBX's request."""

    gateway: Gateway
    client: FlaskClient
    clock: Clock
    key: str
    log: StringIO

    def send(self, body: Any = None, *, key: str | None = None, **fields: object) -> TestResponse:
        """POST the page's example with these fields changed, or `body` as it is."""
        headers = {"Authorization": f"Bearer {self.key if key is None else key}"}
        if isinstance(body, bytes):
            return self.client.post(SEND_PATH, data=body, headers=headers, content_type="application/json")
        return self.client.post(SEND_PATH, json=spec.page_example() | fields, headers=headers)


def open_desk(settings: Settings) -> Desk:
    """A desk on the database of these settings."""
    initialise(settings.database_url)
    clock, log = Clock(), StringIO()
    gateway = open_gateway(settings, clock, log=open_log(stream=log))
    key = add_integration(gateway.database, "Lab", "FUTURESMS", rate=100_000)
    return Desk(gateway, create_app(gateway).test_client(), clock, key, log)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A gateway on a fresh SQLite file."""
    opened = open_desk(Settings(database_url=f"sqlite:///{tmp_path / 'gateway.sqlite'}"))
    yield opened
    opened.gateway.close()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Gateway and carrier as processes, shared by all tests that leave them as they were."""
    with running_lab(tmp_path_factory.mktemp("lab"), rate=5000) as running:
        yield running
