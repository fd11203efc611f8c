"""What is tried before a release: a thousand kill rounds, a hundred thousand orders, two hundred thousand worlds.

The simulated worlds are part of a checkout's tests, not of this package; they meet it as everything here does, as a
process (contracts/decisions/0014).
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any, Final

from simulator.chaos.outages import STORES
from simulator.chaos.portions import Journal, Portion
from simulator.chaos.report import Report, as_text
from simulator.chaos.servers import installed
from simulator.lab import SMSLAB

CHECKOUT: Final = Path(__file__).parents[2]
WORLDS: Final = "worlds"
WORLDS_A_PORTION: Final = 5000
ROUND, WORLD, BEGIN = 4.5, 0.007, 10.0  # seconds that one takes on one of two busy cores, and a portion's own


@dataclass(frozen=True)
class Size:
    """How much is tried: rounds on each store, accepted orders in all, simulated worlds."""

    rounds: Mapping[str, int]
    orders: int
    worlds: int
    cycles: int = 2  # of all deeds in a portion


RELEASE: Final = Size({"sqlite": 704, "postgresql": 306}, orders=100_000, worlds=200_000)


def portions(size: Size, seed: int) -> list[Portion]:
    """The commands that make up this size: kinds mixed evenly, so that a part of them is a smaller whole."""
    kinds = [list(_rounds(size, store, seed)) for store in size.rounds] + [list(_worlds(size.worlds))]
    placed = [((n + 0.5) / len(kind), portion) for kind in kinds for n, portion in enumerate(kind)]
    return [portion for _, portion in sorted(placed)]


def _rounds(size: Size, store: str, seed: int) -> Iterator[Portion]:
    most, total = size.cycles * len(STORES[store]), sum(size.rounds.values())
    for number, start in enumerate(range(0, size.rounds[store], most), seed):
        rounds = min(most, size.rounds[store] - start)
        orders = -(-size.orders * rounds // total)
        words = ("chaos", "--json", "--database", store, "--rounds", rounds, "--orders", orders, "--seed", number)
        yield Portion(f"{store} {number}", (*SMSLAB, *map(str, words)))


def _worlds(count: int) -> Iterator[Portion]:
    for start in range(0, count, WORLDS_A_PORTION):
        words = ("--json", "--start", start, "--seeds", min(WORLDS_A_PORTION, count - start))
        command = (sys.executable, "-m", "tests.simulation", *map(str, words))
        yield Portion(f"{WORLDS} {start}", command, CHECKOUT)


def out_of_reach(size: Size) -> dict[str, str]:
    """What this machine cannot try, by the first word of its portions, and why."""
    reasons = {}
    if size.worlds and not (CHECKOUT / "tests" / "simulation").is_dir():
        reasons[WORLDS] = "the simulated worlds are in a checkout of the project only"
    if size.rounds.get("postgresql") and not installed():
        reasons["postgresql"] = "PostgreSQL and Redis are not installed: apt-get install postgresql redis-server"
    return reasons


def expected(size: Size, jobs: int) -> float:
    """About how many seconds it takes."""
    rounds = sum(size.rounds.values())
    return (rounds * ROUND + size.worlds * WORLD + rounds / 25 * BEGIN) / jobs


def document(journal: Journal, planned: list[Portion], lacking: Mapping[str, str]) -> dict[str, Any]:
    """One report of everything the journal holds."""
    kinds = {kind: [d for name, d in journal.done.items() if name.startswith(f"{kind} ")] for kind in (*STORES, WORLDS)}
    total = reduce(add, (Report.read(one) for store in STORES for one in kinds[store]), Report())
    seeds = sum(one["seeds"] for one in kinds[WORLDS])
    failures = [one["failure"] for one in kinds[WORLDS] if one["failure"]]
    missing = [portion.name for portion in journal.missing(planned)]
    return {
        "true": total.is_true and not failures,
        "complete": not missing,
        "missing": missing,
        "out_of_reach": [*lacking.values()],
        "failed": journal.failed,
        "chaos": total.document(),
        "worlds": {
            "seeds": seeds,
            "seconds": sum(one["seconds"] for one in kinds[WORLDS]),
            "failures": failures,
            "rule_of_three": 3 / max(1, seeds),
        },
    }


def said(found: Mapping[str, Any]) -> str:
    """The same for people."""
    worlds = found["worlds"]
    lines = [
        as_text(Report.read(found["chaos"])),
        f"worlds          {worlds['seeds']} simulated in {worlds['seconds']:.0f} s, {len(worlds['failures'])} wrong",
        *worlds["failures"],
        *(f"not tried       {reason}" for reason in found["out_of_reach"]),
        *(f"no result       {name}: {why}" for name, why in found["failed"].items()),
    ]
    if found["missing"]:
        lines.append(
            f"not complete    {len(found['missing'])} portions are missing; the same command goes on with them"
        )
    return "\n".join(lines)
