"""Deviations that somebody has accepted, each with a reason and a date on which that ends.

The file is TOML: `[[accept]]` with `rule`, `reason`, `until = 2027-01-31`, and optionally `case`, a pattern of names.
"""

import fnmatch
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import NamedTuple

from contracts.rules import rules
from contracts.verdict import Verdict


class Accepted(NamedTuple):
    """One accepted deviation. It ends with the day `until`."""

    rule: str
    reason: str
    until: date
    case: str = "*"


def load(path: Path) -> list[Accepted]:
    """The deviations in a file. Raises `ValueError` with one sentence if an entry is not usable."""
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("accept", [])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"The baseline {path.name} cannot be read: {error}.") from error
    return [_entry(row, path.name) for row in rows]


def apply(entries: list[Accepted], verdict: Verdict, today: date) -> None:
    """Mark the findings that the entries accept. Entries that have ended or fit nothing are named as untested."""
    for entry in entries:
        fits = [n for n, one in enumerate(verdict.broken) if _fits(entry, one.rule, one.case)]
        if today > entry.until:
            verdict.untested.append(f"baseline: {entry.rule} was accepted until {entry.until}: {entry.reason}")
            continue
        if not fits:
            verdict.untested.append(f"baseline: {entry.rule} is accepted but no longer broken")
        for number in fits:
            verdict.broken[number] = replace(verdict.broken[number], accepted=entry.reason)


def _fits(entry: Accepted, rule: str, case: str) -> bool:
    return rule == entry.rule and fnmatch.fnmatchcase(case, entry.case)


def _entry(row: dict[str, object], file: str) -> Accepted:
    try:
        entry = Accepted(**row)  # type: ignore[arg-type]  # checked in the next lines
    except TypeError:
        raise ValueError(f"An entry of {file} needs rule, reason and until, and may have case.") from None
    if entry.rule not in rules():
        raise ValueError(f"There is no rule {entry.rule}, which {file} accepts.")
    if not isinstance(entry.until, date) or not str(entry.reason).strip():
        raise ValueError(f"The entry for {entry.rule} in {file} needs a reason and a date as `until`.")
    return entry
