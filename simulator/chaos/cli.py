"""`smslab chaos`: how often the promise is tried, and where the report goes; what is done stands in `deeds.py`."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from random import SystemRandom
from tempfile import mkdtemp
from typing import Any

import click

from contracts.exits import Exit
from simulator.chaos.outages import STORES
from simulator.chaos.portions import Journal
from simulator.chaos.release import RELEASE, Size, document, expected, out_of_reach, portions, said
from simulator.chaos.report import Report, as_text
from simulator.chaos.rounds import Trial, run
from simulator.lab import LabFault


@click.command()
@click.option("--rounds", type=click.IntRange(1), help="One of each kind when not given.")
@click.option("--seed", type=int, help="Seed of the deeds and their instants; printed when not given.")
@click.option("--database", type=click.Choice(list(STORES)), default="sqlite", show_default=True, help="The store.")
@click.option("--orders", type=click.IntRange(0), default=0, help="Go on until so many are accepted.")
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="PBXs that send at once.")
@click.option("--faults/--no-faults", default=True, show_default=True, help="Let the carrier misbehave throughout.")
@click.option("--release", is_flag=True, help="What is tried before a release, in portions, and one report.")
@click.option("--jobs", type=click.IntRange(1), default=lambda: len(os.sched_getaffinity(0)),
              show_default="one a core", help="Portions of a release at once.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0), default=90.0, show_default=True, help="Then it begins no more.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), default="var/chaos", show_default=True,
              help="Where a release keeps its results, to go on with.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
@click.pass_context
def chaos(
    context: click.Context, *, rounds: int | None, seed: int | None, database: str, orders: int, threads: int,
    faults: bool, release: bool, jobs: int, minutes: float, keep: Path, as_json: bool,
) -> None:  # fmt: skip
    """Kill, stop and crash a lab of our own under load, then balance the ledgers. Exit 1 if the promise broke.

    Ctrl-C ends the rounds early; what was done until then is balanced and reported. A release that was ended goes on
    when it is called again; exit 4 as long as a part of it is missing.

    Example: smslab chaos --rounds 55 --seed 7
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    if release:
        found = before_release(keep, seed or 0, jobs, minutes * 60, lambda line: click.echo(line, err=True))
        click.echo(json.dumps(found) if as_json else said(found))
        verdict = Exit.FINE if found["complete"] else Exit.NOT_ALL_REACHED
        context.exit(verdict if found["true"] else Exit.WRONG)
    chosen = SystemRandom().getrandbits(32) if seed is None else seed
    report = once(context, Trial(rounds or len(STORES[database]), chosen, database, orders, threads, faults))
    click.echo(json.dumps(report.document()) if as_json else as_text(report))
    context.exit(Exit.FINE if report.is_true else Exit.WRONG)


def once(context: click.Context, trial: Trial) -> Report:
    """One run in a directory of its own, which is kept when something is wrong."""
    tell = (lambda line: click.echo(line, err=True)) if sys.stderr.isatty() else (lambda _line: None)
    directory = Path(mkdtemp(prefix="smslab-chaos-"))
    try:
        report = run(directory, trial, tell)
    except LabFault as fault:
        click.echo(f"Error: {fault}. The logs are in {directory}.", err=True)
        context.exit(Exit.COULD_NOT_TEST)
    if report.is_true:
        shutil.rmtree(directory)
    else:
        click.echo(f"Ledgers, database and logs are kept in {directory}.", err=True)
    return report


def before_release(
    keep: Path, seed: int, jobs: int, seconds: float, tell: Callable[[str], None], size: Size = RELEASE
) -> dict[str, Any]:
    """Try what is missing of a release within about `seconds`, and report everything that `keep` holds."""
    keep.mkdir(parents=True, exist_ok=True)
    planned, lacking, journal = portions(size, seed), out_of_reach(size), Journal(keep / "portions.jsonl")
    minutes = min(expected(size, jobs), seconds) / 60
    tell(f"{len(planned)} portions, {jobs} at once: about {minutes:.0f} minutes. Ctrl-C ends it early; results: {keep}")
    journal.work([portion for portion in planned if portion.name.split()[0] not in lacking], jobs, seconds, tell)
    found = document(journal, planned, lacking)
    (keep / "report.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    (keep / "report.txt").write_text(said(found), encoding="utf-8")
    return found
