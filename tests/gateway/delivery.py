"""The real fake carrier for the tests of delivery, in this process or on a socket; and a whole world on one clock."""

from contextlib import contextmanager
from random import Random
from threading import Thread
from time import sleep, time

import httpx

from gateway.carrier import Carrier, Parcel
from gateway.dispatcher import Dispatcher
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


class World:
    """A desk, the real fake carrier on the same clock, and a dispatcher between them."""

    def __init__(self, desk, directory):
        self.desk, self.clock, self.gateway = desk, desk.clock, desk.gateway
        self.fake = FakeCarrier(directory, desk.clock, self.pass_time)
        self.client = httpx.Client(transport=httpx.WSGITransport(app=self.fake.app))
        self.dispatcher = self.another()

    def another(self, carrier=None):
        """One more dispatcher on the same database, with the real client unless another is given."""
        settings, gateway = self.gateway.settings, self.gateway
        single = settings.carrier_batch == 1
        carrier = carrier or Carrier(self.client, "http://carrier", settings.attempt_deadline, single=single)
        parts = gateway.database, carrier, settings, self.clock, Random(1), gateway.log, gateway.metrics
        return Dispatcher(*parts)

    def pass_time(self, seconds):
        """Move the clock."""
        self.clock.now += seconds

    def step(self, after=0.0):
        """Let the time pass and do one step: how many orders it took in hand."""
        self.pass_time(after)
        return self.dispatcher.step()

    def send(self, count=1, **fields):
        """Have messages accepted: the order ids."""
        return [self.desk.send(**fields).json["data"]["id"] for _ in range(count)]

    def orders(self, *columns):
        """These columns of every order, in the order they were accepted."""
        with self.gateway.database.read() as connection:
            rows = connection.exec_driver_sql(f"SELECT {','.join(columns)} FROM orders ORDER BY seq").all()  # noqa: S608
        return [row[0] if len(columns) == 1 else tuple(row) for row in rows]

    def wait(self):
        """Seconds until the first order is due, which may be past."""
        return min(self.orders("due_at")) / 1000 - self.clock.now

    def close(self):
        """Give client and ledger back."""
        self.client.close()
        self.fake.ledger.close_file()
