"""`smslab gateway`: serve, deliver, and set up who may send. The database is the one `SMSLAB_DATABASE_URL` names."""

import dataclasses
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from gateway import administration
from gateway.administration import Mistake
from gateway.contract import SEND_PATH, VERIFY_PATH
from gateway.database import Database, DatabaseFault, initialise, open_database
from gateway.orders import listed
from gateway.settings import Settings, from_env, variable


def settings() -> Settings:
    """The process's settings, or a usage error."""
    try:
        return from_env(os.environ)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None


@contextmanager
def sentences() -> Iterator[None]:
    """Whatever goes wrong inside becomes one sentence and an exit code."""
    try:
        yield
    except (Mistake, DatabaseFault) as fault:
        raise click.ClickException(str(fault)) from None
    except SQLAlchemyError as fault:
        cause = str(getattr(fault, "orig", fault)).splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {cause}") from None


@contextmanager
def database() -> Iterator[Database]:
    """The database, initialised if it is new."""
    with sentences():
        url = settings().database_url
        initialise(url)
        opened = open_database(url)
        try:
            yield opened
        finally:
            opened.close()


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
@click.option("--check-config", is_flag=True, help="Print every setting and stop.")
def serve(host: str, port: int, workers: int, deliver: bool, check_config: bool) -> None:
    """Serve the two endpoints until Ctrl-C.

    Example: smslab gateway serve --port 8080
    """
    chosen = settings()
    if check_config:
        return print_settings(chosen)
    from gateway.serve import serve as run

    with sentences():
        try:
            run(chosen, host, port, workers, deliver=deliver)
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
    """One line a setting; secrets only as whether they are set."""
    for field in dataclasses.fields(chosen):
        value = getattr(chosen, field.name)
        shown = ("(set)" if value else "(not set)") if field.metadata.get("secret") else value
        click.echo(f"{variable(field.name)}={shown}  # {field.metadata['help']}")


@gateway.group()
def integration() -> None:
    """The connections of PBXs: their sender, limits and state."""


@integration.command("add")
@click.argument("name")
@click.option("--sender", required=True, help="What recipients see: E.164, or at most 11 letters and digits.")
@click.option(
    "--account", help="Account that pays; made if it does not exist. Default: one named like the integration."
)
@click.option("--rate", default=50, show_default=True, type=click.IntRange(1), help="Requests per second per key.")
@click.option("--from", "allowed_from", multiple=True, help="A number the PBX may send from. Default: any.")
@click.option("--country", "countries", multiple=True, type=int, help="A calling code it may send to. Default: any.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def add(
    name: str,
    sender: str,
    account: str | None,
    rate: int,
    allowed_from: tuple[str, ...],
    countries: tuple[int, ...],
    as_json: bool,
) -> None:
    """Add an integration and print its first API key, once.

    Example: smslab gateway integration add Manila --sender FUTURESMS --rate 50
    """
    with database() as opened:
        key = administration.add_integration(
            opened,
            name,
            sender,
            account=account,
            rate=rate,
            allowed_from=allowed_from,
            allowed_countries=countries,
        )
    click.echo(json.dumps({"integration": name, "key": key}) if as_json else f"API key (shown only now): {key}")


@integration.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_(as_json: bool) -> None:
    """List the integrations.

    Example: smslab gateway integration list
    """
    with database() as opened:
        for row in administration.show_integrations(opened):
            state = "enabled" if row["enabled"] else "disabled"
            click.echo(json.dumps(row) if as_json else f"{row['name']}  {row['sender']}  {row['rate']}/s  {state}")


