"""What is done to a running lab in one round, by name. Each deed ends with everything up again.

The gateway is known here only as a process with settings: its crash points are words of its documentation.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import httpx

from simulator.lab import CARRIER, GATEWAY, Lab, LabFault

POINTS: Final = ("before-commit", "after-commit", "after-reply", "before-send", "after-send", "after-mark")
DEADLINE: Final = 1.0  # seconds, the lab's attempts; a lease is five longer
BATCHES: Final = POINTS[3:]  # the dispatcher's points
LEASE: Final = DEADLINE + 5.0
CRASHED: Final = b'"event": "crash"'
IN_TIME: Final = 60.0  # seconds in which a crash point must have been met
OFTEN, SELDOM = 40, 4  # at most so many times is a point passed: once a request, once a batch
# All the time some messages make their whole call go wrong; seeds differ so that they are not the same ones.
FAULTS: Final[tuple[dict[str, Any], ...]] = (
    {"kind": "lost-request", "scope": {"share": 0.005, "seed": 1}},
    {"kind": "lost-reply", "scope": {"share": 0.005, "seed": 2}},
    {"kind": "refuse", "params": {"status": 503}, "scope": {"share": 0.005, "seed": 3}},
    {"kind": "refuse", "params": {"status": 429, "retry_after": 0.2}, "scope": {"share": 0.005, "seed": 4}},
    {"kind": "garble", "params": {"form": "truncated"}, "scope": {"share": 0.005, "seed": 5}},
)


@dataclass
class Scene:
    """A running lab, the dice that choose the instants, and how long it may take to meet a crash point."""

    lab: Lab
    rng: Random
    faults: bool = True
    kills: int = 0  # of the gateway

    def break_carrier(self) -> None:
        """Arm the standing faults; a carrier that was restarted has forgotten them."""
        for fault in FAULTS if self.faults else ():
            httpx.post(f"{self.lab.carrier_url}/faults", json=fault, timeout=5, trust_env=False).raise_for_status()

    def kill_gateway(self) -> None:
        """Kill -9, the workers included."""
        self.kills += 1
        self.lab.end(GATEWAY, signal.SIGKILL)

    def moment(self) -> None:
        """Let the load run on for a drawn moment."""
        time.sleep(self.rng.uniform(0.1, 0.5))

    def crashes(self) -> int:
        """How many crash points the gateway's log tells of."""
        return self.lab.gateway_log.read_bytes().count(CRASHED)


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


def stop(part: str) -> Callable[[Scene], None]:
    """SIGSTOP, a moment later SIGCONT; sometimes for longer than an attempt may take."""

    def deed(scene: Scene) -> None:
        scene.moment()
        with _stopped(scene.lab.pid(part)):
            time.sleep(scene.rng.choice((0.2, DEADLINE * 2)))

    return deed


def crash_at(point: str) -> Callable[[Scene], None]:
    """The gateway dies by itself at a named point, and is respawned to die there again until it is restarted."""

    def deed(scene: Scene) -> None:
        lab = scene.lab
        scene.kill_gateway()
        usual, before = lab.environ, scene.crashes()
        lab.environ = {
            **usual,
            "SMSLAB_CRASH_POINT": f"{point}:{scene.rng.randint(1, SELDOM if point in BATCHES else OFTEN)}",
        }
        try:
            lab.launch(GATEWAY)
            end = time.monotonic() + IN_TIME
            while scene.crashes() == before:
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
def _stopped(group: int) -> Iterator[None]:
    os.killpg(group, signal.SIGSTOP)
    try:
        yield
    finally:
        os.killpg(group, signal.SIGCONT)


DEEDS: Final[dict[str, Callable[[Scene], None]]] = {
    "kill gateway": kill_gateway,
    "kill carrier": kill_carrier,
    **{f"crash {point}": crash_at(point) for point in POINTS},
    "stop gateway": stop(GATEWAY),
    "stop carrier": stop(CARRIER),
    "kill gateway past its leases": kill_gateway_for_long,
}


def plan(rounds: int, rng: Random) -> list[str]:
    """The deeds of so many rounds: each kind as often as the others, in a drawn order."""
    names = list(DEEDS)
    drawn = [name for _ in range(-(-rounds // len(names))) for name in rng.sample(names, len(names))]
    return drawn[:rounds]
