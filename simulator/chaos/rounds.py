"""A run of chaos: a lab under load, one deed a round, then peace, an empty queue, and the two accounts balanced."""

import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from simulator.chaos.deeds import DEADLINE, DEEDS, Scene, plan
from simulator.chaos.senders import Senders
from simulator.lab import Lab, LabFault, running_lab
from simulator.ledger.balance import Balance, balance, kinds
from simulator.ledger.carrier import CarrierLedger
from simulator.ledger.pbx import PbxLedger

BACK: Final = 5.0  # seconds after a deed in which an order must be accepted again
DRAIN: Final = 90.0  # seconds in which the queue must be empty at the end
GIVE_UP: Final = 30.0  # seconds without an accepted order that end the run
RATE: Final = 1_000_000  # the integration's; the limiter is not what is tested
SETTINGS: Final = {"SMSLAB_ATTEMPT_DEADLINE": str(DEADLINE), "SMSLAB_PIN": "0"}


@dataclass
class Report:
    """What a run came to. Times are seconds; `wrong` names each breach with its count."""

    seed: int
    rounds: Counter[str] = field(default_factory=Counter)
    crashes: int = 0  # at named points, respawned workers included
    kills: int = 0  # of the gateway
    threads: int = 0
    slowest_back: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_true(self) -> bool:
        """The promise held: nothing wrong, doubts bounded by what was in flight, and back in time."""
        return not self.wrong and self.counts["indeterminate"] <= self.bound and self.slowest_back <= BACK

    @property
    def bound(self) -> int:
        """At most this many attempts can have been under way when something was cut off."""
        return self.threads * (self.crashes + self.kills)

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        rounds = sum(self.rounds.values())
        return {
            **vars(self),
            "true": self.is_true,
            "indeterminate_bound": self.bound,
            "rule_of_three": {
                "rounds": 3 / max(1, rounds),
                "accepted_orders": 3 / max(1, self.counts["accepted"]),
            },
        }


def run(
    directory: Path, rounds: int, seed: int, *, threads: int = 8, faults: bool = True, pause: float = 0.01,
    environ: dict[str, str] | None = None, deeds: Sequence[str] = (), tell: Callable[[str], None] = lambda _line: None,
) -> Report:  # fmt: skip
    """Do the rounds in `directory` and give the report; `deeds` replaces the drawn ones.

    LabFault if the lab itself does not come up again.
    """
    rng = Random(seed)
    report = Report(seed, threads=threads)
    with (
        running_lab(directory, rate=RATE, environ={**SETTINGS, **(environ or {})}) as lab,
        PbxLedger(lab.pbx_ledger) as ledger,
    ):
        scene = Scene(lab, rng, faults)
        scene.break_carrier()
        with Senders(lab.send_url, lab.key, ledger, threads, pause).sending() as senders:
            _await_accepted(senders)
            for number, name in enumerate(deeds or plan(rounds, rng), 1):
                DEEDS[name](scene)
                back = _await_accepted(senders)
                report.slowest_back = max(report.slowest_back, back)
                report.rounds[name] += 1
                tell(f"round {number} of {rounds}: {name}; {senders.accepted} accepted, back after {back:.1f} s")
        _drain(lab)
        report.crashes, report.kills = scene.crashes(), scene.kills
        with CarrierLedger(lab.carrier_ledger) as taken:
            account = balance(ledger.attempts(), taken.deliveries(), lab.orders())
    return _counted(report, account)


def _counted(report: Report, account: Balance) -> Report:
    members = {name: getattr(account, name) for name, _, _ in kinds()}
    report.counts = {name: len(ids) for name, ids in members.items()}
    report.wrong = {name: list(members[name][:20]) for name, _, wrong in kinds() if wrong and members[name]}
    # Nothing here refuses for good, lets orders expire or cancels them, so these ends are wrong as well.
    for name in ("pending", "refused_by_carrier", "expired", "cancelled"):
        if members[name]:
            report.wrong[name] = list(members[name][:20])
    return report


def _await_accepted(senders: Senders) -> float:
    """Seconds until the next order is accepted."""
    start = time.monotonic()
    while senders.last_accepted <= start:
        if time.monotonic() > start + GIVE_UP:
            message = f"Nothing was accepted for {GIVE_UP:.0f} s"
            raise LabFault(message)
        time.sleep(0.01)
    return senders.last_accepted - start


def _drain(lab: Lab) -> None:
    """Mend the carrier and wait until nothing is queued, or until it is clear that something stays."""
    httpx.post(f"{lab.carrier_url}/reset", json={}, timeout=5, trust_env=False).raise_for_status()
    end = time.monotonic() + DRAIN
    while time.monotonic() < end:
        waiting = lab.smslab("gateway", "orders", "list", "--state", "queued", "--json").splitlines()
        if not waiting:
            return
        time.sleep(0.2)


def as_text(report: Report) -> str:
    """The report for people."""
    rounds, counts = sum(report.rounds.values()), report.counts
    by_kind = ", ".join(f"{name} {n}" for name, n in sorted(report.rounds.items()))
    accepted = counts["accepted"]
    return "\n".join(
        [
            f"seed            {report.seed}",
            f"rounds          {rounds} ({by_kind})",
            f"gateway died    {report.kills} times by kill -9, {report.crashes} times at a named point",
            f"orders          {counts['sent']} sent, {accepted} accepted, {counts['refused']} refused",
            *(f"{name:15} {counts[name]}" for name in ("lost", "duplicated", "phantom")),
            f"refused, taken  {counts['refused_yet_delivered']}",
            (
                f"indeterminate   {counts['indeterminate']} (at most {report.bound} were in flight at a cut;"
                f" {counts['indeterminate_delivered']} were taken, once)"
            ),
            f"accepted again  {report.slowest_back:.1f} s after a deed at the slowest",
            f"WRONG           {json.dumps(report.wrong)}" if report.wrong else "wrong           nothing",
            (
                f"No failure in {rounds} rounds and {accepted} orders proves, at 95 %, fewer than"
                f" {3 / max(1, rounds):.2g} failures a round and {3 / max(1, accepted):.2g} an order (rule of three)."
            ),
            "The promise held." if report.is_true else "The promise did NOT hold.",
        ]
    )
