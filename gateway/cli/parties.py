"""`smslab gateway integration` and `smslab gateway key`: who may send, and with which keys."""

import json
from typing import Any

import click

from gateway import administration
from gateway.administration import Mistake
from gateway.cli.session import database
from gateway.contract import SEND_PATH, VERIFY_PATH


@click.group()
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
@click.option("--disabled", is_flag=True, help="Not to be used yet.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def add(
    name: str,
    sender: str,
    account: str | None,
    rate: int,
    allowed_from: tuple[str, ...],
    countries: tuple[int, ...],
    disabled: bool,
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
            enabled=not disabled,
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


@click.group()
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
