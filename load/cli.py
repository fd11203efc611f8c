"""`smslab load`: run a profile and give a verdict, list the profiles. Only words and options live here."""

import functools
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from contracts.exits import Exit
from contracts.target import Target, is_loopback, target_options
from load import profiles
from load.bench import Figure
from load.bench import bench as measure
from load.capacity import Step, note, size, write
from load.capacity import in_lab as measured
from load.phases import Profile
from load.plan import Plan, profile_from
from load.record import FILE
from load.report import kept
from load.run import Result, in_lab, run, work
from simulator.up import stop_on_signals

ABOVE_0 = click.FloatRange(min=0, min_open=True)
KEPT = click.Path(exists=True, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)
MARKS = {True: ("held", "green"), False: ("FAILED", "red"), None: ("not reached", "yellow")}


@click.group()
def load() -> None:
    """Load before go-live, with a verdict.

    Example: smslab load run burst
    """


def optional_target(command: Callable[..., object]) -> Callable[..., object]:
    """`target_options` where naming no provider means the bundled lab (`target` is None)."""
    given = target_options(command)

    @functools.wraps(given)
    def choose(**options: Any) -> object:  # noqa: ANN401 - click's own
        if options["target"] is None and options["send_url"] is None:
            for name in ("send_url", "verify_url", "key_file", "from", "to", "i_own_this_target"):
                options.pop(name)
            return command(**options)
        return given(**options)

    return choose


@load.command(name="profiles")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def list_profiles(as_json: bool) -> None:
    """List the profiles that come with the suite.

    Example: smslab load profiles
    """
    if as_json:
        for profile in profiles.ALL:
            click.echo(profile.to_json())
        return
    table = Table("profile", "lasts", "peak", "what it answers")
    for profile in profiles.ALL:
        table.add_row(profile.name, f"{profile.seconds:g} s", f"{profile.peak:g}/s", profile.purpose)
    Console().print(table)


@load.command(name="run")
@click.argument("profile")
@click.option("--peak", type=ABOVE_0, help="Scale to this peak, in messages per second.")
@click.option("--seconds", type=ABOVE_0, help="Scale to this length.")
@click.option("--seed", default=1, show_default=True, help="Makes texts and chance arrivals repeatable.")
@click.option("--directory", type=FOLDER, help="For records and reports. Default: var/load/PROFILE-TIME.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--baseline", type=KEPT, help="A kept run (its directory or verdict.json) to compare with.")
@click.argument("locust", nargs=-1, type=click.UNPROCESSED)
@optional_target
def run_profile(
    profile: str,
    locust: tuple[str, ...],
    baseline: Path | None,
    peak: float | None,
    seconds: float | None,
    seed: int,
    directory: Path | None,
    as_json: bool,
    target: Target | None = None,
) -> None:
    """Run PROFILE (a name, or a TOML file) and say whether it held.

    Without a target it starts a lab of its own: gateway and fake carrier on loopback. What follows `--` goes
    to Locust: `--processes 2`, `--master --expect-workers 4`, `--worker --master-host HOST`.

    Example: smslab load run outage
    """
    try:
        shape = profile_from(profile).scaled(peak, seconds)
        plan = None if target is None else plan_for(shape, target, seed)
        mark = None if baseline is None else kept(baseline)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    directory = directory or Path("var/load") / f"{shape.name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    if (directory / FILE).exists():
        raise click.UsageError(f"{directory} already holds a run.")
    if plan is not None and "--worker" in locust:
        raise SystemExit(work(plan, locust))
    stop_on_signals()
    with Console(stderr=True).status(f"{shape.name}: {shape.seconds:g} s of load, then the ledgers"):
        if plan is None:
            result = in_lab(shape, directory, seed=seed, locust=locust, baseline=mark)
        else:
            result = run(plan, directory, locust=locust, baseline=mark)
    show(result, as_json)
    raise SystemExit(result.verdict.exit_code)


