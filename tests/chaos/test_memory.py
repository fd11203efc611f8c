"""A hostile carrier does not fill the gateway's memory, and does not stop it."""

import time
from pathlib import Path

import httpx
import pytest

from contracts import spec
from simulator.lab import GATEWAY, running_lab

MEGABYTES = 10  # above what the gateway needed before
MESSAGES = 20
IN_TIME = 60.0  # seconds for the orders to be delivered once the carrier is well again
SICK = 4.0  # seconds the carrier is watched for, three attempts and more
FAULTS = {
    "gzip-bomb": {"megabytes": 300},
    "dribble": {"pause": 0.05, "part": "headers"},
    "hang": {},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    """A lab of its own, whose attempts last a second at most."""
    with running_lab(tmp_path_factory.mktemp("memory"), rate=1000, environ={"SMSLAB_ATTEMPT_DEADLINE": "1"}) as lab:
        yield lab


def resident(group):
    """Megabytes that the processes of a group hold."""
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended meanwhile
            continue
        if int(fields[2]) == group:
            total += int(fields[21])
    return total * 4096 / 1e6


def send(lab):
    """Some messages, each accepted."""
    with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {lab.key}"}) as client:
        for _ in range(MESSAGES):
            assert client.post(lab.send_url, json=spec.page_example()).status_code == 200


def await_drained(lab):
    """Until no order waits."""
    end = time.monotonic() + IN_TIME
    while [order for order in lab.orders() if order["state"] == "queued"]:
        assert time.monotonic() < end, "the backlog did not drain"


@pytest.mark.parametrize("kind", FAULTS)
def test_a_hostile_carrier_does_not_fill_the_memory(gateway, kind):
    """Under a gzip bomb, a dribbler or a carrier that hangs the gateway grows by at most 10 MB, then delivers."""
    send(gateway)
    await_drained(gateway)
    idle = resident(gateway.pid(GATEWAY))
    fault = {"kind": kind, "params": FAULTS[kind]}
    httpx.post(f"{gateway.carrier_url}/faults", json=fault, trust_env=False, timeout=5).raise_for_status()
    send(gateway)
    peak, end = idle, time.monotonic() + SICK
    while time.monotonic() < end:
        peak = max(peak, resident(gateway.pid(GATEWAY)))
    httpx.post(f"{gateway.carrier_url}/reset", json={}, trust_env=False, timeout=5).raise_for_status()
    await_drained(gateway)
    assert peak - idle <= MEGABYTES
