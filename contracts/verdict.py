"""What a run found: broken rules, the matrix of cells, what stayed untested; and the exit code that follows."""

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from contracts import rules, spec
from contracts.exits import Exit
from contracts.judge import Answer, error_code
from contracts.wire import Exchange

State = Literal["reached", "not provokable", "missed"]


@dataclass(frozen=True, slots=True)
class Broken:
    """One rule broken by one exchange. `exchange` is its index in the run; None: no single exchange shows it."""

    rule: str
    sentence: str
    engine: str
    case: str
    exchange: int | None = None
    accepted: str = ""  # the reason in the baseline that accepts it, if one does


class Cell(NamedTuple):
    """One answer the contract knows: the operation, "400/10001" or "200", and whether the page knows it too."""

    operation: str
    outcome: str
    is_published: bool


@dataclass
class Verdict:
    """The result of a run, and the words of its report."""

    strict: bool = False
    require_all: bool = False
    broken: list[Broken] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)  # how often a rule was put to the test
    matrix: dict[Cell, tuple[State, str]] = field(default_factory=dict)  # with the case or the reason
    untested: list[str] = field(default_factory=list)
    could_not: str = ""  # why nothing could be tested
    seconds: float = 0.0

    @property
    def failing(self) -> list[Broken]:
        """The broken rules that make the provider wrong."""
        return [one for one in self.broken if not one.accepted and rules.fails(one.rule, strict=self.strict)]

    @property
    def missed(self) -> list[Cell]:
        """The cells that count and were not reached: the published ones, under `strict` all."""
        return [
            cell for cell, (state, _) in self.matrix.items() if state == "missed" and (cell.is_published or self.strict)
        ]

    @property
    def exit(self) -> Exit:
        """Could not test, wrong, not all reached, fine: the first that is true."""
        if self.could_not:
            return Exit.COULD_NOT_TEST
        if self.failing:
            return Exit.WRONG
        return Exit.NOT_ALL_REACHED if self.missed and self.require_all else Exit.FINE


def outcome(answer: Answer) -> str:
    """The answer in short: "200", or "400/10001", with "-" for a code that cannot be told."""
    return str(answer.status) if answer.status < 300 else f"{answer.status}/{error_code(answer) or '-'}"


def matches(answer: Answer, outcomes: tuple[str, ...]) -> bool:
    """Whether the answer is one of the outcomes. If it has no code at all, the status alone decides."""
    seen = outcome(answer)
    if seen.endswith("/-"):
        seen, outcomes = seen[:-2], tuple(one.split("/")[0] for one in outcomes)
    return any(fnmatch.fnmatchcase(seen, one) for one in outcomes)


def cells() -> tuple[Cell, ...]:
    """Every answer in `openapi.yaml`, operation by operation. 405, 413, 415 and verify's 400 are our decisions."""
    rows = spec.error_codes()
    return tuple(
        Cell(
            operation,
            f"{status}/{code}" if code else str(status),
            not code or (rows[code].status == status and (operation, code) != ("verify", "10002")),
        )
        for operation, status, code in spec.answers()
    )


def reached(exchanges: list[Exchange]) -> dict[tuple[str, str], int]:
    """The first exchange that reached each (operation, outcome)."""
    seen: dict[tuple[str, str], int] = {}
    for index, one in enumerate(exchanges):
        if one.answer is not None and one.call.operation:
            seen.setdefault((one.call.operation, outcome(one.answer)), index)
    return seen


def settle(verdict: Verdict, exchanges: list[Exchange], reasons: Mapping[str, str], *, has_verify: bool) -> None:
    """Fill in the matrix: reached by an exchange, not provokable for a declared reason, or missed."""
    seen = reached(exchanges)
    for cell in cells():
        if cell.operation == "verify" and not has_verify:
            verdict.matrix[cell] = "not provokable", "the target has no verify URL"
            continue
        reason = reasons.get(f"{cell.operation} {cell.outcome}") or reasons.get(cell.outcome)
        if (index := seen.get(cell[:2])) is not None:
            verdict.matrix[cell] = "reached", f"{exchanges[index].call.method} #{index}"
        elif reason:
            verdict.matrix[cell] = "not provokable", reason
        else:
            verdict.matrix[cell] = "missed", ""
