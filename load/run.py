"""One run from beginning to end: the lab if there is no target, Locust in its own process, the ledgers.

What to send is the plan's business, what it means the verdict's. Keys go by environment only. Whatever was
started is stopped, also on Ctrl-C; then the records so far are judged like any others.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no stubs

from load.phases import Profile
from load.plan import Plan
from load.record import FILE, SEND, Request, read
from load.report import write_all
from load.verdict import Evidence, Verdict, judge
from simulator.lab import Lab, running_lab
from simulator.ledger.balance import balance
from simulator.ledger.carrier import CarrierLedger, Delivery
from simulator.ledger.pbx import Attempt, PbxLedger

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOCUST = (sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--loglevel", "WARNING")
PATIENCE = 3.0  # seconds for Locust to write its last records after Ctrl-C, before it is killed
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Result:
    """A judged run and where its files are."""

    plan: Plan
    verdict: Verdict
    directory: Path


@dataclass(slots=True)
class Watch:
    """What is seen from outside while the load runs."""

    memory: list[tuple[float, float]]
    interrupted: bool = False


def in_lab(profile: Profile, directory: Path, *, seed: int = 1, **options: Any) -> Result:  # noqa: ANN401 - passed on to `run`
    """Start a lab that fits the profile, run it there, stop the lab."""
    with running_lab(directory / "lab", rate=profile.key_rate, environ=profile.environ or {}) as lab:
        return run(lab_plan(lab, profile, seed), directory, lab=lab, **options)


def lab_plan(lab: Lab, profile: Profile, seed: int) -> Plan:
    """The plan that plays a profile against a lab."""
    return Plan(
        lab.send_url,
        lab.key,
        profile,
        lab.from_number,
        verify_url=lab.verify_url,
        carrier_url=lab.carrier_url,
        seed=seed,
    )


def run(
    plan: Plan,
    directory: Path,
    *,
    lab: Lab | None = None,
    locust: Sequence[str] = (),
    baseline: Mapping[str, Any] | None = None,
    progress: Progress = lambda _: None,
) -> Result:
    """Play a plan with Locust (extra arguments in `locust`) and judge what happened."""
    directory.mkdir(parents=True, exist_ok=True)
    plan = replace(plan, directory=directory)
    with _generator(plan, directory, locust) as process:
        watch = _watch(process, lab, progress)
    records = read(directory / FILE)
    evidence = Evidence(
        plan.profile, records, memory=tuple(watch.memory), baseline=baseline, interrupted=watch.interrupted
    )
    if lab is not None:
        evidence = _balanced(evidence, plan, lab)
    verdict = judge(evidence)
    write_all(plan, verdict, directory, baseline)
    return Result(plan, verdict, directory)


def work(plan: Plan, locust: Sequence[str]) -> int:
    """Be a worker of a master that plays the run elsewhere; Locust's exit code."""
    return subprocess.run([*LOCUST, *locust], env={**os.environ, **plan.to_env()}, check=False).returncode


@contextmanager
def _generator(plan: Plan, directory: Path, extra: Sequence[str]) -> Iterator[subprocess.Popen[bytes]]:
    with (directory / "locust.log").open("wb") as log:
        process = subprocess.Popen(
            [*LOCUST, "--headless", "--only-summary", "--html", str(directory / "locust.html"), *extra],
            env={**os.environ, **plan.to_env()},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is this command's to pass on
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _watch(process: subprocess.Popen[bytes], lab: Lab | None, progress: Progress) -> Watch:
    watch, begun = Watch([]), time.monotonic()
    try:
        while process.poll() is None:
            progress(time.monotonic() - begun)
            if lab is not None:
                watch.memory.append((time.monotonic() - begun, _resident_mb(lab)))
            _wait(process, 0.5)
    except KeyboardInterrupt:
        watch.interrupted = True
        process.terminate()
        _wait(process, PATIENCE)
    return watch


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def _balanced(evidence: Evidence, plan: Plan, lab: Lab) -> Evidence:
    """The evidence with both ledgers: the PBX's is written from the records, the carrier's may still grow."""
    epoch = evidence.records.event("start").get("epoch", 0.0)
    sent = [request for request in evidence.records.requests if request.operation == SEND]
    with PbxLedger(lab.pbx_ledger) as ledger:
        ledger.record_many(_attempt(plan, epoch, request) for request in sent)
        attempts = list(ledger.attempts())
    promised = {request.order_id for request in sent if request.order_id}
    last = max((request.done for request in sent), default=0.0)
    found = _drained(lab.carrier_ledger, promised, epoch + last + plan.profile.thresholds.drain_s)
    taken = {delivery.key: delivery.at - epoch for delivery in found if delivery.key in promised}
    drained = max(0.0, max(taken.values(), default=0.0) - last) if taken.keys() == promised else None
    account = balance(attempts, found, lab.orders() if drained is None else None)
    return replace(evidence, balance=account, deliveries=taken, drained_s=drained)


def _drained(path: Path, promised: set[str], deadline: float) -> list[Delivery]:
    found: list[Delivery] = []
    with CarrierLedger(path) as ledger:
        while True:
            found += ledger.deliveries(after=found[-1].seq if found else 0)
            if promised <= {delivery.key for delivery in found} or time.time() > deadline:
                return found
            time.sleep(0.2)


def _attempt(plan: Plan, epoch: float, request: Request) -> Attempt:
    to, text = plan.message(request.n, request.turn)
    finished = None if request.status is None else epoch + request.done
    return Attempt(
        0,
        f"load-{plan.seed}",
        plan.from_number,
        to,
        text,
        started_at=epoch + request.sent,
        finished_at=finished,
        status=request.status,
        code=request.code,
        order_id=request.order_id,
    )


def _resident_mb(lab: Lab) -> float:
    """Resident memory of the gateway and its workers, in MB; 0 if it is gone."""
    try:
        gateway = psutil.Process(lab.pid("gateway"))
        family = (gateway, *gateway.children(recursive=True))
        return float(sum(part.memory_info().rss for part in family)) / 1e6
    except (psutil.Error, KeyError):
        return 0.0
