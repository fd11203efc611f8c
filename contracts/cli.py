"""`smslab contract`: the judge on the command line."""

import sys
from dataclasses import replace

import click
from rich.console import Console

from contracts.provider import Provider
from contracts.reports import terminal
from contracts.reports.as_json import as_text
from contracts.reports.run import Run
from contracts.target import Target, target_options
from contracts.verdict import Verdict
from contracts.verify import run as verify_target


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
@click.option("--examples", default=100, show_default=True, help="Generated requests per operation.")
@click.option("--seed", default=1, show_default=True, help="Same seed, same requests.")
@click.option("--max-accepted", type=int, help="Budget of real SMS. Default: the target's, else 25.")
@click.option("--rate", type=float, help="Requests per second at most.")
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
    as_json: bool,
) -> None:
    """Send the provider every kind of request and judge every answer.

    Example: smslab contract verify --target lab.toml --strict
    """
    target = replace(
        target,
        max_accepted=target.max_accepted if max_accepted is None else max_accepted,
        rate=target.rate if rate is None else rate,
    )
    provider = Provider(target)
    verdict = verify_target(
        provider,
        Verdict(strict=strict, require_all=require_all),
        examples=0 if quick else examples,
        seed=seed,
    )
    run = Run(
        verdict, provider.exchanges, target.name or target.send_url, provider.spent, provider.budget, provider.keys
    )
    if as_json:
        click.echo(as_text(run))
    else:
        terminal.show(run, Console())
    sys.exit(verdict.exit)