@integration.command("show")
@click.argument("name")
@click.option("--base-url", default="http://127.0.0.1:8080", show_default=True, help="How the PBX reaches the gateway.")
def show(name: str, base_url: str) -> None:
    """Print what the PBX administrator types into the channel screen.

    Example: smslab gateway integration show Manila --base-url https://sms.example.com
    """
    with database() as opened:
        row = next((row for row in administration.show_integrations(opened) if row["name"] == name), None)
        if row is None:
            raise Mistake(f"There is no integration named {name!r}")
    click.echo(f"Name                                     {name}")
    click.echo("API Key                                  (shown once, by `key issue`)")
    click.echo(f"API Address for Sending Messages         {base_url.rstrip('/')}{SEND_PATH}")
    click.echo(f"API Address for Verifying Authentication {base_url.rstrip('/')}{VERIFY_PATH}")
    click.echo(f"Message Sending Rate                     {row['rate']} per second at most")
    click.echo(f"Sender that recipients see               {row['sender']}")


@integration.command("set")
@click.argument("name")
@click.option("--enabled/--disabled", default=None)
@click.option("--account-active/--account-suspended", "active", default=None)
@click.option("--sender-approved/--sender-blocked", "approved", default=None)
@click.option("--rate", type=click.IntRange(1), help="Requests per second per key.")
@click.option("--from", "allowed_from", multiple=True, help="Replaces the numbers the PBX may send from.")
@click.option("--country", "countries", multiple=True, type=int, help="Replaces the calling codes it may send to.")
def set_(name: str, allowed_from: tuple[str, ...], countries: tuple[int, ...], **changes: Any) -> None:  # noqa: ANN401
    """Change an integration; in force within a second.

    Example: smslab gateway integration set Manila --disabled
    """
    with database() as opened:
        if allowed_from:
            changes["allowed_from"] = administration.checked_numbers(allowed_from)
        if countries:
            changes["allowed_countries"] = " ".join(map(str, countries))
        administration.change_integration(opened, name, changes)


@gateway.group()
def key() -> None:
    """API keys: issue a second one, change the PBX over, revoke the first."""


@key.command("issue")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def issue(name: str, as_json: bool) -> None:
    """Print a new key of the integration NAME, once.

    Example: smslab gateway key issue Manila
    """
    with database() as opened:
        issued = administration.issue_key(opened, name)
    click.echo(json.dumps({"key": issued}) if as_json else f"API key (shown only now): {issued}")


@key.command("list")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_keys(name: str, as_json: bool) -> None:
    """List the keys of the integration NAME, live and revoked.

    Example: smslab gateway key list Manila
    """
    with database() as opened:
        for row in administration.list_keys(opened, name):
            state = "revoked" if row["revoked_at"] else "live"
            click.echo(json.dumps(row) if as_json else f"{row['id']}  {state}")


@key.command("revoke")
@click.argument("key_id", type=int)
def revoke(key_id: int) -> None:
    """Revoke a key by its number; in force within a second.

    Example: smslab gateway key revoke 1
    """
    with database() as opened:
        administration.revoke_key(opened, key_id)


@gateway.group()
def orders() -> None:
    """SMS orders and what became of them."""


@orders.command("list")
@click.option("--state", type=click.Choice(["queued", "submitted", "refused", "expired", "cancelled"]))
@click.option("--to", "to_number", help="Only those to this number.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_orders(state: str | None, to_number: str | None, as_json: bool) -> None:
    """List orders, oldest first.

    Example: smslab gateway orders list --state queued --json
    """
    filters = {name: value for name, value in (("state", state), ("to_number", to_number)) if value}
    with database() as opened:
        for row in listed(opened, **filters):
            click.echo(order_line(row, as_json=as_json))


@orders.command("show")
@click.argument("order_id")
def show_order(order_id: str) -> None:
    """Everything known of one order, as JSON.

    Example: smslab gateway orders show SDPS260325103012A1B2C3D
    """
    with database() as opened:
        for row in listed(opened, id=order_id):
            click.echo(json.dumps(row, indent=2))
            return
    click.echo(f"There is no order {order_id}", err=True)
    sys.exit(1)


def order_line(row: dict[str, Any], *, as_json: bool) -> str:
    """An order for a program, or for a person's eye."""
    if as_json:
        return json.dumps({**row, "to": row["to_number"]})
    status = row["message_status"] or "-"
    return f"{row['id']}  {row['to_number']:<16} {row['state']:<9} {status:<8} {row['attempts']} tries"
