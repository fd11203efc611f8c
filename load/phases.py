"""What a load profile is: phases of arrivals and carrier faults, what is right in each, and thresholds.

Profiles are data. The ones that come with the suite are in `profiles.py`; one's own are TOML files with the
same names, read here (`load/docs/profiles.md`).
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from contracts import spec
from load import arrivals
from load.arrivals import Curve


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Limits of a verdict. Latencies are from the intended start, in healthy phases."""

    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    react_s: float = 5.0  # from a fault's start to the first answer that tells of it
    recover_s: float = 5.0  # from a fault's end to the first accepted message, and to the last refused one
    drain_s: float = 60.0  # from the last message to an empty backlog
    growth_mb: float | None = None  # resident memory of the gateway after the first minute
    late_ms: float = 100.0  # p99 of how late the generator itself may be; beyond it the run is void


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a profile. Without codes it is healthy, whatever the carrier does: every answer is 200."""

    name: str
    curve: Curve
    fault: Mapping[str, Any] | None = None  # as the fake carrier's fault API takes it; lasts for the phase
    codes: tuple[str, ...] = ()  # error codes that are right answers here
    least: int = 0  # how many answers with each of those codes there must be
    most: float = 1.0  # the largest share of the phase's messages that may be answered with those codes
    blip: bool = False  # the codes may come in waves, so reaction is not timed

    @property
    def seconds(self) -> float:
        """How long the phase lasts."""
        return arrivals.seconds(self.curve)

    @property
    def healthy(self) -> bool:
        """Whether latencies of this phase count for the thresholds."""
        return not self.codes


@dataclass(frozen=True, slots=True)
class Profile:
    """A named load. `key_rate` and `environ` configure the bundled lab; a staging system has its own."""

    name: str
    purpose: str
    phases: tuple[Phase, ...]
    thresholds: Thresholds = Thresholds()
    key_rate: int = 5000  # requests per second the lab allows to the key
    pbxs: int = 20  # PBXs that share the load
    polite: float = 0.5  # share of the PBXs that honour Retry-After; the rest go on as if nothing was said
    poisson: bool = False  # arrivals by chance (seeded) instead of evenly spaced
    verify_every: int = 100  # each n-th request is a verify instead of a message; 0 for none
    environ: Mapping[str, str] | None = None  # settings of the bundled gateway

    @property
    def curve(self) -> Curve:
        """The arrivals of all phases, one after the other."""
        return tuple(piece for phase in self.phases for piece in phase.curve)

    @property
    def seconds(self) -> float:
        """How long the profile lasts."""
        return arrivals.seconds(self.curve)

    @property
    def peak(self) -> float:
        """The highest rate, in messages per second."""
        return arrivals.peak(self.curve)

    def windows(self) -> list[tuple[float, float, Phase]]:
        """Each phase with its start and end, in seconds from the start of the run."""
        found, start = [], 0.0
        for phase in self.phases:
            found.append((start, start + phase.seconds, phase))
            start += phase.seconds
        return found

    def scaled(self, peak: float | None = None, seconds: float | None = None) -> "Profile":
        """The same shape at another peak rate or length; what must be seen at least scales with it."""
        taller = peak / self.peak if peak else 1.0
        longer = seconds / self.seconds if seconds else 1.0
        phases = tuple(
            replace(
                phase,
                curve=tuple((s * longer, a * taller, b * taller) for s, a, b in phase.curve),
                least=int(phase.least * min(taller * longer, 1.0)),
            )
            for phase in self.phases
        )
        return replace(self, phases=phases, key_rate=max(1, round(self.key_rate * taller)))

    def to_json(self) -> str:
        """The profile as one line of JSON; `read` of it gives the same profile."""
        return json.dumps(asdict(self))


def read(text: str) -> Profile:
    """A profile from TOML or JSON text. Raises `ValueError` with one sentence for a person."""
    try:
        table = json.loads(text) if text.lstrip().startswith("{") else tomllib.loads(text)
    except ValueError as error:
        raise ValueError(f"The profile is not readable: {error}.") from error
    phases = tuple(_phase(entry) for entry in table.pop("phases", ()))
    if not phases:
        raise ValueError("A profile needs at least one [[phases]] entry.")
    thresholds = Thresholds(**_known(Thresholds, table.pop("thresholds", {}), "thresholds"))
    table.setdefault("purpose", "")
    known = _known(Profile, table, "profile")
    if not isinstance(known.get("name"), str) or not known["name"]:
        raise ValueError("A profile needs a name.")
    return Profile(phases=phases, thresholds=thresholds, **known)


def load(path: Path) -> Profile:
    """The profile in a TOML file. Raises `ValueError` with one sentence."""
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The profile {path.name} cannot be read.") from error


def _phase(entry: Mapping[str, Any]) -> Phase:
    known = _known(Phase, entry, "phase")
    try:
        pieces = tuple((float(s), float(a), float(b)) for s, a, b in known.pop("curve"))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("A phase needs a curve: [[seconds, rate at its start, rate at its end]].") from error
    if any(s <= 0 or a < 0 or b < 0 for s, a, b in pieces) or not pieces:
        raise ValueError("In a curve seconds are above 0 and rates are not negative.")
    codes = tuple(known.pop("codes", ()))
    if unknown := set(codes) - set(spec.error_codes()):
        raise ValueError(f"No such error codes: {', '.join(sorted(unknown))}.")
    return Phase(name=known.pop("name", "phase"), curve=pieces, codes=codes, **known)


def _known(kind: type[Thresholds | Phase | Profile], table: Mapping[str, Any], where: str) -> dict[str, Any]:
    if unknown := set(table) - {field.name for field in fields(kind)}:
        raise ValueError(f"The {where} has unknown settings: {', '.join(sorted(unknown))}.")
    return dict(table)
