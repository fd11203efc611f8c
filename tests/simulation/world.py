"""A whole simulated world: PBXs, gateway processes made of the real parts, a store, a line to the carrier.

What goes wrong is drawn from one seed; what must be true at the end is in `verdict.py`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from gateway.admission import Admission
from gateway.body import Message
from gateway.contract import Refusal
from gateway.ids import Ids
from gateway.message import Content
from gateway.metrics import Metrics
from gateway.parties import Integration
from gateway.segments import segments
from gateway.settings import Settings
from tests.simulation.line import Line
from tests.simulation.log import Log
from tests.simulation.parts import Parts
from tests.simulation.plan import DEADLINE, FATES, RESTARTS, Plan
from tests.simulation.scheduler import EPOCH, Bell, Crash, Scheduler, Turnstile
from tests.simulation.stage import Stage

DRAIN = 300.0  # seconds after the last fault in which every order must have ended
BACK = 5.0 + DEADLINE  # seconds in which an order must be accepted again: five after the last lost call has ended


@dataclass
class Letter:
    """One message of a PBX: `answer` is an order id, `refused`, `unknown`, or None when there was none."""

    text: str
    answer: str | None = None
    at: float = 0.0

    @property
    def accepted(self) -> bool:
        """It was answered 200 with an id."""
        return self.answer not in {None, "refused", "unknown"}


class World:
    """One run. `live` lets the plan happen, mends everything, and waits until what can end has ended."""

    def __init__(
        self, stage: Stage, seed: int | Random, parts: Parts, metrics: Metrics, plan: Plan | None = None
    ) -> None:
        self.rng = seed if isinstance(seed, Random) else Random(seed)
        self.plan = plan or Plan.draw(self.rng)
        self.parts, self.stage, self.metrics = parts, stage, metrics
        self.scheduler = Scheduler(self.rng)
        self.trace: list[tuple[float, str, dict[str, Any]]] = []
        self.log = Log(self.tell)
        self.letters: list[Letter] = []
        self.mended = False
        self.passed: Counter[str] = Counter()
        self.crashes = list(self.plan.crashes)
        stage.wipe()
        stage.disk.fate = self.fate
        self.bad = {"m0"} if self.rng.random() < 0.2 else set()
        settings = self.plan.settings
        self.line = Line(self.scheduler, self.fate, DEADLINE, settings.dedup_window, self.bad)
        self.processes = [Process(self, number) for number in range(self.plan.processes)]

    def tell(self, event: str, **fields: Any) -> None:
        """Add a line to the trace."""
        self.trace.append((self.scheduler.now - EPOCH, event, fields))

    def fate(self, kind: str) -> str:
        """What goes wrong now with a thing of this kind."""
        if self.mended or self.rng.random() >= self.plan.rates[kind]:
            return "ok"
        fate = self.rng.choice(FATES[kind])
        self.tell(f"{kind}: {fate}")
        return fate

    def live(self) -> "World":
        """From the first message to the last end."""
        for number, after in enumerate(self.plan.arrivals):
            self.scheduler.spawn(None, lambda n=number: self.post(f"m{n}"), after)
        if isinstance(self.plan.kill, float):
            self.scheduler.spawn(None, self.kill, self.plan.kill)
        for process in self.processes:
            process.start()
        self.scheduler.run(EPOCH + self.plan.faults)
        return self.rest()

    def rest(self) -> "World":
        """No more faults, and wait until what can end has ended."""
        self.mend()
        end = self.scheduler.now + DRAIN
        self.scheduler.run(self.scheduler.now + BACK + 1)
        while self.scheduler.now < end and any(order[2] == "queued" for order in self.stage.orders()):
            self.scheduler.run(self.scheduler.now + 5)
        for process in self.processes:
            self.scheduler.end(process)
        return self

    def kill(self) -> None:
        """Kill -9 of a process that is up, between two steps of its tasks."""
        if up := [process for process in self.processes if process.alive]:
            process = self.rng.choice(up)
            self.tell("killed", process=process.number)
            process.die(self.rng.choice(RESTARTS))

    def mend(self) -> None:
        """No more faults; whoever is down comes back; and a first message must soon be accepted."""
        self.mended = True
        self.tell("mended")
        for process in self.processes:
            if not process.alive:
                process.start()
        self.scheduler.spawn(None, self.knock)

    def knock(self) -> None:
        """Send until accepted, for `BACK` seconds."""
        for n in range(int(BACK / 0.5) + 1):
            self.post(f"k{n}")
            self.scheduler.pause(0.5)
            if self.letters[-1].accepted:
                return

    def post(self, text: str) -> None:
        """A PBX sends one message to one of the processes that are up, and writes down what it hears."""
        letter = Letter(text, at=self.scheduler.now)
        self.letters.append(letter)
        up = [process for process in self.processes if process.alive]
        if not up:
            letter.answer = "refused"
            return
        process = self.rng.choice(up)
        self.scheduler.spawn(process, lambda: process.serve(letter))

    def point(self, process: "Process", name: str) -> None:
        """A named point: others may go on meanwhile, and here the process may die."""
        self.passed[name] += 1
        for crash in self.crashes:
            if not self.mended and crash[:2] == (name, self.passed[name]):
                self.crashes.remove(crash)
                self.tell(f"crash {name}", process=process.number)
                process.die(crash[2])
                raise Crash
        left = EPOCH + self.plan.faults - self.scheduler.now
        stall = self.plan.stall * self.rng.random() if self.rng.random() < 0.4 else 0.0
        self.scheduler.pause(max(0.0, min(stall, left)))


class Process:
    """One gateway process with its dispatcher; made anew after each crash, as a real one is."""

    def __init__(self, world: World, number: int) -> None:
        self.world, self.number, self.alive = world, number, False

    def start(self) -> None:
        """Put the real parts together, as `gateway.gateway.open_gateway` does."""
        world, parts = self.world, self.world.parts
        if self.alive:
            return
        self.alive = True
        settings, clock = parts.settings(world.plan.settings), world.scheduler.clock
        self.database = world.stage.database(self.number, parts.writer)
        self.admission = Admission(self.database, settings, clock)
        wake = Bell(world.scheduler, world.stage.next_work)
        ids = Ids(clock, lambda below: world.rng.randrange(min(below, 2)))  # nearly always the same: ids collide
        self.orders = parts.orders(
            *(self.database, settings, self.admission, ids, clock, world.log, world.metrics, wake.set),
            self.point,
        )
        self.orders._baton = parts.baton(
            self.orders._write,
            most=world.plan.most,
            patience=settings.request_deadline,
            afterwards=self.orders._note,
            lock=lambda: Turnstile(world.scheduler),
        )
        dispatcher = parts.dispatcher(
            *(self.database, parts.line(world.line, self), settings, clock, world.rng, world.log, world.metrics),
            self.point,
        )
        world.scheduler.spawn(self, lambda: dispatcher.run(Bell(world.scheduler), wake))

    def point(self, name: str) -> None:
        """The process passes a named point."""
        self.world.point(self, name)

    def serve(self, letter: Letter) -> None:
        """Answer one request, as `gateway.send.send` and the app do from admission on."""
        integration = Integration(1 + len(letter.text) % 2, 1, 50, True, True, "LAB", True, frozenset(), frozenset())
        before = len(self.world.log.indeterminate)
        try:
            self.admission.check()
            message = Message("+630000000001", "+639171234567", letter.text, [])
            letter.answer = self.orders.create(integration, message, Content(letter.text, segments(letter.text)))
            self.world.tell("200", text=letter.text, order=letter.answer)
            self.point("after-reply")
        except Refusal as refusal:
            definite = len(self.world.log.indeterminate) == before
            letter.answer = "refused" if definite else "unknown"
            self.world.tell("refused" if definite else "indeterminate", text=letter.text, why=str(refusal))
            if self.world.plan.kill == "refusal" and not self.world.mended:
                self.die(RESTARTS[0])

    def die(self, down: float) -> None:
        """The process is gone, and back after `down` seconds. The last to die leaves the log to be recovered."""
        world = self.world
        self.alive = False
        world.scheduler.doom(self)
        if not any(process.alive for process in world.processes):
            for ghost in world.stage.resurrect():
                world.tell("came back from the log", order=ghost)
        world.scheduler.spawn(None, self.start, down)


def with_settings(**values: Any) -> Callable[[Settings], Settings]:
    """Settings with these values changed."""
    return lambda settings: replace(settings, **values)
