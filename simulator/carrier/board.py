"""Which faults are armed, on whom, until when, and how often each was hit. What a fault does is its own affair."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from threading import Lock
from typing import Any

from simulator.carrier.fault import Fault, build
from simulator.carrier.faults import kinds
from simulator.carrier.scope import Scope
from simulator.ledger.carrier import Message

PAST = 100
FIELDS = {"kind", "params", "scope", "ttl", "after", "phase"}


@dataclass(eq=False)
class Armed:
    """A fault with its scope, its times (epoch seconds) and its count of messages or calls hit."""

    id: int
    fault: Fault
    scope: Scope
    spec: Mapping[str, Any]
    starts: float
    ends: float | None
    hits: int = 0
    cleared: float | None = None

    def state(self, now: float) -> str:
        """waiting, armed, expired or cleared."""
        if self.cleared is not None:
            return "cleared"
        if now < self.starts:
            return "waiting"
        return "armed" if self.ends is None or now < self.ends else "expired"

    def view(self, now: float) -> dict[str, Any]:
        """The fault as the API shows it: `begins` and `ends` are epoch seconds, `remark` is for people."""
        state = self.state(now)
        remark = {0: "never hit", 1: "hit once"}.get(self.hits, f"hit {self.hits} times")
        times = {"begins": self.starts, "ends": self.ends if self.cleared is None else self.cleared}
        return {
            "id": self.id, **self.spec, **times, "state": state, "hits": self.hits, "remark": f"{state}, {remark}"
        }  # fmt: skip


class Board:
    """The faults of one carrier; safe to share between threads. The last `PAST` ended ones stay, for the report."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._all: list[Armed] = []
        self._ids = count(1)

    def arm(self, spec: object) -> list[Armed]:
        """Arm one fault, or each fault of `{"phases": [...]}`; all or none.

        Raises ValueError with a sentence if anything in it is not known.
        """
        with self._lock:
            armed = [self._read(one) for one in _phases(spec)]
            now = self._clock()
            live = [one for one in self._all if one.state(now) in {"waiting", "armed"}]
            ended = [one for one in self._all if one not in live]
            self._all = [*ended[-PAST:], *live, *armed]
        return armed

    def clear(self, identity: int | None = None) -> int:
        """End one fault, or all that have not ended; gives how many."""
        now = self._clock()
        with self._lock:
            ending = [
                armed
                for armed in self._all
                if identity in (None, armed.id) and armed.state(now) in ("waiting", "armed")
            ]
            for armed in ending:
                armed.cleared = now
        return len(ending)

    def strike(self, messages: Sequence[Message], now: float) -> list[tuple[Fault, Sequence[int]]]:
        """The armed faults that hit this call, in the order of arming; counts their hits."""
        struck = []
        with self._lock:
            for armed in self._all:
                if armed.state(now) != "armed":
                    continue
                hit = armed.scope.select(messages)
                if hit or (not messages and armed.scope.everything):
                    armed.hits += len(hit) or 1
                    struck.append((armed.fault, hit))
        return struck

    def report(self) -> dict[str, list[dict[str, Any]]]:
        """What is armed or waiting (`faults`), and what has ended (`past`)."""
        now = self._clock()
        with self._lock:
            views = [armed.view(now) for armed in self._all]
        ended = ("expired", "cleared")
        return {
            "faults": [view for view in views if view["state"] not in ended],
            "past": [view for view in views if view["state"] in ended],
        }

    def _read(self, spec: Mapping[str, Any]) -> Armed:
        if unknown := spec.keys() - FIELDS:
            raise ValueError(f"A fault has no {min(unknown)!r}; it knows: {', '.join(sorted(FIELDS))}.")
        kind, params, scope = spec.get("kind"), spec.get("params", {}), spec.get("scope", {})
        if kind not in list(kinds()):
            raise ValueError(f"No fault is called {kind!r}; known: {', '.join(kinds())}.")
        times = build(Times, {name: spec[name] for name in ("ttl", "after") if name in spec}, "a fault")
        fault = build(kinds()[kind], params, f"the fault {kind}")
        starts = self._clock() + times.after
        lengths = [length for length in (times.ttl, fault.lasts()) if length is not None]
        ends = starts + min(lengths) if lengths else None
        return Armed(next(self._ids), fault, build(Scope, scope, "a scope"), dict(spec), starts, ends)


@dataclass
class Times:
    """When a fault is armed: `after` seconds from now, for `ttl` seconds (None: until cleared)."""

    ttl: float | None = None
    after: float = 0.0


def _phases(spec: object) -> list[Mapping[str, Any]]:
    """A schedule as faults with times: one phase after the other, each fault as long as its phase."""
    if not isinstance(spec, dict):
        raise ValueError('A fault is an object: {"kind": ..., "params": {...}}.')  # noqa: TRY004 - one kind of error
    if "phases" not in spec:
        return [spec]
    faults: list[Mapping[str, Any]] = []
    begin = 0.0
    try:
        for number, phase in enumerate(spec["phases"], 1):
            length = float(phase["seconds"])
            name = phase.get("name", f"phase {number}")
            faults += [{"ttl": length, **fault, "after": begin, "phase": name} for fault in phase.get("faults", [])]
            begin += length
    except (TypeError, KeyError, ValueError, AttributeError):
        raise ValueError("A phase is an object with 'seconds' and a list 'faults'.") from None
    return faults
