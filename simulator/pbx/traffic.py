"""`smslab pbx traffic`: many PBXs at once, an open model of arrivals, the same bytes for the same seed."""

import functools
import json
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from contracts.exits import Exit
from contracts.target import Target, is_loopback
from simulator.pbx.engine import Engine
from simulator.pbx.habits import Habits
from simulator.pbx.live import play
from simulator.pbx.pacing import PROFILES, expected, phase_at
from simulator.pbx.personas import PERSONAS, mix, verifies
from simulator.pbx.plan import Plan, fingerprint, shots
from simulator.pbx.provider import AS_JSON, LEDGER, open_ledger, provider_options, say, something_left
from simulator.pbx.samples import Samples
from simulator.pbx.sessions import staff
from simulator.pbx.tally import Tally

BUDGET = 10  # messages that a provider beyond loopback may accept when its target file does not say


def _list(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    for name in PROFILES:
        click.echo(f"profile  {name}")
    for name, persona in PERSONAS.items():
        click.echo(f"persona  {name:<15} {persona.about}")
    context.exit(0)


@click.command()
@provider_options
@click.option("--profile", type=click.Choice(list(PROFILES)), default="steady", show_default=True)
@click.option("--rate", type=click.FloatRange(0.01, 100_000), default=10.0, show_default=True, help="Peak, per second.")
@click.option("--duration", type=click.FloatRange(0.1, 604_800), default=10.0, show_default=True, help="Seconds.")
@click.option("--seed", type=int, help="The same seed sends the same bytes. Default: a fresh one, printed.")
@click.option("--pbxs", type=click.IntRange(1, 10_000), default=1, show_default=True, help="PBXs that share the rate.")
@click.option("--keys", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSONL: a PBX per line.")
@click.option("--mix", "weights", default="office", show_default=True, help="Personas by weight: office=8,curly=1.")
@click.option("--abroad", type=click.FloatRange(0, 1), default=0.2, show_default=True, help="Share of foreign numbers.")
@click.option("--even", is_flag=True, help="Evenly spaced instead of random arrivals.")
@click.option("--agents", type=click.IntRange(0, 20_000), default=0, help="Agents who type, instead of arrivals.")
@click.option("--queues", type=click.IntRange(1), help="Message queues per PBX. Default: as few as hold the agents.")
@click.option("--haste", type=click.FloatRange(0.1, 1000), default=1.0, show_default=True, help="Agents' speed.")
@click.option("--run", "run_name", help="Name of the run in the ledger. Default: traffic-SEED.")
@click.option("--samples", type=click.File("w", lazy=False), help="A line a second: JSON, or SIPp's CSV (.csv).")
@click.option("--dry-run", is_flag=True, help="Send nothing; print how much it would be and its fingerprint.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list, help="Profiles and personas.")
@LEDGER
@AS_JSON
def traffic(*, target: Target, habits: Habits, run_name: str | None, dry_run: bool, as_json: bool, **o: Any) -> None:  # noqa: ANN401 - click's own values
    """Send like many PBXs on a working day. Keys while it runs: + - * / pace, q stop.

    Example: smslab pbx traffic --profile office-day --rate 20 --duration 60 --seed 7 --channel channel.toml
    """
    seed = secrets.randbelow(1_000_000) if o["seed"] is None else o["seed"]
    lines = _lines(o["keys"]) if o["keys"] else [{}] * o["pbxs"]
    plan = _plan(target, seed, lines, o)
    asked = {"seed": seed, "expected": round(expected(plan.profile, plan.rate, plan.duration), 1)}
    if dry_run:
        say(asked | {"requests": sum(1 for _ in shots(plan)), "fingerprint": fingerprint(plan)}, as_json=as_json)
        return
    with open_ledger(o["ledger"]) as ledger:
        name = run_name or f"traffic-{seed}"
        keys = [(line.get("key", target.key), *filter(None, [line.get("next_key")])) for line in lines]
        phase = functools.partial(phase_at, plan.profile, plan.duration) if len(PROFILES[plan.profile]) > 1 else None
        engine = Engine(target, ledger, name, keys=keys, budget=budget(target), habits=habits, seed=seed, phase=phase)
        samples = Samples(plan, o["samples"], time.time()).write if o["samples"] else None
        tally = play(engine, shots(plan), sample=samples)
    something_left(tally)
    say(tally.report(run=name, **asked), as_json=as_json)
    raise SystemExit(verdict(tally))


def budget(target: Target) -> int | None:
    """The allowance of a run that is load; UsageError if the target may have none."""
    if not target.may_be_stressed:
        raise click.UsageError("Load beyond loopback needs --i-own-this-target.")
    return allowance(target)


def allowance(target: Target) -> int | None:
    """How many messages may be accepted: what the target says, else any number on loopback and few elsewhere."""
    if target.max_accepted is None and not is_loopback(target.send_url):
        return BUDGET
    return target.max_accepted


def verdict(tally: Tally) -> Exit:
    """1 if an answer broke the contract, 3 if nothing but silence came, else 0."""
    if tally.findings:
        return Exit.WRONG
    return Exit.FINE if tally.answered or not tally.finished else Exit.COULD_NOT_TEST


def _plan(target: Target, seed: int, lines: Sequence[dict[str, Any]], o: dict[str, Any]) -> Plan:
    far = not is_loopback(target.send_url)
    if far and target.rate and o["rate"] > target.rate:
        raise click.UsageError(f"The target allows {target.rate:g} requests per second.")
    try:
        weights = mix(o["weights"])
        if o["agents"]:
            staff(o["agents"], len(lines), o["queues"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if verifies(weights) and not target.verify_url:
        raise click.UsageError("This mix verifies, so it needs --verify-url.")
    return Plan(
        profile=o["profile"],
        rate=o["rate"],
        duration=o["duration"],
        seed=seed,
        numbers=tuple(line.get("from", target.from_number) for line in lines),
        shares=tuple(float(line.get("rate", 1)) for line in lines),
        weights=weights,
        abroad=o["abroad"],
        all_to=target.to_number if far else None,
        even=o["even"],
        agents=o["agents"],
        queues=o["queues"],
        haste=o["haste"],
    )


def _lines(path: Path) -> list[dict[str, Any]]:
    """`{"key": ..., "from": ..., "rate": ..., "next_key": ...}`, one PBX per line; a mistake names its line."""
    lines = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            lines.append(dict(json.loads(text)))
            float(lines[-1].get("rate", 1))
        except (ValueError, TypeError) as error:
            raise click.UsageError(f"{path.name}, line {number}: not a JSON object with key, from and rate.") from error
    if not lines:
        raise click.UsageError(f"{path.name} names no PBX.")
    return lines
