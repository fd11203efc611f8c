"""`smslab gateway orders`: what became of what was accepted."""

import json
import time
from typing import Any

import click

from gateway.administration import Mistake
from gateway.cli.session import database
from gateway.orders import listed

PAUSE = 0.5  # seconds between two looks with --follow


@click.group()
def orders() -> None:
    """SMS orders and what became of them."""


@orders.command("list")
@click.option("--state", type=click.Choice(["queued", "submitted", "refused", "expired", "cancelled"]))
@click.option("--to", "to_number", help="Only those to this number.")
@click.option("--follow", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def list_orders(state: str | None, to_number: str | None, follow: bool, as_json: bool) -> None:
    """List orders, oldest first.

    Example: smslab gateway orders list --state queued --json
    """
    filters = {name: value for name, value in (("state", state), ("to_number", to_number)) if value}
    last = 0
    with database() as opened:
        while True:
            for row in listed(opened, after=last, **filters):
                click.echo(order_line(row, as_json=as_json))
                last = row["seq"]
            if not follow:
                return
            time.sleep(PAUSE)


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
        raise Mistake(f"There is no order {order_id}")


def order_line(row: dict[str, Any], *, as_json: bool) -> str:
    """An order for a program, or for a person's eye."""
    if as_json:
        return json.dumps({**row, "to": row["to_number"]})
    status = row["message_status"] or "-"
    return f"{row['id']}  {row['to_number']:<16} {row['state']:<9} {status:<8} {row['attempts']} tries"
