"""The commands that break a running carrier and show what it took, over its simulator API."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

import click
import httpx
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from contracts.exits import Exit
from contracts.target import is_loopback

URL = click.option(
    "--carrier-url",
    envvar="SMSLAB_CARRIER_URL",
    default="http://127.0.0.1:8090",
    show_default=True,
    show_envvar=True,
    help="Where the carrier answers.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")


class CouldNotTest(click.ClickException):
    """The carrier gave no usable answer: exit 3."""

    exit_code = Exit.COULD_NOT_TEST


def ask(
    url: str, method: str, path: str, *, params: dict[str, int] | None = None, spec: object = None
) -> dict[str, Any]:
    """What the carrier's simulator API answers; a click error with one sentence if it does not."""
    if not is_loopback(url):
        raise click.UsageError(f"{url} is not this machine; a carrier is only broken from where it runs.")
    try:
        with httpx.Client(base_url=url, timeout=10, trust_env=False) as client:
            response = client.request(method, path, params=params, json=spec)
        body: dict[str, Any] = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        raise CouldNotTest(f"No fake carrier answers at {url}.") from None
    if response.is_error:
        raise click.UsageError(str(body.get("error", f"HTTP {response.status_code}")))
    return body


@click.group()
def fault() -> None:
    """Break the carrier on purpose.

    Example: smslab carrier fault add throttle per_second=5 --ttl 60
    """


@fault.command()
@click.argument("kind", required=False)
@click.argument("params", nargs=-1)
@click.option("--scope", "scope", multiple=True, help="to=, prefix=, sender=, first=, every=, share=, seed=")
@click.option("--ttl", type=float, help="Seconds until it ends by itself.")
@click.option("--after", type=float, help="Seconds until it begins.")
@click.option("--schedule", type=click.File(), help="A YAML file of phases instead of one fault.")
@URL
@JSON
def add(
    *,
    kind: str | None,
    params: tuple[str, ...],
    scope: tuple[str, ...],
    ttl: float | None,
    after: float | None,
    schedule: TextIO | None,
    carrier_url: str,
    as_json: bool,
) -> None:
    """Arm a fault: its kind, its parameters as name=value, whom it hits and for how long.

    Example: smslab carrier fault add refuse status=503 --scope prefix=+639 --scope first=3 --ttl 30
    """
    if (kind is None) == (schedule is None):
        raise click.UsageError("Give a kind of fault or a --schedule.")
    times = {name: value for name, value in (("ttl", ttl), ("after", after)) if value is not None}
    try:
        fault = {"kind": kind, "params": _pairs(params), "scope": _pairs(scope), **times}
        spec = yaml.safe_load(schedule) if schedule else fault
    except yaml.YAMLError:
        raise click.UsageError("The schedule or a value cannot be read.") from None
    armed = ask(carrier_url, "POST", "/faults", spec=spec)
    _show(armed if as_json else armed.get("faults", [armed]))


@fault.command("list")
@URL
@JSON
def list_faults(carrier_url: str, as_json: bool) -> None:
    """Show what is armed, what has ended, and how often each was hit.

    Example: smslab carrier fault list --json
    """
    report = ask(carrier_url, "GET", "/faults")
    _show(report if as_json else [*report["faults"], *report["past"]])


@fault.command()
@click.argument("identity", type=int, required=False)
@URL
def clear(identity: int | None, carrier_url: str) -> None:
    """End one fault by its id, or all.

    Example: smslab carrier fault clear 3
    """
    path = "/faults" if identity is None else f"/faults/{identity}"
    click.echo(f"Cleared: {ask(carrier_url, 'DELETE', path)['cleared']}.")


@click.command()
@URL
def reset(carrier_url: str) -> None:
    """Make the carrier well again: end every fault and schedule. The ledger stays.

    Example: smslab carrier reset
    """
    click.echo(f"Cleared: {ask(carrier_url, 'POST', '/reset')['cleared']}.")


@click.command()
@click.option("--after", default=0, show_default=True, help="Only what was taken after this seq.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 1000))
@URL
@JSON
def messages(after: int, limit: int, carrier_url: str, as_json: bool) -> None:
    """Show the messages the carrier took; with --json one object per line.

    Example: smslab carrier messages --limit 20
    """
    rows = ask(carrier_url, "GET", "/messages", params={"after": after, "limit": limit})["messages"]
    if as_json:
        for row in rows:
            click.echo(json.dumps(row))
    else:
        show_table(("seq", "id", "key", "from", "to", "segments", "text"), rows)


def _show(faults: dict[str, Any] | list[dict[str, Any]]) -> None:
    if isinstance(faults, dict):
        click.echo(json.dumps(faults))
    else:
        show_table(("id", "kind", "params", "scope", "ttl", "phase", "remark"), faults)


def show_table(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Rows for people: a table on a terminal, tabs elsewhere. What cannot be printed is shown as an escape."""
    cells = [["" if row.get(name) in (None, {}) else printable(row[name]) for name in names] for row in rows]
    console = Console()
    if console.is_terminal:
        table = Table(*names)
        for line in cells:
            table.add_row(*map(Text, line))
        console.print(table)
    else:
        click.echo("\n".join("\t".join(line) for line in [names, *cells]))


def printable(value: object) -> str:
    """The text of a value from outside, without line ends and terminal codes."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in str(value))


def _pairs(words: tuple[str, ...]) -> dict[str, Any]:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise click.UsageError(f"{word!r} is not name=value.")
        pairs[name] = value if value.startswith("+") else yaml.safe_load(value)
    return pairs
