"""What is done to a running lab in one round, by name. Each deed ends with everything up again.

What is done to the servers behind the gateway stands in `outages.py`; what the carrier does meanwhile, in `weather.py`.
The gateway is known here only as a process with settings: its crash points are words of its documentation.
"""

import os
import re
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.chaos.servers import Servers
from simulator.chaos.weather import arm
from simulator.lab import CARRIER, GATEWAY, Lab, LabFault

POINTS: Final = ("before-commit", "after-commit", "after-reply", "before-send", "after-send", "after-mark")
DEADLINE: Final = 1.0  # seconds, the lab's attempts; a lease is five longer
BATCHES: Final = POINTS[3:]  # the dispatcher's points
LEASE: Final = DEADLINE + 5.0
CRASHED: Final = re.compile(rb'"event": "crash", "point": "([a-z-]+)"')
IN_TIME: Final = 60.0  # seconds in which a crash point must have been met
OFTEN, SELDOM = 40, 4  # at most so many times is a point passed: once a request, once a batch


@dataclass
class Scene:
    """A running lab, the dice that choose the instants, and how long it may take to meet a crash point."""

    lab: Lab
    rng: Random
    faults: bool = True
    servers: Servers | None = None
    kills: int = 0  # of the gateway

    def break_carrier(self) -> None:
        """Arm the standing faults; a carrier that was restarted has forgotten them."""
        if self.faults:
            arm(self.lab.carrier_url, self.rng)

    def kill_gateway(self) -> None:
        """Kill -9, the workers included."""
        self.kills += 1
        self.lab.end(GATEWAY, signal.SIGKILL)

    def moment(self) -> None:
        """Let the load run on for a drawn moment."""
        time.sleep(self.rng.uniform(0.1, 0.5))

    def crashes(self, since: int = 0) -> Counter[str]:
        """How often the gateway's log, from this byte on, tells of a death at each point."""
        with self.lab.gateway_log.open("rb") as log:
            log.seek(since)
            return Counter(point.decode() for point in CRASHED.findall(log.read()))

    def up_again(self) -> None:
        """After an interrupted deed, whatever it was: every part runs, with its usual settings."""
        for server in (self.servers.postgres, self.servers.redis) if self.servers else ():
            server.start()
        if GATEWAY in self.lab.processes:
            self.kill_gateway()
        for part in {CARRIER, GATEWAY} - set(self.lab.processes):
            self.lab.start(part)


Deed = Callable[[Scene], None]


def kill_gateway(scene: Scene) -> None:
    """Kill -9 and start again."""
    scene.moment()
    scene.kill_gateway()
    scene.lab.start(GATEWAY)


def kill_gateway_for_long(scene: Scene) -> None:
    """Kill -9, and back only when every lease has expired."""
    scene.moment()
    scene.kill_gateway()
    time.sleep(LEASE)
    scene.lab.start(GATEWAY)


def kill_carrier(scene: Scene) -> None:
    """Kill -9 of the carrier while calls are under way."""
    scene.moment()
    scene.lab.end(CARRIER, signal.SIGKILL)
    scene.moment()
    scene.lab.start(CARRIER)
    scene.break_carrier()


def stop(part: str) -> Deed:
    """SIGSTOP, a moment later SIGCONT; sometimes for longer than an attempt may take."""

    def deed(scene: Scene) -> None:
        scene.moment()
        with stopped(-scene.lab.pid(part)):
            time.sleep(scene.rng.choice((0.2, DEADLINE * 2)))

    return deed


def crash_at(point: str) -> Deed:
    """The gateway dies by itself at a named point, and is respawned to die there again until it is restarted."""

    def deed(scene: Scene) -> None:
        lab = scene.lab
        scene.kill_gateway()
        usual, before = lab.environ, lab.gateway_log.stat().st_size
        lab.environ = {
            **usual,
            "SMSLAB_CRASH_POINT": f"{point}:{scene.rng.randint(1, SELDOM if point in BATCHES else OFTEN)}",
        }
        try:
            lab.launch(GATEWAY)
            end = time.monotonic() + IN_TIME
            while not scene.crashes(before):
                if time.monotonic() > end:
                    message = f"The gateway never came to {point}"
                    raise LabFault(message)
                time.sleep(0.02)
            scene.kill_gateway()
        finally:
            lab.environ = usual
        lab.start(GATEWAY)

    return deed


@contextmanager
def stopped(*processes: int) -> Iterator[None]:
    """SIGSTOP and, at the end, SIGCONT; a negative number is a whole process group."""
    _signal(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        _signal(processes, signal.SIGCONT)


def _signal(processes: Sequence[int], number: int) -> None:
    for process in processes:
        with suppress(ProcessLookupError):
            os.kill(process, number)


DEEDS: Final[dict[str, Deed]] = {
    "kill gateway": kill_gateway,
    "kill carrier": kill_carrier,
    **{f"crash {point}": crash_at(point) for point in POINTS},
    "stop gateway": stop(GATEWAY),
    "stop carrier": stop(CARRIER),
    "kill gateway past its leases": kill_gateway_for_long,
}


def plan(names: Sequence[str], rounds: int, rng: Random) -> list[str]:
    """The deeds of so many rounds: each kind as often as the others, in a drawn order."""
    drawn = [name for _ in range(-(-rounds // len(names))) for name in rng.sample(names, len(names))]
    return drawn[:rounds]
