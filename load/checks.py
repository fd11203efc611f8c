"""What must hold in a run: each check by what it looks at, with the sentence that says what was seen.

Pure. Together with the question whether the run counts at all they make the verdict (`verdict.py`).
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from load.phases import Phase, Profile
from load.record import SEND, Records, Request
from simulator.ledger.balance import Balance, kinds

COMPARED = ("p50", "p99", "p99.9")
SLACK = 1.25  # a baseline's percentile may be exceeded by a quarter, and by SLACK_MS whatever it was
SLACK_MS = 5.0


class Check(NamedTuple):
    """One thing that must hold. `passed` None: it could not be reached in this run."""

    name: str
    passed: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a run. Times are seconds from its start."""

    profile: Profile
    records: Records
    balance: Balance | None = None  # None: there was no carrier ledger to read
    deliveries: Mapping[str, float] | None = None  # by order id, when the carrier took it
    drained_s: float | None = None  # from the last message to an empty backlog; None: never
    memory: tuple[tuple[float, float], ...] = ()  # (seconds, MB) of the gateway
    baseline: Mapping[str, Any] | None = None  # the figures of a kept run
    interrupted: bool = False
    quota_known: bool = True  # the key's limit is the profile's; elsewhere it may be too high to be met


def answers(evidence: Evidence) -> Iterator[Check]:
    """Every answer is right in its form, and none is out of place in its phase."""
    requests = evidence.records.requests
    answered = [request for request in requests if request.status is not None]
    broken = Counter(finding for request in answered for finding in request.findings)
    wrong = sum(bool(request.findings) for request in answered)
    first = f", first {next(iter(broken))!r}" if broken else ""
    yield Check("envelopes", not wrong, f"{len(answered) - wrong} of {len(answered)} answers are right{first}.")
    strays = Counter(
        f"{request.outcome} in {_phase_at(evidence.profile, request.sent)}"
        for request in requests
        if not _allowed(evidence.profile, request)
    )
    listed = ", ".join(f"{n} x {what}" for what, n in strays.most_common(5)) or "none"
    yield Check("expected answers", not strays, f"Answers that had no place in their phase: {listed}.")


def _allowed(profile: Profile, request: Request) -> bool:
    """Whether the profile expects this outcome then; a code may outlast its phase by recover_s."""
    if request.status == 200:
        return True
    rest = profile.thresholds.recover_s
    return request.code is not None and any(
        request.code in phase.codes and start <= request.done and request.sent < end + rest
        for start, end, phase in profile.windows()
    )


def _phase_at(profile: Profile, moment: float) -> str:
    names = [phase.name for start, end, phase in profile.windows() if start <= moment < end]
    return names[0] if names else "the end"


def phases(evidence: Evidence) -> Iterator[Check]:
    """Each phase that provokes codes: seen often enough, seen soon, and gone soon afterwards."""
    profile, played = evidence.profile, {event["from"]: event for event in evidence.records.of_kind("fault")}
    skipped = {event["phase"] for event in evidence.records.of_kind("skipped")}
    windows = profile.windows()
    provoking = [window for window in windows if window[2].codes]
    for start, end, phase in provoking:
        if phase.fault is not None and phase.name in skipped:
            continue
        fault = next((event for at, event in played.items() if start <= at + 0.5 < end), {"from": start, "to": end})
        until = next((later[0] for later in provoking if later[0] > start), profile.seconds + 60)
        near = [r for r in evidence.records.requests if r.operation == SEND and fault["from"] <= r.done < until]
        for code in phase.codes:
            if phase.fault is None and not evidence.quota_known and not any(r.code == code for r in near):
                yield Check(f"{phase.name}: {code}", None, f"This load did not provoke {code} here.")
                continue
            yield from _code(profile, phase, code, near, fault)
        if phase.most < 1:
            yield _share(phase, [request for request in near if start <= request.due < end])
        if near[-1:] and near[-1].sent > fault["to"]:
            yield _recovery(profile, phase, near, fault["to"])


