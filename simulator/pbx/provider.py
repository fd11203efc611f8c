"""What the pbx commands share with their operator: the provider's options, the ledger file, the report."""

import functools
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from contracts.target import Target, target_options
from simulator.ledger.pbx import PbxLedger
from simulator.pbx import channel as channels
from simulator.pbx.guard import narrowed
from simulator.pbx.habits import Habits
from simulator.pbx.tally import Tally


def _own_ledger(context: click.Context, _parameter: click.Parameter, given: Path | None) -> Path:
    """In a lab the lab's own, which its console and `reconcile` read; elsewhere a file here."""
    target = context.params.get("target")
    if given is None and target and (target.parent / "carrier.sqlite").exists():
        return Path(target.parent, "pbx.sqlite")
    return given or Path("pbx.sqlite")


LEDGER = click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    callback=_own_ledger,
    help="The PBX's ledger, only ever added to. Default: that of the target's lab, else pbx.sqlite here.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
RECEIVERS = click.option(
    "--receiver", "receivers", multiple=True, help="A further number that agreed to receive tests."
)
ONLY_TO = click.option("--only-to", multiple=True, help="Send to these only: numbers or beginnings (+63917*).")


def say(report: Mapping[str, Any], *, as_json: bool) -> None:
    """Print a report: one line of JSON for programs, name and value for people."""
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    for name, value in report.items():
        words = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, Mapping) else value
        for shown in words if isinstance(words, list) else [words]:
            click.echo(f"{name:<18} {'-' if shown is None else shown}")


@contextmanager
def open_ledger(path: Path) -> Iterator[PbxLedger]:
    """The PBX's ledger; whatever is wrong with the file is a usage error in a sentence."""
    try:
        with PbxLedger(path) as ledger:
            yield ledger
    except sqlite3.Error as error:
        raise click.UsageError(f"The ledger {path} cannot be used: {error}.") from error


def usable(target: Target) -> Target:
    """The target, if its URLs can be called at all; else a usage error."""
    for url in filter(None, (target.send_url, target.verify_url)):
        try:
            parts = urlsplit(url)
            sound = url.isascii() and url.isprintable() and " " not in url and parts.port != 0
            (parts.hostname or "").encode("idna")
        except ValueError:
            sound = False
        if not sound:
            raise click.UsageError(f"{url!r} cannot be called: its host, port or path is malformed.")
    return target


def guarded(target: Target, only_to: tuple[str, ...]) -> Target:
    """The target with the receiver guard of the command line; a usage error if it cannot be."""
    try:
        return narrowed(target, only_to)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def something_left(tally: Tally) -> None:
    """A run of which the receiver guard let nothing through is a usage error."""
    if tally.guarded and not tally.started:
        raise click.UsageError(f"All {tally.guarded} messages were addressed outside only_to; nothing was sent.")


def provider_options(command: Callable[..., object]) -> Callable[..., object]:
    """The target options, `--channel FILE.toml` and `--only-to`; the command gets `target` and `habits`."""

    @functools.wraps(command)
    def ready(*, target: Target, only_to: tuple[str, ...], habits: Habits | None = None, **options: object) -> object:
        return command(target=guarded(usable(target), only_to), habits=habits or Habits(), **options)

    as_target = target_options(ready)

    @functools.wraps(as_target)
    def with_provider(*, channel: Path | None, **options: Any) -> object:  # noqa: ANN401 - click's own values
        if channel is None:
            return as_target(**options)
        owned, sender = options.pop("i_own_this_target"), options.pop("from")
        for name in ("target", "send_url", "verify_url", "key_file"):
            if options.pop(name) is not None:
                raise click.UsageError(f"--channel already says what --{name.replace('_', '-')} would.")
        try:
            chosen = channels.load(channel)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        target = chosen.target(options.pop("to"), owned=owned)
        target = replace(target, from_number=sender) if sender else target
        return ready(target=target, habits=chosen.habits, **options)

    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--channel", type=path, help="TOML file of a PBX channel.")(ONLY_TO(with_provider))
