"""Did it hold? A pure function of what happened: checks with a sentence each, and an exit code.

A run whose generator did not make the load it promised is void: nothing is known, whatever the answers were.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from contracts.exits import Exit
from load.figures import figures
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
    checks = (
        *_answers(evidence),
        *_phases(evidence),
        *_latency(evidence.profile, found),
        *_ledger(evidence),
        *_memory(evidence),
        *_reach(evidence, found),
        *_baseline(evidence.baseline, found),
    )
    return Verdict(checks, tuple(_void(evidence, found)), found)


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


def _answers(evidence: Evidence) -> Iterator[Check]:
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


def _phases(evidence: Evidence) -> Iterator[Check]:
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


def _latency(profile: Profile, found: Mapping[str, Any]) -> Iterator[Check]:
    limits = profile.thresholds
    for name, limit in (("p50", limits.p50_ms), ("p99", limits.p99_ms), ("p99.9", limits.p999_ms)):
        measured = found["healthy"][name]
        if limit is not None and measured is not None:
            sentence = f"{measured:.1f} ms from the intended start in healthy phases (limit {limit:g} ms)."
            yield Check(f"latency {name}", measured <= limit, sentence)


def _ledger(evidence: Evidence) -> Iterator[Check]:
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


def _memory(evidence: Evidence) -> Iterator[Check]:
    limit = evidence.profile.thresholds.growth_mb
    later = [size for at, size in evidence.memory if at >= 60]
    if limit is not None and later:
        growth = later[-1] - later[0]
        sentence = f"The gateway grew by {growth:.1f} MB after the first minute (limit {limit:g} MB)."
        yield Check("memory", growth < limit, sentence)


def _reach(evidence: Evidence, found: Mapping[str, Any]) -> Iterator[Check]:
    for event in evidence.records.of_kind("skipped"):
        kind = event["fault"].get("kind", "fault")
        yield Check(f"{event['phase']}: fault", None, f"The carrier's {kind} cannot be injected here: skipped.")
    made = found["generator"]
    if made["spent"]:
        yield Check("budget", None, f"The budget of real SMS was spent: {made['unsent']} messages were not sent.")


def _baseline(baseline: Mapping[str, Any] | None, found: Mapping[str, Any]) -> Iterator[Check]:
    for name in COMPARED if baseline else ():
        before, now = baseline["healthy"].get(name) if baseline else None, found["healthy"][name]
        if before is not None and now is not None:
            limit = max(before * SLACK, before + SLACK_MS)
            sentence = f"{now:.1f} ms, {before:.1f} ms in the baseline (limit {limit:.1f} ms)."
            yield Check(f"baseline {name}", now <= limit, sentence)
