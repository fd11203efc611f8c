"""What came of a run so far: counts by outcome, latencies from the intended start, how late we were ourselves."""

from array import array
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from simulator.pbx.outcome import Outcome


@dataclass(slots=True)
class Tally:
    """Counts of one run. Latencies are seconds from the due time to the end of the answer."""

    outcomes: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    operations: Counter[str] = field(default_factory=Counter)
    latencies: "array[float]" = field(default_factory=lambda: array("d"))
    phases: "dict[int, Tally]" = field(default_factory=dict)
    started: int = 0
    guarded: int = 0  # messages that the receiver guard (`only_to`) kept back
    late: float = 0.0  # the worst delay between due and sent that was our own doing
    last: float = 0.0  # real second of the last start
    first: float = 0.0

    def begin(self, due: float, now: float) -> None:
        """A request leaves now (real seconds) that was due at `due`."""
        self.first = now if not self.started else self.first
        self.started, self.last = self.started + 1, now
        self.late = max(self.late, now - due)

    def end(self, operation: str, result: Outcome, latency: float) -> None:
        """A request is over."""
        self.operations[operation] += 1
        self.outcomes[result.name] += 1
        self.findings.update({f"{finding.rule}: {finding.sentence}": 1 for finding in result.findings})
        self.latencies.append(latency)

    def phase(self, number: int) -> "Tally":
        """The part of the counts that belongs to one phase of the profile."""
        return self.phases.setdefault(number, Tally())

    @property
    def finished(self) -> int:
        """How many requests are over."""
        return len(self.latencies)

    @property
    def answered(self) -> int:
        """How many of them got any answer of the provider."""
        silent = ("exceeds_time_limit", "request_fail", "exceeds_size_limit")
        return self.finished - sum(self.outcomes[name] for name in silent)

    def percentiles(self, *percents: float, since: int = 0) -> dict[str, float | None]:
        """`{"p50": ms, ...}` over the latencies from the `since`-th on; None if there are none."""
        ordered = sorted(self.latencies[since:])
        top = len(ordered) - 1
        return {f"p{p:g}": round(ordered[round(top * p / 100)] * 1000, 3) if ordered else None for p in percents}

    def sample(self, started: int, since: int) -> dict[str, Any]:
        """The last second for programs: `started` in it, percentiles of what finished since, totals from the start."""
        marks = self.percentiles(50, 95, 99, since=since)
        open_now = self.started - self.finished
        now = {"started": started, "created": self.started, "in_flight": open_now}
        return {**now, **marks, "outcomes": dict(self.outcomes.most_common())}

    def line(self, row: Mapping[str, Any], speed: float) -> str:
        """The same for the person who watches."""
        shares = " ".join(f"{name} {n / self.finished:.0%}" for name, n in self.outcomes.most_common(5))
        p50, p99 = (f"{row[mark]:.0f}" if row[mark] is not None else "-" for mark in ("p50", "p99"))
        rate, open_now = row["started"], row["in_flight"]
        return f"{rate:7.1f}/s x{speed:.2f}  in flight {open_now}  p50 {p50} ms  p99 {p99} ms  {shares}"

    def report(self, **more: object) -> Mapping[str, Any]:
        """The whole run as JSON."""
        seconds = self.last - self.first
        return {
            **more,
            "started": self.started,
            "finished": self.finished,
            "guarded": self.guarded,
            "per_second": round((self.started - 1) / seconds, 3) if seconds > 0 else None,
            "operations": dict(self.operations),
            "outcomes": dict(self.outcomes.most_common()),
            "latency_ms": self.percentiles(50, 90, 99, 99.9, 100),
            "worst_lateness_ms": round(self.late * 1000, 3),
            "phases": [
                {"phase": number, "outcomes": dict(part.outcomes), **part.percentiles(50, 95, 99)}
                for number, part in sorted(self.phases.items())
            ],
            "findings": dict(self.findings.most_common(20)),
        }
