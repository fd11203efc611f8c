"""Did it hold? A pure function of what happened: checks with a sentence each, and an exit code.

A run whose generator did not make the load it promised is void: nothing is known, whatever the answers were.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from contracts.exits import Exit
from load import checks
from load.checks import Check, Evidence
from load.figures import figures


@dataclass(frozen=True, slots=True)
class Verdict:
    """The checks, why the run is void if it is, and the figures they rest on."""

    checks: tuple[Check, ...]
    void: tuple[str, ...]
    figures: Mapping[str, Any] = field(repr=False)

    @property
    def exit_code(self) -> Exit:
        """0 it held, 1 it did not, 3 nothing is known, 4 it held as far as it could be reached."""
        if self.void:
            return Exit.COULD_NOT_TEST
        if any(check.passed is False for check in self.checks):
            return Exit.WRONG
        return Exit.FINE if all(check.passed for check in self.checks) else Exit.NOT_ALL_REACHED

    @property
    def sentence(self) -> str:
        """The verdict in one sentence."""
        wrong = sum(check.passed is False for check in self.checks)
        return {
            Exit.FINE: "It held.",
            Exit.WRONG: f"It did not hold: {wrong} of {len(self.checks)} checks failed.",
            Exit.COULD_NOT_TEST: "Nothing is known: the run is void.",
        }.get(self.exit_code, "It held as far as it could be reached.")

    def to_json(self) -> dict[str, Any]:
        """The verdict as a program reads it."""
        checks = [check._asdict() for check in self.checks]
        return {
            "sentence": self.sentence,
            "exit_code": int(self.exit_code),
            "void": list(self.void),
            "checks": checks,
            "figures": self.figures,
        }


def judge(evidence: Evidence) -> Verdict:
    """The verdict on a run."""
    found = figures(evidence.profile, evidence.records, evidence.deliveries)
    found["memory"] = [[round(at, 1), round(size, 2)] for at, size in evidence.memory]
    made = (
        *checks.answers(evidence),
        *checks.phases(evidence),
        *checks.latency(evidence.profile, found),
        *checks.ledger(evidence),
        *checks.memory(evidence),
        *checks.reach(evidence, found),
        *checks.compared(evidence.baseline, found),
    )
    return Verdict(made, tuple(_void(evidence, found)), found)


def _void(evidence: Evidence, found: Mapping[str, Any]) -> Iterator[str]:
    made, limit = found["generator"], evidence.profile.thresholds.late_ms
    outcomes = found["total"]["outcomes"]
    if evidence.interrupted:
        yield "The run was stopped before its end."
    elif made["reported"] < max(1, made["processes"]):
        yield f"{made['reported']} of {made['processes']} generator processes reported to the end."
    if not outcomes:
        yield "Nothing was sent."
    elif set(outcomes) == {"no answer"}:
        yield "The provider never answered."
    elif not outcomes.get("200") and outcomes.get("401/10004"):
        yield "The provider does not take the key."
    elif made["unsent"] and not made["spent"] and not evidence.interrupted:
        yield f"The generator gave up: {made['unsent']} messages were never sent."
    if (late := made["late"]["p99"]) is not None and late > limit:
        yield f"The generator could not keep up: it was late by {late:.0f} ms at p99 (limit {limit:g} ms)."
