"""Locust's side of a load run: one user that plays all PBXs of its process in open model, and the shape.

Works with plain Locust, web UI and all: `locust -f load/locustfile.py`. The target comes from
YEASTAR_SEND_URL, YEASTAR_API_KEY, YEASTAR_VERIFY_URL, YEASTAR_FROM and YEASTAR_TO, the profile from
SMSLAB_LOAD_PROFILE (a name or a TOML file), the carrier to break from SMSLAB_LOAD_CARRIER_URL. The number of
users is not for a person to choose: one per process, however many messages are due.
"""

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import urlsplit

import gevent  # type: ignore[import-untyped]  # ships no stubs
from gevent.event import Event  # type: ignore[import-untyped]  # ships no stubs
from locust import FastHttpUser, LoadTestShape, events, task
from locust.env import Environment
from locust.rpc import Message
from locust.runners import MasterRunner, WorkerRunner

from load.generator import Conductor, Generator
from load.plan import Plan, profile_from
from load.record import Request

SHARED = ("from_number", "to_number", "seed", "budget", "judging")  # what a master tells its workers
GO, RECORDS = "smslab_go", "smslab_records"


class Session:
    """What one Locust process keeps for a run: its generator, and the conductor where the run began."""

    def __init__(self, plan: Plan, environment: Environment) -> None:
        self.plan, self._runner = plan, environment.runner
        self._worker = isinstance(self._runner, WorkerRunner)
        self.reset()

    def reset(self, **_: object) -> None:
        """Make ready for a run; Locust's web UI may start several."""
        self.conductor = None if self._worker else Conductor(self.plan)
        self.generator = Generator(self.plan, self.deliver)
        self.ready = Event()

    def deliver(self, records: Sequence[Request], summary: dict[str, Any] | None) -> None:
        """Hand records to the conductor: directly, or over Locust's own connection to the master."""
        if self.conductor is not None:
            self.conductor.receive(records, summary)
        elif self._runner is not None:
            self._runner.send_message(RECORDS, {"records": list(records), "summary": summary})

    def spread(self, **_: object) -> None:
        """All users are there: give each process its share and start the clock."""
        if self.conductor is None:
            return
        if isinstance(self._runner, MasterRunner):
            clients = sorted(client.id for client in self._runner.clients.all)
            shared = {name: getattr(self.plan, name) for name in SHARED} | {"of": len(clients)}
            shared["profile"] = self.plan.profile.to_json()
            for index, client in enumerate(clients):
                self._runner.send_message(GO, shared | {"index": index}, client_id=client)
            self.conductor.begin(len(clients))
        else:
            self.conductor.begin(1)
            self.go(0, 1)

    def go(self, index: int, of: int) -> None:
        """Begin this process's share."""
        self.generator.begin(index, of)
        self.ready.set()

    def on_go(self, msg: Message, **_: object) -> None:
        """A worker hears from its master that the run starts, and with which plan; the key is its own."""
        given = {name: msg.data[name] for name in SHARED}
        self.plan = replace(self.plan, **given, profile=profile_from(msg.data["profile"]))
        self.generator = Generator(self.plan, self.deliver)
        self.go(msg.data["index"], msg.data["of"])

    def on_records(self, msg: Message, **_: object) -> None:
        """The master hears from a worker."""
        if self.conductor is not None:
            records = [Request(*values) for values in msg.data["records"]]
            self.conductor.receive(records, msg.data["summary"])

    def stop(self, **_: object) -> None:
        """The run ends, by itself or by a person: nothing more is sent, everything is handed over."""
        if self.ready.is_set():
            self.generator.stop()

    def halt(self) -> None:
        """Somebody wants the load to end now: stop it everywhere, keep what is known, exit."""
        if self._runner is not None:
            self._runner.quit()
        self.end()

    def end(self, **_: object) -> None:
        """The process is about to exit."""
        self.stop()
        if self.conductor is not None:
            self.conductor.end()


class Pbxs(FastHttpUser):
    """All PBXs that this process plays. Redirects are not followed: the key stays with its provider."""

    session: ClassVar[Session]
    max_redirects = 0
    insecure = False
    network_timeout = 10.0
    connection_timeout = 5.0

    def __init__(self, environment: Environment) -> None:
        self.concurrency = self.session.plan.in_flight
        super().__init__(environment)
        self.client.client.cookiejar = None  # PBXs keep no cookies, and looking for them costs time

    @task
    def play(self) -> None:
        """The whole run; Locust may then do with this user what it likes."""
        self.session.ready.wait()
        self.session.generator.play(self.client)
        Event().wait()


class WholeProfile(LoadTestShape):
    """One user for each generator process, until the profile has been played and every answer is in."""

    def tick(self) -> tuple[int, float] | None:
        """See Locust."""
        conductor = Pbxs.session.conductor
        if conductor is None or conductor.finished:
            return None
        workers = self.runner.worker_count if isinstance(self.runner, MasterRunner) else 1
        return workers, float(workers)


def prepare(environment: Environment, **_: object) -> None:
    """Read the plan and connect it to Locust's events."""
    try:
        plan = Plan.from_env(os.environ)
    except ValueError as error:
        sys.exit(str(error))
    parts = urlsplit(plan.send_url)
    environment.host = f"{parts.scheme}://{parts.netloc}"
    session = Pbxs.session = Session(plan, environment)
    hooks = environment.events
    for hook, listener in (
        (hooks.test_start, session.reset),
        (hooks.spawning_complete, session.spread),
        (hooks.test_stopping, session.stop),
        (hooks.quitting, session.end),
    ):
        hook.add_listener(listener)  # type: ignore[no-untyped-call]  # Locust's hooks carry no types
    if environment.runner is not None:
        environment.runner.register_message(GO, session.on_go)
        environment.runner.register_message(RECORDS, session.on_records)
    # A headless Locust that plays a shape would simply die of SIGTERM.
    gevent.signal_handler(signal.SIGTERM, session.halt)


events.init.add_listener(prepare)  # type: ignore[no-untyped-call]  # Locust's hooks carry no types
