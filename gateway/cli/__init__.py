"""`smslab gateway`: serve and deliver; who may send is in `parties`, what became of it in `orders`."""

import dataclasses
import re
from functools import partial

import click

from gateway.cli.orders import orders
from gateway.cli.parties import integration, key
from gateway.cli.session import database, sentences, settings
from gateway.settings import Settings, variable


@click.group()
def gateway() -> None:
    """The provider side: accept messages from PBXs and take them to the carrier."""


@gateway.command()
def init() -> None:
    """Create or upgrade the database.

    Example: SMSLAB_DATABASE_URL=sqlite:///lab.sqlite smslab gateway init
    """
    with database():
        click.echo("The database is ready.")


@gateway.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535))
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes.")
@click.option("--deliver/--no-deliver", default=True, show_default=True, help="Submit to the carrier from here too.")
@click.option("--unsafe-durability", is_flag=True, help="As SMSLAB_UNSAFE_DURABILITY=1: a power cut may lose orders.")
@click.option("--check-config", is_flag=True, help="Print every setting and stop.")
@click.option(
    "--hello", is_flag=True, help="Serve a bare Flask hello instead, for `smslab load bench` to compare with."
)
def serve(
    host: str, port: int, workers: int, deliver: bool, unsafe_durability: bool, check_config: bool, hello: bool
) -> None:
    """Serve the two endpoints until Ctrl-C.

    Example: smslab gateway serve --port 8080
    """
    chosen = settings()
    if unsafe_durability:
        chosen = dataclasses.replace(chosen, unsafe_durability=True)
    if check_config:
        return print_settings(chosen)
    from gateway import serve as server
    from gateway.database import initialise

    with sentences():
        try:
            if hello:
                return server.serve(chosen, host, port, workers, server.hello)
            initialise(chosen.database_url)
            build = partial(server.worker, chosen, deliver=deliver)
            server.serve(chosen, host, port, workers, build)
        except OSError as fault:
            raise click.UsageError(f"Cannot listen on {host}:{port}: {fault.strerror}") from None


@gateway.command()
def deliver() -> None:
    """Only submit to the carrier, until Ctrl-C; beside `serve --no-deliver`.

    Example: smslab gateway deliver
    """
    from gateway.serve import deliver as run

    chosen = settings()
    with sentences():
        run(chosen)


def print_settings(chosen: Settings) -> None:
    """One line a setting; secrets only as whether they are set, addresses without their password."""
    for field in dataclasses.fields(chosen):
        value = re.sub(r"(://[^/@]*:)[^/@]*@", r"\1***@", str(getattr(chosen, field.name)))
        shown = ("(set)" if value else "(not set)") if field.metadata.get("secret") else value
        click.echo(f"{variable(field.name)}={shown}  # {field.metadata['help']}")


for group in (integration, key, orders):
    gateway.add_command(group)
