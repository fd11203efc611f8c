"""`smslab carrier`: the commands. What `serve` does is in `process.py`, so that the others start quickly."""

import sqlite3
from typing import Any

import click

from simulator.carrier.controls import fault, messages, reset


@click.group()
def carrier() -> None:
    """Run the fake carrier, break it on purpose, look at what it took.

    Example: smslab carrier fault add refuse status=503 retry_after=2 --ttl 30
    """


@carrier.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8090, show_default=True, help="Port to bind; 0 takes a free one.")
@click.option("--ledger", default="carrier.sqlite", show_default=True, type=click.Path(dir_okay=False))
@click.option("--receipts-url", help="Where delivery receipts go; none are sent without it.")
@click.option("--receipt-profile", default="delivered", show_default=True, help="A name, or a YAML file.")
@click.option("--dedup-window", default=86_400.0, show_default=True, help="Seconds a key is remembered.")
@click.option("--schedule", type=click.File(), help="A YAML file of fault phases, begun at once.")
@click.option("--seed", type=int, help="Seed of everything drawn; printed when not given.")
def serve(**options: Any) -> None:  # noqa: ANN401 - click's options; `Options` types them
    """Serve the fake carrier until Ctrl-C or SIGTERM.

    Receipts are signed with the secret in SMSLAB_RECEIPT_SECRET.

    Example: smslab carrier serve --port 8090 --ledger carrier.sqlite
    """
    from simulator.carrier.process import Options, run

    try:
        run(Options(**options))
    except sqlite3.DatabaseError as error:
        raise click.UsageError(f"The ledger {options['ledger']} cannot be used: {error}.") from error


carrier.add_command(fault)
carrier.add_command(messages)
carrier.add_command(reset)
