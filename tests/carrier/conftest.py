"""A carrier in this process, on a real ledger, whose clock moves only when told; and one on a real socket."""

import json
from dataclasses import dataclass, field
from random import Random
from threading import Thread

import pytest

from simulator.carrier.app import create_app
from simulator.carrier.server import bind, server_on
from simulator.ledger.carrier import CarrierLedger


class Clock:
    """Epoch seconds that stand still; sleeping moves them, and is remembered."""

    def __init__(self):
        self.now, self.slept = 1_790_000_000.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        """Let the time pass at once."""
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Carrier:
    """The carrier's two sides for a test: what a gateway calls and what a tester calls."""

    ledger: CarrierLedger
    clock: Clock
    options: dict = field(default_factory=dict)

    def __post_init__(self):
        self.app = create_app(self.ledger, clock=self.clock, sleep=self.clock.sleep, rng=Random(1), **self.options)
        self.client = self.app.test_client()

    @staticmethod
    def message(key=None, **fields):
        """A message as a gateway submits it."""
        plain = {"from": "FUTURESMS", "to": "+639170000001", "text": "hi", "encoding": "GSM-7", "segments": 1}
        return ({"key": key} if key else {}) | plain | fields

    def send(self, key=None, **fields):
        """Submit one message alone."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.client.post("/v1/messages", data=json.dumps(self.message(**fields)), headers=headers)

    def batch(self, *messages):
        """Submit a batch."""
        return self.client.post("/v1/messages", data=json.dumps({"messages": messages}))

    def statuses(self, *messages):
        """The statuses of a batch, message by message."""
        return [result["status"] for result in self.batch(*messages).json["results"]]

    def break_it(self, kind, scope=None, ttl=None, **params):
        """Arm a fault."""
        times = {} if ttl is None else {"ttl": ttl}
        answer = self.client.post("/faults", json={"kind": kind, "params": params, "scope": scope or {}, **times})
        assert answer.status_code == 201, answer.json
        return answer.json

    def taken(self):
        """The keys in the ledger, in order."""
        return [delivery.key for delivery in self.ledger.deliveries()]


@pytest.fixture
def ledger(tmp_path):
    """A fresh ledger."""
    with CarrierLedger(tmp_path / "carrier.sqlite") as opened:
        yield opened


@pytest.fixture
def carrier(ledger):
    """A carrier in this process."""
    return Carrier(ledger, Clock())


@pytest.fixture
def address(carrier):
    """Where the same carrier answers on a real socket."""
    with bind("127.0.0.1", 0) as listener:
        server = server_on(listener, carrier.app)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield listener.getsockname()
        server.shutdown()
        thread.join()
