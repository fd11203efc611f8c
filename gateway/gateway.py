"""One gateway process put together. Nothing here decides anything; it says what is made of what."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from threading import Event, Thread

from gateway.admission import Admission
from gateway.carrier import Carrier, open_client
from gateway.crash import Point, crash_point
from gateway.database import Database, open_database
from gateway.dispatcher import Dispatcher
from gateway.events import EventLog, open_log
from gateway.ids import Ids
from gateway.keys import Keys
from gateway.limiter import Limiter, OwnWindow, RedisWindow
from gateway.metrics import Metrics
from gateway.orders import Orders
from gateway.receipts import Receipts
from gateway.settings import Settings

Clock = Callable[[], float]


@dataclass(frozen=True)
class Gateway:
    """What a request needs, and what `close` gives back. `wake` is set when there is work for a dispatcher."""

    settings: Settings
    database: Database
    limiter: Limiter
    keys: Keys
    admission: Admission
    orders: Orders
    receipts: Receipts
    metrics: Metrics
    log: EventLog
    clock: Clock
    wake: Event
    point: Point

    def close(self) -> None:
        """Give the database back."""
        self.database.close()


def open_gateway(
    settings: Settings, clock: Clock = time.time, ids: Ids | None = None, log: EventLog | None = None
) -> Gateway:
    """A gateway on an initialised database."""
    database = open_database(
        settings.database_url, unsafe=settings.unsafe_durability, deadline=settings.request_deadline
    )
    metrics, wake, point = Metrics(), Event(), crash_point(settings.crash_point)
    context = {"durability": "UNSAFE"} if settings.unsafe_durability else {}
    log = log or open_log(context)
    window = RedisWindow(settings.redis_url, log.warning) if settings.redis_url else OwnWindow()
    limiter = Limiter(window, settings.invalid_keys_per_second)
    admission = Admission(database, settings, clock)
    return Gateway(
        settings=settings,
        database=database,
        limiter=limiter,
        keys=Keys(database, limiter, clock),
        admission=admission,
        orders=Orders(database, settings, admission, ids or Ids(clock), clock, log, metrics, wake.set, point),
        receipts=Receipts(database, log, settings.request_deadline),
        metrics=metrics,
        log=log,
        clock=clock,
        wake=wake,
        point=point,
    )


@dataclass(frozen=True)
class Delivery:
    """Running dispatchers. `stop` lets each finish the attempt it has in hand."""

    stopping: Event
    wake: Event
    threads: tuple[Thread, ...]

    def stop(self) -> None:
        """Finish what is under way and claim nothing more."""
        self.stopping.set()
        self.wake.set()
        for thread in self.threads:
            thread.join()


def start_delivery(gateway: Gateway) -> Delivery:
    """The gateway's dispatchers, each with a connection of its own to the carrier."""
    settings, stopping = gateway.settings, Event()

    def work() -> None:
        with open_client(settings.attempt_deadline, settings.carrier_key) as client:
            carrier = Carrier(
                client, settings.carrier_url, settings.attempt_deadline, single=settings.carrier_batch == 1
            )
            Dispatcher(
                gateway.database,
                carrier,
                settings,
                gateway.clock,
                Random(),
                gateway.log,
                gateway.metrics,
                gateway.point,
            ).run(stopping, gateway.wake)

    threads = tuple(Thread(target=work, daemon=True, name=f"dispatcher-{n}") for n in range(settings.carrier_workers))
    for thread in threads:
        thread.start()
    return Delivery(stopping, gateway.wake, threads)
