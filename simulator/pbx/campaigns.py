"""`smslab pbx campaign`: run, resume or retry a campaign from a file of contacts."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from contracts.exits import Exit
from contracts.target import Target, is_loopback
from simulator.pbx.campaign import Campaign
from simulator.pbx.contacts import fill, read_contacts
from simulator.pbx.habits import Habits
from simulator.pbx.provider import AS_JSON, LEDGER, RECEIVERS, open_ledger, provider_options, say, something_left
from simulator.pbx.traffic import budget


@click.command()
@provider_options
@click.argument("contacts", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("text")
@click.option("--name", help="Name of the campaign. Default: the contacts file's.")
@click.option("--run", "run_name", help="Name of the run in the ledger, kept when resuming. Default: campaign NAME.")
@click.option("--rate", type=click.FloatRange(0.01, 10_000), help="Messages per second. Default: the channel's, or 10.")
@click.option("--at", type=click.DateTime(), help="Start then instead of now.")
@click.option("--retry", is_flag=True, help="Send again to those who were definitely refused.")
@click.option("--dry-run", is_flag=True, help="Check everything and send nothing: the campaign stays a draft.")
@RECEIVERS
@LEDGER
@AS_JSON
def campaign(*, target: Target, habits: Habits, ledger: Path, as_json: bool, **o: Any) -> None:  # noqa: ANN401 - click's own values
    """Send TEXT to everybody in CONTACTS (CSV or JSON); run it again to resume where it stopped.

    Example: smslab pbx campaign contacts.csv "Dear {name}, we open at 9" --rate 20 --channel channel.toml
    """
    plan = _campaign(target, ledger, o)
    report: dict[str, Any] = {"name": plan.name, "state": plan.state, "contacts": len(plan.contacts)}
    if o["dry_run"]:
        say(report, as_json=as_json)
        return
    allowed = budget(target)
    plan.wait_until(o["at"].timestamp() if o["at"] else 0.0, lambda: time.time() + habits.clock_offset)
    screen = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with open_ledger(ledger) as book, Progress(*columns, console=screen, disable=not screen.is_terminal) as bar:
        task = bar.add_task(plan.name, total=len(plan.remaining(book, retry=o["retry"])))
        tally = plan.execute(
            target,
            book,
            o["rate"] or target.rate or 10.0,
            retry=o["retry"],
            budget=allowed,
            habits=habits,
            on_result=lambda _: bar.advance(task),
        )
        left = len(plan.remaining(book, retry=False)) - tally.guarded
    something_left(tally)
    say({**report, "state": plan.state, "left": left, **tally.report()}, as_json=as_json)
    if tally.findings:
        raise SystemExit(Exit.WRONG)
    raise SystemExit(Exit.FINE if plan.state == "completed" else Exit.COULD_NOT_TEST)


def _campaign(target: Target, ledger: Path, o: Mapping[str, Any]) -> Campaign:
    name = o["name"] or o["contacts"].stem
    if not re.fullmatch(r"[\w. -]{1,127}", name):
        raise click.UsageError("A campaign's name has up to 127 letters, digits, blanks, dots and dashes.")
    try:
        people = read_contacts(o["contacts"])
        for person in people:
            fill(o["text"], person.fields)
        path = ledger.parent / f"{name}.campaign.json"
        plan = Campaign(name, target.from_number, o["text"], people, path, run=o["run_name"] or "")
        plan.recall()
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    strangers = {person.number for person in people} - {target.to_number, *o["receivers"]}
    if strangers and not is_loopback(target.send_url):
        raise click.UsageError(f"{min(strangers)} has not agreed to receive tests (--receiver); nothing was sent.")
    return plan
