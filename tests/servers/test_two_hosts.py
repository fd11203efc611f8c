"""More than one machine: gateways and dispatchers as processes of their own on one PostgreSQL and one Redis."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from gateway.contract import SEND_PATH
from simulator.lab import SMSLAB, free_port
from simulator.ledger.carrier import CarrierLedger
from tests.servers.conftest import Postgres, database, until

RATE = 200


class Hosts:
    """Two gateways, two dispatchers, one carrier."""

    def __init__(self, folder: Path, environ: dict[str, str], store: Postgres) -> None:
        self.store = store
        self.environ = environ
        self.ledger = folder / "carrier.sqlite"
        self.ports = [free_port(), free_port()]
        self.carrier_url = environ["SMSLAB_CARRIER_URL"]
        added = self.smslab("gateway", "integration", "add", "Two", "--sender", "X", "--rate", str(RATE), "--json")
        self.key = json.loads(added)["key"]

    def smslab(self, *arguments: str) -> str:
        """A command in the environment that all hosts share."""
        command = [*SMSLAB, *arguments]
        return subprocess.run(command, env=self.environ, check=True, capture_output=True, text=True).stdout

    def send(self, number: int) -> int:
        """One message through one of the two gateways; the status."""
        body = {"from": "+630000000001", "to": "+639171234567", "text": f"message {number}"}
        url = f"http://127.0.0.1:{self.ports[number % 2]}{SEND_PATH}"
        with httpx.Client(trust_env=False, headers={"Authorization": f"Bearer {self.key}"}, timeout=10) as client:
            return client.post(url, json=body).status_code

    def send_many(self, numbers: range) -> Counter[int]:
        """Many at once; how often each status came."""
        with ThreadPoolExecutor(8) as pool:
            return Counter(pool.map(self.send, numbers))

    def delivered(self) -> list[str]:
        """The keys of the messages the carrier took, each as often as it took it."""
        with CarrierLedger(self.ledger) as ledger:
            return [delivery.key or "" for delivery in ledger.deliveries()]


@contextmanager
def process(arguments: list[str], environ: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A part of the lab, ended at the end."""
    with subprocess.Popen([sys.executable, "-m", "simulator", *arguments], env=environ) as running:
        try:
            yield running
        finally:
            running.terminate()
            running.wait(15)


@pytest.fixture(scope="module")
def hosts(server, redis_url, tmp_path_factory) -> Iterator[Hosts]:
    """Everything up, on loopback."""
    with database(server, "hosts") as store:
        yield from up(store, redis_url, tmp_path_factory.mktemp("hosts"))


def up(store: Postgres, redis_url: str, folder: Path) -> Iterator[Hosts]:
    """Start all six processes, and stop them in the end."""
    carrier_port = free_port()
    environ = {
        **os.environ,
        "SMSLAB_DATABASE_URL": store.url,
        "SMSLAB_REDIS_URL": redis_url,
        "SMSLAB_CARRIER_URL": f"http://127.0.0.1:{carrier_port}",
    }
    running = Hosts(folder, environ, store)
    commands = [["carrier", "serve", "--port", str(carrier_port), "--ledger", str(running.ledger)]]
    commands += [["gateway", "serve", "--no-deliver", "--port", str(port)] for port in running.ports]
    commands += [["gateway", "deliver"]] * 2
    with ExitStack() as stack:
        for command in commands:
            stack.enter_context(process(command, environ))
        for port in (carrier_port, *running.ports):
            until(lambda port=port: answers(port))
        yield running


def answers(port: int) -> bool:
    """Whether the process at this port is up."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def test_two_dispatchers_claim_nothing_twice(hosts):
    """Every accepted order reaches the carrier once, in one attempt, whichever dispatcher took it."""
    accepted = hosts.send_many(range(150))[200]

    until(lambda: hosts.store.ask("SELECT count(*) FROM orders WHERE state = 'submitted'") == [(accepted,)])
    delivered = hosts.delivered()
    assert len(delivered) == len(set(delivered)) == accepted > 0
    assert hosts.store.ask("SELECT max(attempts) FROM orders") == [(1,)]


def test_two_gateways_share_one_rate(hosts):
    """A key may send its rate per second in all, not per gateway."""
    with httpx.Client(trust_env=False) as client:
        headers = {"Authorization": f"Bearer {hosts.key}"}
        base = f"http://127.0.0.1:%d{re.sub('sendmessage', 'verify', SEND_PATH)}"
        with ThreadPoolExecutor(8) as pool:
            asked = pool.map(lambda n: client.get(base % hosts.ports[n % 2], headers=headers), range(2 * RATE))
            answered = [(answer.status_code, answer.elapsed.total_seconds()) for answer in asked]

    statuses = Counter(status for status, _ in answered)
    assert set(statuses) <= {200, 429}
    # Four hundred requests take this machine a second or two: at most three windows' worth may pass.
    assert statuses[200] <= 3 * RATE


def test_two_gateways_share_one_breaker(hosts):
    """An outage seen by a dispatcher closes both gateways, and its end opens both."""
    httpx.post(f"{hosts.carrier_url}/faults", json={"kind": "outage", "params": {}}, trust_env=False)

    until(lambda: hosts.send(0) == 500)
    until(lambda: hosts.send(1) == 500, seconds=1)

    httpx.delete(f"{hosts.carrier_url}/faults", trust_env=False)
    until(lambda: hosts.send(0) == 200)
    until(lambda: hosts.send(1) == 200, seconds=1)
