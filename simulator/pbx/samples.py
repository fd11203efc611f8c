"""A run second by second in a file: JSON lines, or the statistics CSV that users of SIPp read.

SIPp's names mean what they mean there: (P) is since the last line, (C) since the start. What is new in ours: one
failure counter per code or category, and percentiles, both from the moment a message was due.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO

from contracts import spec
from simulator.pbx.pacing import rate_at
from simulator.pbx.plan import Plan

SILENCE = ("exceeds_time_limit", "request_fail", "exceeds_size_limit", "service_error", "unknown_error")
OTHER = "other"  # whatever a provider answers that no contract knows
Row = Mapping[str, Any]


@dataclass(slots=True)
class Samples:
    """Writes one line per sample of `plan` to `file`; as CSV if its name ends so. `begun` is epoch seconds."""

    plan: Plan
    file: TextIO
    begun: float
    _last: dict[str, float] = field(default_factory=dict)

    def write(self, row: Row) -> None:
        """Write the last second, beside the rate that was planned for it, at the pace the operator has chosen."""
        moment = row["planned_second"] - row["speed"] / 2
        planned = rate_at(self.plan.profile, self.plan.rate, self.plan.duration, moment) * row["speed"]
        full = {**row, "planned": round(planned, 3)}
        if self.file.name.endswith(".csv"):
            cells = self._cells(full)
            self.file.write("" if self._last else ";".join(cells) + "\n")
            self.file.write(";".join(str(round(value, 3) if isinstance(value, float) else value)
                                     for value in cells.values()) + "\n")  # fmt: skip
            self._last = {name: value for name, value in cells.items() if name.endswith("(C)")}
        else:
            self.file.write(
                json.dumps({name: value for name, value in full.items() if name != "planned_second"}) + "\n"
            )
        self.file.flush()

    def _cells(self, row: Row) -> dict[str, Any]:
        outcomes = dict(row["outcomes"])
        sent, finished = outcomes.pop("sent", 0), sum(row["outcomes"].values())
        failed = {cause: outcomes.pop(cause, 0) for cause in (*spec.error_codes(), *SILENCE)}
        failed[OTHER] = sum(outcomes.values())
        cells: dict[str, Any] = {"StartTime": _clock(self.begun), "CurrentTime": _clock(self.begun + row["second"])}
        cells |= self._both("ElapsedTime", row["second"])
        elapsed, created = cells["ElapsedTime(P)"], self._both("OutgoingCall", row["created"])
        cells["TargetRate"] = row["planned"]
        cells["CallRate(P)"] = created["OutgoingCall(P)"] / elapsed if elapsed else 0.0
        cells["CallRate(C)"] = row["created"] / row["second"] if row["second"] else 0.0
        cells |= created | {"CurrentCall": row["in_flight"]}
        cells |= self._both("SuccessfulCall", sent) | self._both("FailedCall", finished - sent)
        for cause, number in failed.items():
            cells |= self._both(f"Failed_{cause}", number)
        return cells | {f"ResponseTime_{mark}(P)": row[mark] or 0 for mark in ("p50", "p95", "p99")}

    def _both(self, name: str, total: float) -> dict[str, float]:
        """The period's and the cumulated value under SIPp's names."""
        return {f"{name}(P)": total - self._last.get(f"{name}(C)", 0), f"{name}(C)": total}


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