def _code(
    profile: Profile, phase: Phase, code: str, near: list[Request], fault: Mapping[str, float]
) -> Iterator[Check]:
    told = [request for request in near if request.code == code]
    if phase.least:
        yield Check(
            f"{phase.name}: {code} seen",
            len(told) >= phase.least,
            f"{len(told)} answers with {code}, at least {phase.least} expected.",
        )
    if told and not phase.blip:
        after = min(request.done for request in told) - fault["from"]
        limit = profile.thresholds.react_s
        yield Check(f"{phase.name}: reaction", after <= limit, f"First {code} after {after:.2f} s (limit {limit:g} s).")


def _share(phase: Phase, inside: Sequence[Request]) -> Check:
    refused = sum(request.code in phase.codes for request in inside) / max(1, len(inside))
    sentence = f"{refused:.1%} of the messages were refused (limit {phase.most:.0%})."
    return Check(f"{phase.name}: share refused", refused <= phase.most, sentence)


def _recovery(profile: Profile, phase: Phase, near: list[Request], end: float) -> Check:
    limit = profile.thresholds.recover_s
    taken = [request.done for request in near if request.status == 200 and request.sent >= end]
    refused = [request.done for request in near if request.code in phase.codes and request.sent >= end]
    first = min(taken) - end if taken else float("inf")
    last = max(refused) - end if refused else 0.0
    sentence = f"Accepting again after {first:.2f} s, last refusal after {last:.2f} s (limit {limit:g} s)."
    return Check(f"{phase.name}: recovery", max(first, last) <= limit, sentence)


def latency(profile: Profile, found: Mapping[str, Any]) -> Iterator[Check]:
    """The percentiles of healthy phases, from the intended start."""
    limits = profile.thresholds
    for name, limit in (("p50", limits.p50_ms), ("p99", limits.p99_ms), ("p99.9", limits.p999_ms)):
        measured = found["healthy"][name]
        if limit is not None and measured is not None:
            sentence = f"{measured:.1f} ms from the intended start in healthy phases (limit {limit:g} ms)."
            yield Check(f"latency {name}", measured <= limit, sentence)


def ledger(evidence: Evidence) -> Iterator[Check]:
    """Both accounts agree, and everything that was promised has gone out in time."""
    if evidence.balance is None:
        yield Check("ledger", None, "There is no carrier ledger to balance against.")
        return
    told = {name: len(getattr(evidence.balance, name)) for name, *_ in kinds()}
    wrong = ", ".join(f"{told[name]} {name.replace('_', ' ')}" for name, _, bad in kinds() if bad)
    counts = f"{told['delivered']} delivered once, {told['indeterminate']} never answered; {wrong}"
    yield Check("ledger", evidence.balance.is_true, f"Of {len(evidence.balance.sent)} sent: {counts}.")
    limit, drained = evidence.profile.thresholds.drain_s, evidence.drained_s
    after = "never" if drained is None else f"after {drained:.1f} s"
    passed = drained is not None and drained <= limit
    yield Check("backlog drained", passed, f"Every accepted message had gone out {after} (limit {limit:g} s).")


def memory(evidence: Evidence) -> Iterator[Check]:
    """The gateway does not grow."""
    limit = evidence.profile.thresholds.growth_mb
    later = [size for at, size in evidence.memory if at >= 60]
    if limit is not None and later:
        growth = later[-1] - later[0]
        sentence = f"The gateway grew by {growth:.1f} MB after the first minute (limit {limit:g} MB)."
        yield Check("memory", growth < limit, sentence)


def reach(evidence: Evidence, found: Mapping[str, Any]) -> Iterator[Check]:
    """What this run could not try, by name."""
    for event in evidence.records.of_kind("skipped"):
        kind = event["fault"].get("kind", "fault")
        yield Check(f"{event['phase']}: fault", None, f"The carrier's {kind} cannot be injected here: skipped.")
    made = found["generator"]
    if made["spent"]:
        yield Check("budget", None, f"The budget of real SMS was spent: {made['unsent']} messages were not sent.")


def compared(before: Mapping[str, Any] | None, found: Mapping[str, Any]) -> Iterator[Check]:
    """No percentile is much worse than in a kept run."""
    for name in COMPARED if before else ():
        was, now = before["healthy"].get(name) if before else None, found["healthy"][name]
        if was is not None and now is not None:
            limit = max(was * SLACK, was + SLACK_MS)
            sentence = f"{now:.1f} ms, {was:.1f} ms in the baseline (limit {limit:.1f} ms)."
            yield Check(f"baseline {name}", now <= limit, sentence)
