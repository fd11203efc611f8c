"""`smslab pbx record` and `replay`: a bad day as a file, and the same day again somewhere else."""

import json
from collections import Counter
from pathlib import Path

import click

from contracts.exits import Exit
from contracts.target import Target, is_loopback
from simulator.pbx.engine import Engine, Result
from simulator.pbx.habits import Habits
from simulator.pbx.live import play
from simulator.pbx.provider import AS_JSON, LEDGER, RECEIVERS, open_ledger, provider_options, something_left
from simulator.pbx.recording import from_ledger, read, replayed, write
from simulator.pbx.tally import Tally
from simulator.pbx.traffic import budget

SHOWN = 20


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--run", "run_name", help="Only this run of the ledger.")
@click.option(
    "--attempt", "attempts", type=int, multiple=True, help="Only the attempt of this number; may be repeated."
)
@click.option("--ledger", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=Path("pbx.sqlite"))
def record(*, file: Path, run_name: str | None, attempts: tuple[int, ...], ledger: Path) -> None:
    """Write what went over the wire to FILE, without keys; the name's ending says how.

    .har for other tools, .jsonl for programs, .yaml for a scenario that expects the same again.

    Example: smslab pbx record monday.har --run traffic-7
    """
    with open_ledger(ledger) as book:
        wanted = (one for one in book.attempts(run_name) if not attempts or one.number in attempts)
        written = write(file, from_ledger(wanted))
    click.echo(f"{written} messages recorded in {file.name}.")
    raise SystemExit(Exit.FINE if written else Exit.COULD_NOT_TEST)


@click.command()
@provider_options
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--speed", type=click.FloatRange(0), default=1.0, show_default=True, help="Times the pace; 0 all at once."
)
@click.option("--run", "run_name", help="Name of the run in the ledger. Default: replay-FILE.")
@RECEIVERS
@LEDGER
@AS_JSON
def replay(
    *,
    target: Target,
    habits: Habits,
    file: Path,
    speed: float,
    run_name: str | None,
    receivers: tuple[str, ...],
    ledger: Path,
    as_json: bool,
) -> None:
    """Send a recording (HAR or JSON lines) again, byte for byte, and compare the outcomes. Exit 1 if any differ.

    Example: smslab pbx replay monday.har --speed 10 --channel staging.toml
    """
    try:
        entries = read(file)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    planned = list(replayed(entries, speed))
    strangers = {shot.to for shot in planned} - {target.to_number, *receivers}
    if strangers and not is_loopback(target.send_url):
        raise click.UsageError(f"{min(strangers)} has not agreed to receive tests (--receiver); nothing was sent.")
    changes: list[tuple[int, str, str]] = []

    def compare(result: Result) -> None:
        before = entries[result.shot.number].result
        after = result.outcome.code or (str(result.outcome.status) if result.outcome.status else "silence")
        if before != after:
            changes.append((result.shot.number, before, after))

    with open_ledger(ledger) as book:
        name = run_name or f"replay-{file.stem}"
        engine = Engine(target, book, name, budget=budget(target), habits=habits, on_result=compare)
        tally = play(engine, planned)
    something_left(tally)
    _say(tally, sorted(changes), as_json=as_json)
    raise SystemExit(Exit.COULD_NOT_TEST if not tally.answered else Exit.WRONG if changes else Exit.FINE)


def _say(tally: Tally, changes: list[tuple[int, str, str]], *, as_json: bool) -> None:
    sent = tally.finished
    kinds = Counter(f"{before} -> {after}" for _, before, after in changes)
    if as_json:
        report = {"sent": sent, "guarded": tally.guarded, "same": sent - len(changes)}
        click.echo(json.dumps({**report, "changed": kinds, "changes": changes}))
        return
    click.echo(f"{sent} sent, {sent - len(changes)} with the same outcome.")
    for kind, number in kinds.most_common():
        click.echo(f"{number:>8}  {kind}")
    for number, before, after in changes[:SHOWN]:
        click.echo(f"  message {number + 1}: {before} -> {after}")
