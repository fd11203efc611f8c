"""A run in figures and small charts: what it came to, how fast it was, planned and real; two runs side by side.

Charts are geometry only: points and widths in the units of an SVG's viewBox. Numbers come from the index's tallies;
latencies and codes from at most `SAMPLE` of the newest answers, so that a long run costs no more than a short one.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from simulator.console.projection import Projection
from simulator.console.tallies import ORDER, by_run, wrong_outcomes

SAMPLE: Final = 5000
WHOLE: Final = 100_000  # answers that a comparison looks at
WIDTH, HEIGHT = 600, 120
POINTS: Final = 200  # of one curve
ANSWERS: Final = """
SELECT finished_at - started_at AS seconds, status, code FROM messages
WHERE run = ? AND attempt IS NOT NULL AND finished_at IS NOT NULL ORDER BY number DESC LIMIT ?
"""
PACE: Final = "SELECT second, number FROM pace WHERE run = ? ORDER BY second"


class Share(NamedTuple):
    """One outcome's part of a run, and its piece of the bar."""

    outcome: str
    number: int
    part: float
    x: float
    width: float


class Figures(NamedTuple):
    """One run. `pace` is messages a second from its first second on; latencies are seconds, None if unanswered."""

    run: str
    sent: int
    shares: tuple[Share, ...]
    answers: tuple[tuple[str, int], ...]
    sampled: bool
    p50: float | None
    p95: float | None
    pace: tuple[int, ...]
    wrong: tuple[str, ...]

    @property
    def per_second(self) -> float:
        """The mean rate, over the seconds from its first message to its last."""
        return self.sent / len(self.pace) if self.pace else 0.0


class Chart(NamedTuple):
    """Two curves in one frame: what was planned and what was sent, a second a step."""

    planned: str
    actual: str
    top: float
    seconds: int


def figures(projection: Projection, run: str, sample: int = SAMPLE) -> Figures:
    """A run as the index has it now."""
    outcomes = by_run(projection, [run])[run]
    answers = projection.rows(ANSWERS, (run, sample))
    latencies = sorted(row["seconds"] for row in answers)
    sent = sum(outcomes.values())
    return Figures(
        run=run,
        sent=sent,
        shares=tuple(shares(outcomes)),
        answers=tuple(Counter(map(_said, answers)).most_common()),
        sampled=len(answers) == sample < sent,
        p50=at_percent(latencies, 50),
        p95=at_percent(latencies, 95),
        pace=tuple(_seconds(projection.rows(PACE, (run,)))),
        wrong=tuple(f"{outcomes[name]} {name}" for name in wrong_outcomes() if outcomes.get(name)),
    )


def shares(outcomes: Mapping[str, int]) -> list[Share]:
    """The outcomes in their order, as pieces of a bar of `WIDTH`."""
    total = sum(outcomes.values())
    present = [name for name in ORDER if outcomes.get(name)]
    widths = [outcomes[name] / total * WIDTH for name in present]
    starts = [0.0, *accumulate(widths)]
    return [
        Share(name, outcomes[name], outcomes[name] / total, round(start, 2), round(width, 2))
        for name, start, width in zip(present, starts, widths, strict=False)
    ]


def chart(pace: Sequence[int], planned: Callable[[float], float] | None = None, length: float = 0) -> Chart:
    """The rate as it was, and as `planned` says it should be at each second of `length`."""
    seconds = max(len(pace), round(length), 1)
    step = -(-seconds // POINTS)
    real = [sum(pace[at : at + step]) / step for at in range(0, len(pace), step)]
    plan = [planned(at + step / 2) for at in range(0, round(length), step)] if planned else []
    top = max([*real, *plan, 1.0])
    return Chart(_points(plan, top, step, seconds), _points(real, top, step, seconds), top, seconds)


def at_percent(ordered: Sequence[float], percent: float) -> float | None:
    """The value at a percentile of an ordered list; None of nothing."""
    return ordered[round((len(ordered) - 1) * percent / 100)] if ordered else None


def _points(values: Sequence[float], top: float, step: int, seconds: int) -> str:
    return " ".join(
        f"{min((at + 0.5) * step / seconds, 1) * WIDTH:.1f},{HEIGHT * (1 - value / top):.1f}"
        for at, value in enumerate(values)
    )


def _seconds(rows: Sequence[sqlite3.Row]) -> list[int]:
    """Every second from the first to the last, those without a message too; a pause of hours is cut short."""
    if not rows:
        return []
    first, last = rows[0]["second"], min(rows[-1]["second"], rows[0]["second"] + 86_400)
    sent = {row["second"]: row["number"] for row in rows}
    return [sent.get(second, 0) for second in range(first, last + 1)]


def _said(row: sqlite3.Row) -> str:
    if row["status"] is None:
        return "no answer"
    return f"{row['status']} {row['code']}" if row["code"] else str(row["status"])
