"""Runs worlds seed after seed and says which broke the promise, and how to see it again.

python -m tests.simulation --seeds 10000
python -m tests.simulation --replay 4711 [--mutant NAME]
"""

import gc
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from gateway.metrics import Metrics
from tests.simulation.parts import Parts
from tests.simulation.stage import Stage
from tests.simulation.verdict import broken
from tests.simulation.world import World

MEMORY = Path("/dev/shm")  # noqa: S108  only where the directory is made, privately
TIDY = 500  # seeds between garbage collections: a world is full of cycles, and collecting at random costs a sixth


class Failure(AssertionError):
    """A seed broke the promise; the text says how and how to replay it."""


@contextmanager
def open_stage() -> Iterator[Stage]:
    """A stage whose files lie in memory where the system has such a place; its durability is not what is tested."""
    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder, Stage(Path(folder)) as stage:
        yield stage


def run(stage: Stage, seeds: Iterable[int], parts: Parts, mutant: str = "") -> Counter[str]:
    """Run worlds; Failure at the first that breaks the promise. Gives how often each named point was passed."""
    passed: Counter[str] = Counter()
    metrics = Metrics()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        for number, seed in enumerate(seeds, 1):
            world = World(stage, seed, parts, metrics).live()
            if sentences := broken(world):
                raise Failure(told(world, seed, sentences, mutant))
            passed.update(world.passed)
            if number % TIDY == 0:
                gc.collect()
    finally:
        gc.enable()
        gc.unfreeze()
    return passed


def told(world: World, seed: int, sentences: list[str], mutant: str) -> str:
    """Everything somebody needs who has to find out why."""
    lines = [f"{at:9.3f}  {event}  {fields or ''}" for at, event, fields in world.trace]
    replay = f"python -m tests.simulation --replay {seed}" + (f" --mutant {mutant!r}" if mutant else "")
    return "\n".join([*lines, str(world.plan), *sentences, f"replay: {replay}"])
