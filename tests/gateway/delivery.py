"""The real fake carrier for the tests of delivery: in this process, on a real ledger, also on a real socket."""

from contextlib import contextmanager
from random import Random
from threading import Thread
from time import sleep, time

from gateway.carrier import Parcel
from simulator.carrier.app import create_app
from simulator.carrier.server import bind, server_on
from simulator.ledger.carrier import CarrierLedger


class FakeCarrier:
    """The carrier's app and its ledger; `break_it` arms a fault as a tester would, over its API."""

    def __init__(self, directory, clock=time, pause=sleep, window=86_400.0):
        self.ledger = CarrierLedger(directory / "carrier.sqlite")
        self.app = create_app(self.ledger, clock=clock, sleep=pause, rng=Random(1), window=window)
        self._client = self.app.test_client()

    def break_it(self, kind, scope=None, ttl=None, **params):
        """Arm a fault."""
        times = {} if ttl is None else {"ttl": ttl}
        armed = self._client.post("/faults", json={"kind": kind, "params": params, "scope": scope or {}, **times})
        assert armed.status_code == 201, armed.json

    def mend(self):
        """Clear every fault."""
        self._client.delete("/faults")

    def taken(self):
        """The keys of the messages it accepted, in order."""
        return [delivery.key for delivery in self.ledger.deliveries()]


@contextmanager
def listening(app):
    """The app behind the fake carrier's own server on a free loopback port: its URL."""
    with bind("127.0.0.1", 0) as listener:
        server = server_on(listener, app)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield "http://{}:{}".format(*listener.getsockname())
        server.shutdown()
        thread.join()
        server.server_close()


def parcels(count=1, **fields):
    """Messages with keys K0, K1, ..."""
    plain = {"sender": "FUTURESMS", "to": "+639171234567", "text": "hi", "encoding": "GSM-7", "segments": 1}
    return [Parcel(key=f"K{number}", **{**plain, **fields}) for number in range(count)]
