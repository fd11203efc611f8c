"""A run of chaos: a lab under load, one deed a round, then peace, an empty queue, and the two accounts balanced."""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

import httpx

from simulator.chaos.deeds import DEADLINE, Deed, Scene, plan
from simulator.chaos.outages import STORES
from simulator.chaos.report import Report
from simulator.chaos.senders import Senders
from simulator.chaos.servers import Servers, servers
from simulator.lab import GATEWAY, SMSLAB, Lab, LabFault, running_lab
from simulator.ledger.balance import balance
from simulator.ledger.carrier import CarrierLedger
from simulator.ledger.cli import doubts
from simulator.ledger.pbx import PbxLedger

BACK: Final = 5.0  # seconds after a deed in which an order must be accepted again
DRAIN: Final = 90.0  # seconds in which the queue must be empty at the end
GIVE_UP: Final = 30.0  # seconds without an accepted order that end the run
RATE: Final = 1_000_000  # the integration's; the limiter is not what is tested
SETTINGS: Final = {"SMSLAB_ATTEMPT_DEADLINE": str(DEADLINE), "SMSLAB_PIN": "0"}


@dataclass(frozen=True)
class Trial:
    """What a run is asked for. It goes on after its rounds until `orders` are accepted; `pause` is between messages."""

    rounds: int
    seed: int
    store: str = "sqlite"
    orders: int = 0
    threads: int = 8
    faults: bool = True
    pause: float = 0.01
    deeds: Mapping[str, Deed] | None = None  # instead of those of the store
    environ: Mapping[str, str] = field(default_factory=dict)  # more settings of the gateway
    gateway: tuple[str, ...] = SMSLAB  # the program that serves


def run(directory: Path, trial: Trial, tell: Callable[[str], None] = lambda _line: None) -> Report:
    """Do the rounds in `directory` and give the report; Ctrl-C ends the rounds early, and the rest is done.

    LabFault if the lab itself does not come up again, ServerMissing if the store's servers are not installed.
    """
    began, rng = time.monotonic(), Random(trial.seed)
    report = Report([trial.seed])
    with (
        _servers(trial.store) as behind,
        running_lab(
            directory,
            rate=RATE,
            environ={**SETTINGS, **trial.environ, **(behind.environ if behind else {})},
            programs={GATEWAY: trial.gateway},
        ) as lab,
        PbxLedger(lab.pbx_ledger) as ledger,
    ):
        scene = Scene(lab, rng, trial.faults, behind)
        scene.break_carrier()
        with Senders(lab.send_url, lab.key, ledger, trial.threads, trial.pause).sending() as senders:
            try:
                _rounds(scene, senders, trial, report, tell)
            except KeyboardInterrupt:
                report.stopped = 1
                tell("stopping: the lab is mended and the accounts are balanced")
                scene.up_again()
        report.slowest_drain = _drain(lab)
        report.crashes, report.kills, report.cuts = scene.crashes(), scene.kills, behind.line.cuts if behind else 0
        with CarrierLedger(lab.carrier_ledger) as taken, lab.gateway_log.open(errors="replace") as log:
            doubtful = doubts(log)
            account = balance(ledger.attempts(), taken.deliveries(), lab.orders(), doubtful)
    report.doubts, report.seconds = len(doubtful), time.monotonic() - began
    report.take(account, trial.threads * (report.crashes.total() + report.kills), BACK)
    return report


def _servers(store: str) -> AbstractContextManager[Servers | None]:
    return servers() if store == "postgresql" else nullcontext()


def _rounds(scene: Scene, senders: Senders, trial: Trial, report: Report, tell: Callable[[str], None]) -> None:
    deeds = trial.deeds or STORES[trial.store]
    _await_accepted(senders)
    for number, name in enumerate(plan(list(deeds), trial.rounds, scene.rng), 1):
        deeds[name](scene)
        back = _await_accepted(senders)
        report.slowest_back = max(report.slowest_back, back)
        report.rounds[name] += 1
        report.stores[trial.store] += 1
        tell(f"round {number} of {trial.rounds}: {name}; {senders.accepted} accepted, back after {back:.1f} s")
    while senders.accepted < trial.orders:
        _await_accepted(senders)


def _await_accepted(senders: Senders) -> float:
    """Seconds until the next order is accepted."""
    start = time.monotonic()
    while senders.last_accepted <= start:
        if time.monotonic() > start + GIVE_UP:
            message = f"Nothing was accepted for {GIVE_UP:.0f} s"
            raise LabFault(message)
        time.sleep(0.01)
    return senders.last_accepted - start


def _drain(lab: Lab) -> float:
    """Mend the carrier and wait until nothing is queued, or until it is clear that something stays. Seconds."""
    httpx.post(f"{lab.carrier_url}/reset", json={}, timeout=5, trust_env=False).raise_for_status()
    began = time.monotonic()
    while time.monotonic() < began + DRAIN:
        if not lab.smslab("gateway", "orders", "list", "--state", "queued", "--json").splitlines():
            break
        time.sleep(0.2)
    return time.monotonic() - began
