"""What one seed draws: who sends when, and what goes wrong.

Half of the worlds have a theme, a corner where rare things meet: drawn evenly, some breaches would need thousands of
seeds. A theme narrows the choices and never widens them.
"""

from dataclasses import dataclass
from random import Random
from typing import Any

from gateway.crash import POINTS
from gateway.settings import Settings

DEADLINE = 2.0  # of an attempt; a lease is five seconds longer
RESTARTS = (0.3, DEADLINE + 6.0)  # seconds until a dead process is back: before and after the lease has expired
DAY = 86_400.0
FATES = {
    "commit": ("full", "fsync", "fsync, and again", "committed, and an error"),
    "write": ("locked", "committed, and an error"),
    "line": ("lost request", "lost reply", "lost reply", "reset", "503", "429", "some 429"),
}
CHOICES: dict[str, tuple[Any, ...]] = {
    "window": (DAY, DAY, 6.0),  # how long the carrier knows a key
    "moments": ((0.2,), (0.0, 0.2, 0.4)),  # when messages come, as parts of the time of faults
    "faults": (1.0, 3.0, 8.0),  # how long things go wrong
    "messages": (1, 1, 2, 3),
    "processes": (1, 1, 2),
    "batch": (1, 2, 100),
    "validity": (DAY, DAY, 6.0),
    "patience": (5.0, 0.05),
    "most": (1, 2, 256),
    "commit": (0, 0, 0.5),  # how often this goes wrong
    "write": (0, 0, 0.2),
    "line": (0, 0.4, 1, 1),
    "crashes": (0, 1, 1, 2),
    "kill": ("never", "refusal", "moment"),
    "stall": (0.0, 0.2, 10.0),
}
THEMES: tuple[dict[str, tuple[Any, ...]], ...] = (
    *({} for _ in range(3)),
    {"messages": (5,), "moments": ((0.2,),), "processes": (1,), "patience": (0.05,), "stall": (0.2,), "most": (2,),
     "window": (DAY,), "commit": (0,), "crashes": (0,), "kill": ("never",)},  # the baton under pressure
    {"messages": (1, 2), "processes": (1,), "commit": (0.5,), "kill": ("refusal",), "crashes": (0,), "write": (0,)},
    {"window": (6.0,), "validity": (DAY,), "line": (1,), "faults": (10.0,), "crashes": (0,), "commit": (0,)},
)  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """What one seed drew. Times are seconds from the beginning."""

    arrivals: tuple[float, ...]
    processes: int
    settings: Settings
    most: int  # rows a commit
    faults: float
    rates: dict[str, float]
    crashes: tuple[tuple[str, int, float], ...]  # at which point, the how manieth time, and how long it stays down
    kill: float | str  # when a process is killed wherever it stands: a moment, or "refusal": after one
    stall: float  # how long a process may be stopped at a point

    @classmethod
    def draw(cls, rng: Random) -> "Plan":
        """A plan: mostly small, and always one in which the promise can be held."""
        drawn = {name: rng.choice(choices) for name, choices in (CHOICES | rng.choice(THEMES)).items()}
        faults, window = drawn["faults"], drawn["window"]
        return cls(
            arrivals=tuple(faults * rng.choice(drawn["moments"]) for _ in range(drawn["messages"])),
            processes=drawn["processes"],
            settings=Settings(
                attempt_deadline=DEADLINE,
                carrier_batch=drawn["batch"],
                validity=drawn["validity"],
                dedup_window=window,
                request_deadline=drawn["patience"],
            ),
            most=drawn["most"],
            faults=faults,
            rates={kind: drawn[kind] for kind in FATES},
            crashes=tuple(
                (rng.choice(POINTS), rng.randint(1, 3), rng.choice(RESTARTS)) for _ in range(drawn["crashes"])
            ),
            kill=faults * rng.choice(drawn["moments"]) + 0.01 if drawn["kill"] == "moment" else drawn["kill"],
            # A stop longer than what is left of the window breaks the promise of every gateway there could be.
            stall=drawn["stall"] if window == DAY else 0.0,
        )
