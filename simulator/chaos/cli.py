"""`smslab chaos`: how often the promise is tried, and where the report goes; what is done stands in `deeds.py`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import SystemRandom
from tempfile import mkdtemp

import click

from contracts.exits import Exit
from simulator.chaos.rounds import as_text, run
from simulator.lab import LabFault

RELEASE_ROUNDS = 1000
RELEASE_SEEDS = 200_000
SIMULATION = Path(__file__).parents[2] / "tests" / "simulation"


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=11, show_default=True, help="11 is one of each kind.")
@click.option("--seed", type=int, help="Seed of the deeds and their instants; printed when not given.")
@click.option("--threads", type=click.IntRange(1, 64), default=8, show_default=True, help="PBXs that send at once.")
@click.option("--faults/--no-faults", default=True, show_default=True, help="Let the carrier misbehave throughout.")
@click.option("--release", is_flag=True, help=f"{RELEASE_ROUNDS} rounds, and {RELEASE_SEEDS} simulated worlds.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
@click.pass_context
def chaos(
    context: click.Context, *, rounds: int, seed: int | None, threads: int, faults: bool, release: bool, as_json: bool
) -> None:
    """Kill, stop and crash a lab of our own under load, then balance the ledgers. Exit 1 if the promise broke.

    Example: smslab chaos --rounds 55 --seed 7
    """
    chosen = SystemRandom().getrandbits(32) if seed is None else seed
    tell = (lambda line: click.echo(line, err=True)) if sys.stderr.isatty() or release else (lambda _line: None)
    with _directory() as directory:
        try:
            report = run(
                directory, RELEASE_ROUNDS if release else rounds, chosen, threads=threads, faults=faults, tell=tell
            )
        except LabFault as fault:
            click.echo(f"Error: {fault}. The logs are in {directory}.", err=True)
            context.exit(Exit.COULD_NOT_TEST)
        if report.is_true:
            shutil.rmtree(directory)
        else:
            click.echo(f"Ledgers, database and logs are kept in {directory}.", err=True)
    click.echo(json.dumps(report.document()) if as_json else as_text(report))
    worlds = _simulate() if release else True
    context.exit(Exit.FINE if report.is_true and worlds else Exit.WRONG)


@contextmanager
def _directory() -> Iterator[Path]:
    yield Path(mkdtemp(prefix="smslab-chaos-"))


def _simulate() -> bool:
    """The worlds of a release, in a process of their own; they belong to the tests of a checkout."""
    if not SIMULATION.is_dir():
        click.echo("The simulated worlds were not run: they are in a checkout of the project only.", err=True)
        return True
    command = [sys.executable, "-m", "tests.simulation", "--seeds", str(RELEASE_SEEDS)]
    return subprocess.run(command, cwd=SIMULATION.parents[1], check=False).returncode == 0
