"""`smslab reconcile`: read both accounts, balance them, say it as text, JSON or JUnit."""

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO
from xml.etree import ElementTree as ET

import click

from contracts.exits import Exit
from simulator.carrier.controls import printable, show_table
from simulator.ledger.accounts import deliveries
from simulator.ledger.balance import Balance, balance, kinds
from simulator.ledger.pbx import PbxLedger

SHOWN = 20
ORDER = re.compile(r'"order": "([^"]+)"')
FILE = click.Path(exists=True, dir_okay=False)


@click.command()
@click.option("--pbx-ledger", required=True, type=FILE, help="What the PBX tried.")
@click.option("--carrier-ledger", type=FILE, help="What the carrier took, from its file ...")
@click.option("--carrier-url", help="... or from the carrier itself.")
@click.option("--orders", type=click.File(encoding="utf-8"), help="`smslab gateway orders list --json`.")
@click.option("--events", type=click.File(encoding="utf-8"), help="The gateway's log: its doubts are no refusals.")
@click.option("--junit", type=click.File("wb"), help="Also write the verdict as JUnit XML.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")
@click.pass_context
def reconcile(
    context: click.Context,
    *,
    pbx_ledger: str,
    carrier_ledger: str | None,
    carrier_url: str | None,
    orders: TextIO | None,
    events: TextIO | None,
    junit: BinaryIO | None,
    as_json: bool,
) -> None:
    """Balance what the PBX sent with what the carrier took. Exit 1 if anything is wrong.

    Without --orders an accepted message that is not at the carrier counts as lost, so drain the queue first.

    Example: smslab reconcile --pbx-ledger pbx.sqlite --carrier-ledger carrier.sqlite
    """
    if (carrier_ledger is None) == (carrier_url is None):
        raise click.UsageError("Give --carrier-ledger or --carrier-url.")
    known = None if orders is None else list(_orders(orders))
    taken = deliveries(carrier_url or Path(str(carrier_ledger)))
    try:
        with PbxLedger(pbx_ledger, create=False) as ledger:
            account = balance(ledger.attempts(), taken, known, doubts(events or ()))
    except sqlite3.Error as error:
        raise click.UsageError(f"A ledger cannot be read: {error}.") from None
    if junit:
        junit.write(as_junit(account))
    if as_json:
        click.echo(json.dumps(as_document(account)))
    else:
        _print(account)
    context.exit(Exit.FINE if account.is_true else Exit.WRONG)


def doubts(log: Iterable[str]) -> set[str]:
    """The orders that a gateway's event log calls indeterminate."""
    found = (ORDER.search(line) for line in log if '"event": "indeterminate"' in line)
    return {order[1] for order in found if order}


def as_document(account: Balance) -> dict[str, Any]:
    """The balance for programs: the verdict, a count of each kind, and the ids of those that matter."""
    members = {name: getattr(account, name) for name, _, _ in kinds()}
    return {
        "true": account.is_true,
        "in_flight": account.in_flight,
        "counts": {name: len(ids) for name, ids in members.items()},
        "ids": {name: ids for name, ids in members.items() if name not in {"sent", "accepted", "delivered"}},
    }


def as_junit(account: Balance) -> bytes:
    """The balance for CI: one test case for each way to break the promise."""
    wrongs = [(name, meaning, getattr(account, name)) for name, meaning, wrong in kinds() if wrong]
    failures = str(sum(bool(ids) for _, _, ids in wrongs))
    suite = ET.Element("testsuite", name="reconcile", tests=str(len(wrongs)), failures=failures)
    for name, meaning, ids in wrongs:
        case = ET.SubElement(suite, "testcase", classname="reconcile", name=name)
        if ids:
            ET.SubElement(case, "failure", message=f"{len(ids)} {meaning}").text = "\n".join(
                map(printable, ids[:SHOWN])
            )
    return bytes(ET.tostring(suite, encoding="utf-8", xml_declaration=True))


def _print(account: Balance) -> None:
    rows = []
    for name, meaning, wrong in kinds():
        ids = getattr(account, name)
        verdict = "WRONG: " + ", ".join(ids[:SHOWN]) if wrong and ids else ""
        rows.append({"kind": name.replace("_", " "), "count": len(ids), "meaning": meaning, "verdict": verdict})
    show_table(("kind", "count", "meaning", "verdict"), rows)
    bound = f" {len(account.indeterminate)} indeterminate; at most {account.in_flight} were in flight at once."
    click.echo(("The ledgers balance." if account.is_true else "The ledgers do NOT balance.") + bound)


def _orders(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines, 1):
        try:
            order = json.loads(line)
            yield {"id": order["id"], "state": order["state"]}
        except (ValueError, KeyError, TypeError):
            raise click.UsageError(f"Line {number} of the orders is no order.") from None
