"""The event log is no part of the promise: when it cannot be written, orders are accepted all the same."""

from contextlib import suppress
from pathlib import Path

import pytest

from contracts import spec
from gateway.app import create_app
from gateway.contract import SEND_PATH
from gateway.events import open_log
from gateway.gateway import open_gateway
from gateway.orders import listed
from gateway.settings import Settings
from tests.conftest import open_desk

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_the_log_refuses_nobody(tmp_path):
    """An order that is stored is answered with 200 even if no line about it can be written."""
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'gateway.sqlite'}")
    desk = open_desk(settings)
    with suppress(OSError), FULL.open("w") as full:  # closing writes once more, and fails
        gateway = open_gateway(settings, desk.clock, log=open_log(stream=full))
        headers = {"Authorization": f"Bearer {desk.key}"}
        answer = create_app(gateway).test_client().post(SEND_PATH, json=spec.page_example(), headers=headers)
        stored = [order["id"] for order in listed(gateway.database)]
        gateway.close()
    desk.gateway.close()
    assert (answer.status_code, stored) == (200, [answer.json["data"]["id"]])
