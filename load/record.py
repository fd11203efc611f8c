"""What a generator writes down: one line per request, and events. Every figure of a report comes from these.

The file `records.jsonl` in the run's directory holds arrays (requests) and objects (events: the start, the
fault windows, the end). Times are seconds from the start of the run, on the generator's monotonic clock.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FILE = "records.jsonl"
SEND, VERIFY = "sendmessage", "verify"


class Request(NamedTuple):
    """One request. `due` is the intended start, `sent` the real one; no status means that no answer came."""

    n: int  # number of the message in the plan
    turn: int  # 0, or which polite retry
    operation: str
    due: float
    sent: float
    done: float
    status: int | None
    code: str | None  # the envelope's code
    order_id: str | None
    findings: Sequence[str] = ()  # what the judge found, as "RULE: sentence"

    @property
    def latency(self) -> float:
        """Seconds from the intended start: what the sender of the message waited."""
        return self.done - self.due

    @property
    def service(self) -> float:
        """Seconds from the real start: what a closed-loop tool would report."""
        return self.done - self.sent

    @property
    def late(self) -> float:
        """Seconds by which the generator was late."""
        return self.sent - self.due

    @property
    def outcome(self) -> str:
        """`"200"`, `"429/10006"`, or `"no answer"`."""
        if self.status is None:
            return "no answer"
        return f"{self.status}/{self.code}" if self.code else str(self.status)


@dataclass(slots=True)
class Records:
    """All that one run left behind, requests in the order of their intended start."""

    requests: list[Request] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)

    def event(self, kind: str) -> dict[str, Any]:
        """The last event of that kind, or an empty one."""
        return next((event for event in reversed(self.events) if event["event"] == kind), {})

    def of_kind(self, kind: str) -> Iterator[dict[str, Any]]:
        """The events of that kind, in order."""
        return (event for event in self.events if event["event"] == kind)


def write(path: Path, lines: Iterable[Request | dict[str, Any] | list[Any]]) -> None:
    """Add lines to a record file."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)


def read(path: Path) -> Records:
    """The records of a run; a last line that was cut short is left out."""
    records = Records()
    if not path.exists():
        return records
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            match json.loads(line):
                case {"event": _} as event:
                    records.events.append(event)
                case [*values]:
                    records.requests.append(Request(*values))
    records.requests.sort(key=lambda request: (request.due, request.n))
    return records
