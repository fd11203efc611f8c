"""The group `smslab pbx`, with the two things a PBX does all day: verify and send."""

import secrets
import time
from pathlib import Path
from typing import Any

import click

from contracts.exits import Exit
from contracts.target import Target
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.call import open_client
from simulator.pbx.campaigns import campaign
from simulator.pbx.habits import Habits
from simulator.pbx.listening import listen
from simulator.pbx.outcome import Outcome
from simulator.pbx.pbx import Pbx, Stranger, Verification
from simulator.pbx.provider import AS_JSON, LEDGER, open_ledger, provider_options, say
from simulator.pbx.replays import record, replay
from simulator.pbx.scenarios import run, worst
from simulator.pbx.traffic import traffic
from simulator.pbx.watching import expect, snippet, wait


@click.group()
def pbx() -> None:
    """Play a Yeastar PBX against a provider.

    Example: smslab pbx send "Hello from Yeastar" --send-url http://127.0.0.1:8080/api/v1/...
    """


@pbx.command()
@provider_options
@click.option("--challenge", help="The challenge to send. Default: a fresh one.")
@click.option("--no-challenge", is_flag=True, help="Verify as the provider's page shows it, without a challenge.")
@click.option("--times", type=click.IntRange(1), default=1, show_default=True, help="How often, at the PBX's interval.")
@click.option("--every", type=click.FloatRange(0), help="Seconds between. Default: the channel's habit.")
@AS_JSON
def verify(
    *,
    target: Target,
    habits: Habits,
    challenge: str | None,
    no_challenge: bool,
    times: int,
    every: float | None,
    as_json: bool,
) -> None:
    """Verify the channel's API key, as the PBX does when a channel is saved and from then on.

    Example: smslab pbx verify --channel channel.toml --times 10 --every 60
    """
    verdicts: list[Exit] = []
    with PbxLedger(":memory:") as ledger, open_client() as client:
        player = Pbx(target, ledger, client, habits=habits)
        for turn in range(times):
            time.sleep((habits.verify_every if every is None else every) if turn else 0.0)
            wanted = None if no_challenge or not habits.verify_challenge else challenge or secrets.token_hex(8)
            result = player.verify(wanted)
            say(_verified(result), as_json=as_json)
            verdicts.append(_verification_exit(result))
    raise SystemExit(worst(verdicts))


@pbx.command()
@provider_options
@click.argument("text")
@click.option("--media-url", "media_urls", multiple=True, help="A link to a file; may be given again.")
@click.option("--run", "run_name", default="manual", show_default=True, help="Its run; ROOM/NAME for a room.")
@LEDGER
@AS_JSON
def send(
    *,
    target: Target,
    habits: Habits,
    text: str,
    media_urls: tuple[str, ...],
    run_name: str,
    ledger: Path,
    as_json: bool,
) -> None:
    """Send one message and show what the PBX records of it (event 30032).

    Example: smslab pbx send "Hello from Yeastar" --to +639171234567 --channel channel.toml
    """
    try:
        with open_ledger(ledger) as book, open_client() as client:
            player = Pbx(target, book, client, habits=habits, run=run_name)
            result = player.send(target.to_number, text, media_urls=media_urls)
    except Stranger as stranger:
        raise click.UsageError(str(stranger)) from stranger
    say(result.as_event(), as_json=as_json)
    raise SystemExit(send_exit(result))


def send_exit(result: Outcome) -> Exit:
    """0 sent, 1 refused or answered wrongly, 3 nothing is known: no answer, wrong key, throttled, down."""
    if result.findings and result.status == 200:
        return Exit.WRONG
    if result.sent:
        return Exit.FINE
    if result.status is None or result.status in {401, 429} or result.code == "10007":
        return Exit.COULD_NOT_TEST
    return Exit.WRONG


def _verification_exit(result: Verification) -> Exit:
    if result.verified:
        return Exit.WRONG if result.findings else Exit.FINE
    return Exit.COULD_NOT_TEST if result.status in {None, 401, 429} else Exit.WRONG


def _verified(result: Verification) -> dict[str, Any]:
    return {
        "verified": result.verified,
        "requirement": result.requirement or None,
        "status": result.status,
        "seconds": round(result.seconds, 6),
        "findings": [finding._asdict() for finding in result.findings],
    }


for command in (run, traffic, campaign, wait, expect, record, replay, snippet, listen):
    pbx.add_command(command)
