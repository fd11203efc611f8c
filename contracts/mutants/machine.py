"""Machine-made mutants of the bundled gateway, as `make mutants` keeps them in `machine.json`: what its own tests kill.

They stand beside the judge's catalogue because they answer the other half of the question: the catalogue shows that the
judge can fail, these show that the gateway's own tests can.
"""

import json
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

KEPT = Path(__file__).with_name("machine.json")
COLUMNS = ("mutants", "killed", "equivalent")


def load(path: Path = KEPT) -> dict[str, Any]:
    """A summary. Raises `ValueError` with one sentence if the file is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        as_text(found)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path.name} is no summary of `make mutants`.") from error
    return dict(found)


def totals(found: Mapping[str, Any]) -> dict[str, int]:
    """Mutants, killed ones and equivalent ones of all modules."""
    return {column: sum(row[column] for row in found["modules"].values()) for column in COLUMNS}


def headline(found: Mapping[str, Any]) -> str:
    """One line."""
    total, untried = totals(found), f"; {found['untried']} untried" if found["untried"] else ""
    names = ", ".join(row["mutant"] for row in found["survivors"]) or "none"
    return (
        f"{found['tool']} on the bundled gateway, {found['made']}: {total['killed']} of {total['mutants']} killed "
        f"by its own tests, {total['equivalent']} equivalent{untried}; survivors: {names}"
    )


def by_reason(found: Mapping[str, Any]) -> list[tuple[str, list[dict[str, str]]]]:
    """The equivalent mutants, reason by reason."""
    rows = sorted(found["equivalent"], key=lambda row: str(row["because"]))
    return [(because, list(some)) for because, some in groupby(rows, key=lambda row: str(row["because"]))]


def as_text(found: Mapping[str, Any]) -> str:
    """Modules, survivors and equivalents by name."""
    lines = [f"{'module':14}" + "".join(f"{column:>12}" for column in COLUMNS)]
    lines += [
        f"{name:14}" + "".join(f"{row[column]:>12}" for column in COLUMNS) for name, row in found["modules"].items()
    ]
    lines += [f"SURVIVED {row['mutant']}: {row['change']}" for row in found["survivors"]]
    lines += [
        f"NO RESULT: killed although nothing can tell it from the gateway, or gone from it: {row}"
        for row in found["gone"]
    ]
    for because, rows in by_reason(found):
        lines.append(f"equivalent, because {because}: " + ", ".join(row["mutant"] for row in rows))
    return "\n".join([*lines, headline(found)])
