"""`smslab contract`: the judge on the command line."""

import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import click

from contracts import baseline
from contracts import rules as all_rules
from contracts.exits import Exit
from contracts.provider import Provider
from contracts.reports.as_json import as_text
from contracts.reports.files import FILES
from contracts.reports.run import Run
from contracts.target import Target, load, target_options
from contracts.verdict import Verdict
from contracts.verify import run as verify_target

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.group()
def contract() -> None:
    """Judge a provider against the Yeastar contract.

    Example: smslab contract verify --send-url http://127.0.0.1:8080/api/v1/integration/yeastar/sms/sendmessage
    """


@contract.command()
@target_options
@click.option("--quick", is_flag=True, help="Leave out the generated requests.")
@click.option("--strict", is_flag=True, help="Fail for broken `should` rules too.")
@click.option("--require-all", is_flag=True, help="Exit 4 unless every published answer was reached.")
@click.option(
    "--examples", default=100, type=click.IntRange(0), show_default=True, help="Generated requests per operation."
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same requests.")
@click.option("--max-accepted", type=click.IntRange(0), help="Budget of real SMS. Default: the target's, else 25.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Requests per second at most.")
@click.option("--baseline", "accepted", type=_PATH, help="TOML file of accepted deviations.")
@click.option("--report", multiple=True, help=f"KIND=FILE (- is stdout): {', '.join(FILES)}.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def verify(
    target: Target,
    *,
    quick: bool,
    strict: bool,
    require_all: bool,
    examples: int,
    seed: int,
    max_accepted: int | None,
    rate: float | None,
    accepted: Path | None,
    report: tuple[str, ...],
    as_json: bool,
) -> None:
    """Send the provider every kind of request and judge every answer.

    Example: smslab contract verify --target lab.toml --strict --report junit=junit.xml
    """
    files = [_report_file(one) for one in report]
    waive = _baseline(accepted)
    provider = Provider(_limited(target, max_accepted, rate))
    verdict = Verdict(strict=strict, require_all=require_all)
    verify_target(provider, verdict, examples=0 if quick else examples, seed=seed)
    waive(verdict)
    run = Run.of(provider, verdict)
    for kind, file in files:
        with click.open_file(file, "w", encoding="utf-8") as stream:
            stream.write(FILES[kind](run))
    _tell(run, as_json=as_json)


@contract.command()
@target_options
@click.option("--strict", is_flag=True, help="Fail for broken `should` rules too.")
@click.option(
    "--examples", default=1000, type=click.IntRange(1), show_default=True, help="Generated requests per operation."
)
@click.option("--seed", default=1, show_default=True, help="Same seed, same requests.")
@click.option("--max-accepted", type=click.IntRange(0), help="Budget of real SMS. Default: the target's, else 25.")
@click.option("--rate", type=click.FloatRange(0, min_open=True), help="Requests per second at most.")
@click.option("--json", "as_json", is_flag=True, help="Print the whole result as JSON.")
def fuzz(
    target: Target,
    *,
    strict: bool,
    examples: int,
    seed: int,
    max_accepted: int | None,
    rate: float | None,
    as_json: bool,
) -> None:
    """Send only generated requests, many of them.

    Example: smslab contract fuzz --target lab.toml --examples 5000 --seed 7
    """
    provider, verdict = Provider(_limited(target, max_accepted, rate)), Verdict(strict=strict)
    verify_target(provider, verdict, examples=examples, seed=seed, written=False, provoking=False)
    _tell(Run.of(provider, verdict), as_json=as_json)


@contract.command()
@click.option("--json", "as_json", is_flag=True, help="Print the rules as JSON.")
def rules(*, as_json: bool) -> None:
    """List the rules that a provider is held to.

    Example: smslab contract rules --json
    """
    rows = [rule._asdict() | {"line": all_rules.line(rule.id)} for rule in all_rules.rules().values()]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("rule", "level", "source", "what it says", box=None, pad_edge=False)
    for row in rows:
        table.add_row(row["id"], row["level"], row["source"], row["says"])
    Console().print(table)


@contract.command()
@target_options
@click.argument("names", nargs=-1)
@click.option(
    "--examples",
    default=0,
    type=click.IntRange(0),
    show_default=True,
    help="Generated requests per operation and mutant.",
)
@click.option("--everything", is_flag=True, help="Provoke bursts and outages for every mutant.")
@click.option("--machine", type=_PATH, help="Summary of `make mutants` to print beside. Default: the kept one.")
@click.option("--json", "as_json", is_flag=True, help="Print the kill matrix as JSON.")
def mutants(
    target: Target,
    names: tuple[str, ...],
    *,
    examples: int,
    everything: bool,
    machine: Path | None,
    as_json: bool,
) -> None:
    """Put defects in front of a conforming provider and show which engine finds each, by its own rule.

    Example: smslab contract mutants --target lab.toml code_a_number sent_twice
    """
    from contracts.mutants import hunt, matrix
    from contracts.mutants import machine as made

    try:
        beside = made.load(machine or made.KEPT)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if unknown := set(names) - set(hunt.catalogue()):
        raise click.UsageError(f"There is no mutant {', '.join(sorted(unknown))}.")
    hunts = []
    for one in hunt.hunt(target, list(names), examples=examples, everything=everything):
        hunts.append(one)
        click.echo(f"{'killed  ' if one.is_killed else 'SURVIVED'} {one.mutant.breaks} {one.mutant.name}", err=True)
    if as_json:
        click.echo(json.dumps(matrix.as_object(hunts) | {"machine": beside}, indent=2))
    else:
        click.echo(f"{matrix.as_text(hunts)}\n{made.as_text(beside) if machine else made.headline(beside)}")
    sys.exit(Exit.FINE if all(one.is_killed for one in hunts) else Exit.WRONG)


@contract.command()
@click.option("--a", "one", type=_PATH, required=True, help="Target file of the first provider.")
@click.option("--b", "other", type=_PATH, required=True, help="Target file of the second provider.")
@click.option("--json", "as_json", is_flag=True, help="Print the differences as JSON.")
def diff(one: Path, other: Path, *, as_json: bool) -> None:
    """Send the same requests to two providers and show where they answer differently.

    Example: smslab contract diff --a old.toml --b new.toml
    """
    from contracts import diff as compare

    try:
        found = compare.run(*(load(path, os.environ) for path in (one, other)))
    except (ValueError, compare.CouldNotTestError) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Exit.USAGE if isinstance(error, ValueError) else Exit.COULD_NOT_TEST)
    click.echo(json.dumps(compare.as_object(found), indent=2) if as_json else compare.as_text(found))
    sys.exit(Exit.WRONG if found.differences else Exit.FINE)


def _limited(target: Target, max_accepted: int | None, rate: float | None) -> Target:
    """The target with the limits that the command line sets."""
    return replace(
        target,
        max_accepted=target.max_accepted if max_accepted is None else max_accepted,
        rate=target.rate if rate is None else rate,
    )


def _tell(run: Run, *, as_json: bool) -> NoReturn:
    """Print the report and end with the verdict's code."""
    if as_json:
        click.echo(as_text(run))
    else:
        from rich.console import Console  # late: it takes longer to import than many a command to run

        from contracts.reports import terminal

        terminal.show(run, Console())
    sys.exit(run.verdict.exit)


def _report_file(text: str) -> tuple[str, str]:
    kind, _, file = text.partition("=")
    if kind not in FILES or not file:
        raise click.UsageError(f"--report is KIND=FILE with a kind of {', '.join(FILES)}, not {text!r}.")
    return kind, file


def _baseline(path: Path | None) -> Callable[[Verdict], None]:
    """What applies the baseline to a verdict; without a file nothing is accepted."""
    try:
        entries = baseline.load(path) if path else []
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return lambda verdict: baseline.apply(entries, verdict, datetime.now(UTC).date())
