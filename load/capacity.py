"""How much does it hold? A stepwise search for the knee, and what follows from it for more processes and hosts.

Each step is a run like any other, with chance arrivals, in one lab for each number of gateway processes. The
search doubles until a step fails and then halves the gap. A step that was void says that the generator, not
the gateway, was the limit.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.exits import Exit
from load import queueing
from load.phases import Phase, Profile, Thresholds
from load.report import render
from load.run import lab_plan, run
from simulator.lab import running_lab

LIMITLESS = 1_000_000  # requests per second allowed to the key: the gateway is to be the limit, not its quota
HELD = frozenset({Exit.FINE, Exit.NOT_ALL_REACHED})
TEMPLATE = Path(__file__).with_name("capacity.html.jinja")
NEAR = 1.1  # the search ends when the failed rate is at most this much above the held one


@dataclass(frozen=True, slots=True)
class Step:
    """One measured rate. `p99` is in seconds, from the intended start; None if nothing was answered."""

    processes: int
    rate: float
    p99: float | None
    exit_code: Exit


@dataclass(frozen=True, slots=True)
class Sizing:
    """What one number of processes held, and what the model fitted to its lighter steps had predicted."""

    processes: int
    held: float
    predicted: float | None
    error: float | None  # (predicted - held) / held
    limited_by: str  # "the gateway" or "the generator"


def search(measure: Callable[[float], Step], start: float) -> Iterator[Step]:
    """The steps of a search from `start` messages/s, each as soon as it is measured."""
    held, failed, rate = 0.0, float("inf"), start
    while failed / max(held, 1e-9) > NEAR and rate >= 1:
        step = measure(rate)
        yield step
        if step.exit_code in HELD:
            held = rate
        else:
            failed = rate
        rate = held * 2 if failed == float("inf") else round((held + failed) / 2, 1)


def in_lab(directory: Path, processes: int, *, start: float, seconds: float, limit_ms: float) -> Iterator[Step]:
    """Search for what this many gateway processes hold, in a lab of their own."""
    options = ("--workers", str(processes))
    with running_lab(directory / f"lab-{processes}", rate=LIMITLESS, gateway_options=options) as lab:

        def measure(rate: float) -> Step:
            phase = Phase("steady", ((seconds, rate, rate),))
            limits = Thresholds(p99_ms=limit_ms)
            profile = Profile("capacity", "", (phase,), limits, poisson=True, verify_every=0, pbxs=200)
            plan = lab_plan(lab, profile, seed=round(rate * 10))
            verdict = run(plan, directory / f"{processes}x{rate:g}", lab=lab).verdict
            p99 = verdict.figures["healthy"]["p99"]
            return Step(processes, rate, None if p99 is None else p99 / 1000, verdict.exit_code)

        yield from search(measure, start)


def size(steps: Sequence[Step], limit: float) -> Sizing:
    """What the steps of one number of processes say; `limit` is the p99 in seconds that must hold.

    The model is fitted to the held steps up to two thirds of the highest one, so that its prediction of the
    knee is a test of it.
    """
    processes = steps[0].processes
    good = [step for step in steps if step.exit_code in HELD]
    held = max((step.rate for step in good), default=0.0)
    light = [(step.rate, step.p99) for step in good if step.p99 and step.rate <= held * 2 / 3]
    predicted = queueing.fit(light, processes).knee(limit) if len(light) >= 2 else None
    above = [step for step in steps if step.rate > held]
    void = bool(above) and min(above, key=lambda step: step.rate).exit_code == Exit.COULD_NOT_TEST
    return Sizing(
        processes,
        held,
        predicted,
        None if predicted is None or not held else (predicted - held) / held,
        "the generator" if void else "the gateway",
    )


def note(sizes: Sequence[Sizing], hosts: int, cores: int) -> list[str]:
    """What the measurements mean for one process, one host and `hosts` hosts, in sentences."""
    said = [
        f"{size.processes} gateway process{'es' * (size.processes > 1)}: {size.held:g} messages/s, "
        f"limited by {size.limited_by}." + _trust(size)
        for size in sizes
    ]
    one, several = sizes[0], sizes[-1]
    if several.processes == one.processes or not (one.held and several.held):
        return [*said, "Measure more than one number of processes to size a host."]
    if several.held <= one.held:
        fact = f"{several.processes} processes held no more than {one.processes}"
        return [*said, f"{fact}: the cores of this host are full, more processes on it do not help."]
    sigma = queueing.contention(one.held, several.held, several.processes)
    host = max(several.held, queueing.scaled(one.held, sigma, cores))
    alone, alike = queueing.scaled(host, 0.0, hosts), queueing.scaled(host, sigma, hosts)
    text = f"""\
Sharing nothing, {several.processes} processes would hold {one.held * several.processes / one.processes:g}/s; \
they held {several.held:g}/s: {sigma:.0%} of their work is done one after the other.
One host of {cores} cores, carrier and generator on it as here: about {host:.0f}/s.
{hosts} such hosts on one PostgreSQL: {alone:.0f}/s if they share nothing, {alike:.0f}/s if they contend as \
these processes do; not measured here."""
    return [*said, *text.splitlines()]


def write(directory: Path, steps: Sequence[Step], sizes: Sequence[Sizing], said: Sequence[str], limit: float) -> None:
    """`capacity.json` and `capacity.html`, with the knee drawn, into the directory."""
    curves = {}
    for sizing in sizes:
        points = [(step.rate, step.p99) for step in steps if step.processes == sizing.processes and step.p99]
        curves[sizing.processes] = points
    content = {
        "steps": [asdict(step) for step in steps],
        "sizes": [asdict(sizing) for sizing in sizes],
        "note": list(said),
    }
    (directory / "capacity.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
    html = render(TEMPLATE, curves=curves, sizes=sizes, steps=steps, said=said, limit=limit)
    (directory / "capacity.html").write_text(html, encoding="utf-8")


def _trust(size: Sizing) -> str:
    if size.predicted is None or size.error is None:
        return " Too few steps held to check the queueing model."
    return f" The queueing model predicted {size.predicted:.0f}/s from the lighter steps ({size.error:+.0%})."
