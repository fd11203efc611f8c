"""The obligations of a provider, each once, with a stable id, a level and a source. The data is `rules.yaml`."""

from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from contracts import spec
from contracts.reading import read

Level = Literal["must", "should", "note"]


class Rule(NamedTuple):
    """One obligation. `at` is the text in `openapi.yaml` that states it."""

    id: str
    level: Level
    source: str
    at: str
    says: str


@cache
def rules() -> dict[str, Rule]:
    """All rules by id, in the order of the file."""
    rows = read(Path(__file__).with_name("rules.yaml"))
    return {row["id"]: Rule(**row) for row in rows}


def fails(rule: str, *, strict: bool) -> bool:
    """Whether breaking the rule makes a provider wrong: a *must* always does, a *should* only under `strict`."""
    return rules()[rule].level == "must" or (strict and rules()[rule].level == "should")


@cache
def line(rule: str) -> int:
    """The first line of `openapi.yaml`, counted from 1, that states the rule. Raises if there is none."""
    lines = spec.location().read_text(encoding="utf-8").splitlines()
    return next(number for number, text in enumerate(lines, 1) if rules()[rule].at in text)
