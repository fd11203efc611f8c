"""`smslab pbx wait`, `expect` and `snippet`: look at what became of messages, in both sides' ledgers.

They send nothing. What a state is, and what counts, is decided in `simulator.ledger.watch`.
"""

import json
import os
import sqlite3
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Any

import click

from contracts import target as targets
from contracts.exits import Exit
from simulator.carrier.controls import ask, printable
from simulator.carrier.fault import SMPP
from simulator.ledger.accounts import messages
from simulator.ledger.watch import DUPLICATES, STATES, Message, Wanted, arrived, selected, totals, unmet
from simulator.pbx.provider import AS_JSON, LEDGER, open_ledger
from simulator.pbx.snippets import FORMS, faults_at
from simulator.pbx.snippets import snippet as written
from simulator.pbx.world import until

EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)
CARRIER_URL = "http://127.0.0.1:8090"
ANSWERS = {"tried", "accepted", "refused", "indeterminate"}  # states that the PBX's ledger knows by itself
STATE = click.option(
    "--state", type=click.Choice([*STATES, *SMPP]), default="delivered", show_default=True, help="Or a receipt's word."
)
CARRIER = (
    click.option("--carrier-ledger", type=EXISTING, help="What the carrier took, from its file ..."),
    click.option("--target", type=EXISTING, help="... or from the carrier that this target file names ..."),
    click.option("--carrier-url", envvar="SMSLAB_CARRIER_URL", help=f"... or from its URL [default: {CARRIER_URL}]."),
)
CHOICE = (
    click.option("--to", help="Messages to this number,"),
    click.option("--run", help="of this run,"),
    click.option("--text", help="with this in their text,"),
    click.option("--after", default=0, show_default=True, help="after this number of the PBX's ledger."),
)
Look = Callable[[], Sequence[Message]]


def watched(command: Callable[..., object]) -> Callable[..., object]:
    """Options that name both ledgers and choose messages; the command gets `look()`, which reads them again."""

    @wraps(command)
    def with_look(
        *,
        ledger: Path,
        to: str | None,
        run: str | None,
        text: str | None,
        after: int,
        **options: Any,  # noqa: ANN401 - click's own values
    ) -> object:
        place = _carrier(**{name: options.pop(name) for name in ("carrier_ledger", "target", "carrier_url")})
        needed = options["state"] not in ANSWERS or options.get("dup") is not None
        carrier = place or (CARRIER_URL if needed else None)
        wanted = Wanted(to, run, text, after)
        return command(look=lambda: selected(_read(ledger, carrier), wanted), **options)

    for option in reversed((*CHOICE, STATE, LEDGER, *CARRIER)):
        with_look = option(with_look)
    return with_look


@click.command()
@watched
@click.option("--timeout", type=click.FloatRange(0), default=10.0, show_default=True, help="Seconds.")
@AS_JSON
def wait(*, look: Look, state: str, timeout: float, as_json: bool) -> None:
    """Wait until the newest message to a number is in a state; exit 1 if it is not in time, 3 if there is none.

    Example: smslab pbx wait --to +639171234567 --state delivered --timeout 5 --json
    """
    found: Sequence[Message] = ()
    for _ in until(Event(), timeout):
        found = look()
        if arrived(found, state):
            break
    if not found:
        click.echo(f"No such message was tried within {timeout:g} s.", err=True)
        raise SystemExit(Exit.COULD_NOT_TEST)
    newest = found[-1]
    click.echo(json.dumps(newest.as_document(), ensure_ascii=False) if as_json else _line(newest))
    if state in newest.states:
        return
    click.echo(f"Attempt {newest.attempt.number} is not {state} after {timeout:g} s.", err=True)
    raise SystemExit(Exit.COULD_NOT_TEST if "indeterminate" in newest.states else Exit.WRONG)


@click.command()
@watched
@click.option("--count", type=click.IntRange(0), help="So many messages are in the state.")
@click.option("--dup", type=click.IntRange(0), help="So many deliveries are one too many.")
@click.option("--timeout", type=click.FloatRange(0), default=5.0, show_default=True, help="Seconds it may take.")
@click.option("--settle", type=click.FloatRange(0), default=0.0, show_default=True, help="Seconds it must stay so.")
@AS_JSON
def expect(
    *, look: Look, state: str, count: int | None, dup: int | None, timeout: float, settle: float, as_json: bool
) -> None:
    """Expect so many messages in a state, and so many duplicates; exit 1 if it is otherwise, 3 if nothing was tried.

    Example: smslab pbx expect --count 10 --dup 0 --run traffic-7
    """
    expected = {name: number for name, number in ((state, count), (DUPLICATES, dup)) if number is not None}
    if not expected:
        raise click.UsageError("Say what to expect: --count, --dup, or both.")
    found: Sequence[Message] = ()
    since = None
    for _ in until(Event(), timeout + settle):
        found = look()
        since = None if unmet(totals(found), expected) else since or monotonic()
        if since and monotonic() - since >= settle:
            break
    counts = totals(found)
    complaints = unmet(counts, expected)
    odd = [one for one in found if state not in one.states or "duplicated" in one.states]
    if as_json:
        report = {"met": not complaints, "unmet": complaints, "totals": counts}
        click.echo(json.dumps({**report, "odd": [one.as_document() for one in odd]}, ensure_ascii=False))
    else:
        click.echo(", ".join(f"{name} {number}" for name, number in counts.items()))
    if complaints:
        click.echo(f"Not as expected after {timeout:g} s: {'; '.join(complaints)}.", err=True)
        raise SystemExit(Exit.WRONG if found else Exit.COULD_NOT_TEST)


@click.command()
@click.argument("number", type=int)
@click.option("--as", "form", type=click.Choice(list(FORMS)), default="curl", show_default=True, help="For which tool.")
@LEDGER
@click.option("--carrier-url", help="Its faults of that moment stand in the snippet, as comments.")
@click.option("--target", type=EXISTING, help="The same, from the carrier that this target file names.")
def snippet(*, number: int, form: str, ledger: Path, carrier_url: str | None, target: Path | None) -> None:
    """Save attempt NUMBER of the PBX's ledger as a test: the same bytes, the same answer expected, no key.

    Example: smslab pbx snippet 12 --as pytest --target lab.toml > test_attempt_12.py
    """
    with open_ledger(ledger) as book:
        attempt = next(iter(book.attempts(after=number - 1)), None)
    if attempt is None or attempt.number != number:
        raise click.UsageError(f"There is no attempt {number} in {ledger.name}.")
    url = _carrier(None, target, carrier_url)
    faults = faults_at(ask(str(url), "GET", "/faults"), attempt.started_at) if url else ()
    try:
        click.echo(written(attempt, form, faults), nl=False)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _carrier(carrier_ledger: Path | None, target: Path | None, carrier_url: str | None) -> Path | str | None:
    """Where the carrier's account is, if anybody said so; UsageError for a target file that does not."""
    if carrier_ledger or target is None:
        return carrier_ledger or carrier_url
    try:
        named = targets.load(target, os.environ).carrier.get("url")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if not named:
        raise click.UsageError(f"{target.name} names no carrier: it needs [carrier] url.")
    return named


def _read(ledger: Path, carrier: Path | str | None) -> Sequence[Message]:
    try:
        return messages(ledger, carrier)
    except sqlite3.Error as error:
        raise click.UsageError(f"A ledger cannot be read: {error}.") from error


def _line(message: Message) -> str:
    one = message.attempt
    states = ", ".join(sorted(message.states))
    return printable(f"#{one.number} {one.order_id or one.code or '-'} to {one.to}: {states}: {one.text}")