@load.command()
@click.option("--processes", "counts", multiple=True, default=(1, 2), type=click.IntRange(1, 64))
@click.option("--p99", "limit_ms", default=100.0, show_default=True, help="Milliseconds that must hold.")
@click.option("--start", default=100.0, show_default=True, type=ABOVE_0, help="First rate, messages/s.")
@click.option("--seconds", default=6.0, show_default=True, type=ABOVE_0, help="Length of a step.")
@click.option("--hosts", default=3, show_default=True, type=click.IntRange(1), help="For the sizing note.")
@click.option("--directory", type=FOLDER, help="Default: var/load/capacity-TIME.")
@click.option("--json", "as_json", is_flag=True, help="Print steps and sizes as JSON.")
def capacity(
    counts: tuple[int, ...],
    limit_ms: float,
    start: float,
    seconds: float,
    hosts: int,
    directory: Path | None,
    as_json: bool,
) -> None:
    """Find the highest rate that the bundled gateway holds, on 1 and 2 processes, and size from it.

    Example: smslab load capacity --p99 50
    """
    stop_on_signals()
    directory = directory or Path("var/load") / f"capacity-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    steps: list[Step] = []
    for processes in counts:
        for step in measured(directory, processes, start=start, seconds=seconds, limit_ms=limit_ms):
            steps.append(step)
            p99 = "no answer" if step.p99 is None else f"p99 {step.p99 * 1000:.1f} ms"
            click.echo(f"{processes} x, {step.rate:g}/s: {p99}, {step.exit_code.name.lower()}", err=True)
    sizes = [size([step for step in steps if step.processes == n], limit_ms / 1000) for n in counts]
    said = note(sizes, hosts, os.cpu_count() or 1)
    write(directory, steps, sizes, said, limit_ms / 1000)
    click.echo((directory / "capacity.json").read_text() if as_json else "\n".join(said))
    raise SystemExit(Exit.FINE if all(sizing.held for sizing in sizes) else Exit.WRONG)


def plan_for(profile: Profile, target: Target, seed: int) -> Plan:
    """The plan for a provider of the user's own. Raises `ValueError` with one sentence."""
    if not target.may_be_stressed:
        raise ValueError("Load beyond loopback needs --i-own-this-target.")
    if not (target.owned or is_loopback(target.carrier.get("url", "http://localhost"))):
        raise ValueError("Faults for a carrier beyond loopback need --i-own-this-target.")
    if target.max_accepted is None and not is_loopback(target.send_url):
        raise ValueError("A provider that is not on this machine needs max_accepted: a budget of real SMS.")
    if target.rate is not None and profile.peak > target.rate:
        raise ValueError(f"The target takes {target.rate:g} requests per second: add --peak {target.rate:g}.")
    return Plan(
        target.send_url,
        target.key,
        profile,
        target.from_number,
        verify_url=target.verify_url,
        to_number=target.to_number,
        carrier_url=target.carrier.get("url"),
        seed=seed,
        budget=target.max_accepted,
    )


def show(result: Result, as_json: bool) -> None:
    """Print the verdict: for a program, or for a person."""
    verdict = result.verdict
    if as_json:
        click.echo(json.dumps(verdict.to_json()))
        return
    table = Table("check", "", "what was seen")
    for check in verdict.checks:
        word, colour = MARKS[check.passed]
        table.add_row(check.name, f"[{colour}]{word}[/]", check.sentence)
    console = Console()
    console.print(table)
    for reason in verdict.void:
        console.print(f"Void: {reason}")
    console.print(f"{verdict.sentence} The report: {result.directory / 'report.html'}", soft_wrap=True)


@load.command()
@click.option("--seconds", default=3.0, show_default=True, type=ABOVE_0, help="Length of each measurement.")
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1, 20), help="Medians are over these.")
@click.option("--sustained", default=30.0, show_default=True, type=ABOVE_0, help="Length of the run that delivers.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per figure.")
def bench(seconds: float, rounds: int, sustained: float, as_json: bool) -> None:
    """Measure the bundled gateway beside a bare Flask hello: ratios, which do not depend on the machine.

    Example: smslab load bench --rounds 5
    """
    with TemporaryDirectory(prefix="smslab-bench-") as folder:
        for figure in measure(Path(folder), seconds, rounds, sustained):
            click.echo(json.dumps({**figure._asdict(), "reached": figure.reached}) if as_json else line_of(figure))


def line_of(figure: Figure) -> str:
    """A figure for a person: the goal beside it, and whether it is reached."""
    goal = "" if figure.goal is None else f"{'at least' if figure.at_least else 'at most'} {figure.goal:g}"
    mark = {True: "reached", False: "NOT reached", None: ""}[figure.reached]
    return f"{figure.name:52} {figure.value:>10.2f}  {goal:14} {mark} {figure.note}".rstrip()
