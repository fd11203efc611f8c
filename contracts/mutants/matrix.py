"""What a hunt found, as a table: mutants down, engines across, survivors by name."""

from typing import Any

from contracts.mutants.hunt import Hunt

ENGINES = ("preflight", "cases", "raw", "corpora", "order", "fuzz", "provoke", "invariants")


def as_object(hunts: list[Hunt]) -> dict[str, Any]:
    """The kill matrix as plain values."""
    return {
        "mutants": len(hunts),
        "killed": sum(one.is_killed for one in hunts),
        "by_engine": {engine: sum(engine in one.engines for one in hunts) for engine in ENGINES},
        "survivors": [one.mutant.name for one in hunts if not one.is_killed],
        "hunts": [
            {
                "mutant": one.mutant.name,
                "says": one.mutant.says,
                "breaks": one.mutant.breaks,
                "wfc": one.mutant.wfc or None,
                "engines": one.engines,
                "beside": one.beside,
                "could_not": one.could_not,
            }
            for one in hunts
        ],
    }


def as_text(hunts: list[Hunt]) -> str:
    """The kill matrix for a person."""
    head = f"{'mutant':34}{'rule':12}{'WFC':4} " + " ".join(f"{engine[:5]:5}" for engine in ENGINES)
    rows = [
        f"{one.mutant.name:34}{one.mutant.breaks:12}{one.mutant.wfc or '':<4} "
        + " ".join(f"{'  K' if engine in one.engines else '  .':5}" for engine in ENGINES)
        for one in hunts
    ]
    killed = as_object(hunts)
    tally = " ".join(f"{killed['by_engine'][engine]:<5}" for engine in ENGINES)
    end = f"{killed['killed']} of {killed['mutants']} killed by their own rule; survivors: "
    return "\n".join([head, *rows, f"{'':51}{tally}", end + (", ".join(killed["survivors"]) or "none")])
