"""One run from beginning to end: the lab if there is no target, Locust in its own process, the verdict.

What to send is the plan's business, what it means the verdict's. Keys go by environment only. Whatever was
started is stopped, also on Ctrl-C; then the records so far are judged like any others.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]  # ships no stubs

from load.account import balanced, last_seq
from load.checks import Evidence
from load.phases import Profile
from load.plan import Plan
from load.record import FILE, read
from load.report import write_all
from load.verdict import Verdict, judge
from simulator.lab import Lab, running_lab

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOCUST = (sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--loglevel", "WARNING")
PATIENCE = 3.0  # seconds for Locust to write its last records after Ctrl-C, before it is killed


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
) -> Result:
    """Play a plan with Locust (extra arguments in `locust`) and judge what happened."""
    directory.mkdir(parents=True, exist_ok=True)
    plan = replace(plan, directory=directory)
    before = last_seq(plan.carrier_url) if plan.carrier_url else 0
    with _generator(plan, directory, locust) as process:
        watch = _watch(process, lab)
    records = read(directory / FILE)
    evidence = Evidence(
        plan.profile,
        records,
        memory=tuple(watch.memory),
        baseline=baseline,
        interrupted=watch.interrupted,
        quota_known=lab is not None,
    )
    if plan.carrier_url:
        ledger = lab.pbx_ledger if lab else directory / "pbx.sqlite"
        try:
            evidence = balanced(evidence, plan, before, ledger, lab.orders if lab else None)
        except KeyboardInterrupt:  # the backlog takes too long for somebody: what is known is reported
            evidence = replace(evidence, interrupted=True)
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


def _watch(process: subprocess.Popen[bytes], lab: Lab | None) -> Watch:
    watch, begun = Watch([]), time.monotonic()
    try:
        while process.poll() is None:
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


def _resident_mb(lab: Lab) -> float:
    """Resident memory of the gateway and its workers, in MB; 0 if it is gone."""
    try:
        gateway = psutil.Process(lab.pid("gateway"))
        family = (gateway, *gateway.children(recursive=True))
        return float(sum(part.memory_info().rss for part in family)) / 1e6
    except (psutil.Error, KeyError):
        return 0.0
