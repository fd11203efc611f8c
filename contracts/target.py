"""The provider under test, as a PBX knows it: URLs, key, numbers, and how its rarer answers are provoked.

Nothing here talks to the provider. `contracts/docs/target.md` documents the TOML file.
"""

import functools
import ipaddress
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from contracts import spec
from contracts.settings import check

KEY_VARIABLE = "YEASTAR_API_KEY"
POLITE_RATE = 10.0  # requests per second beyond loopback, unless the target says otherwise
_RECEIVER = re.compile(r"\+[0-9]{1,15}\*?")


@dataclass(frozen=True, slots=True)
class Target:
    """One provider. `key` and `keys` are secrets: they are in no `repr`, no log, no report."""

    send_url: str
    verify_url: str | None
    key: str = field(repr=False)
    from_number: str
    to_number: str
    only_to: tuple[str, ...] = ()  # the only receivers, as numbers or beginnings ("+63917*"); empty: anybody
    max_accepted: int | None = None  # real SMS that a run may cause; None: the command's own default
    provoke: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by code: how to make it happen
    unprovokable: Mapping[str, str] = field(default_factory=dict)  # "500/10007" or "verify 500/10007": why not
    carrier: Mapping[str, str] = field(default_factory=dict)  # where the carrier's ledger can be read
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)  # further keys by variable name
    rate: float | None = None  # requests per second at most
    timeout: float = 5.0  # seconds in which any request must be answered
    name: str = ""
    owned: bool = False  # the user said --i-own-this-target

    @property
    def may_be_stressed(self) -> bool:
        """Load and faults go to loopback, or to what the user says is theirs; nowhere else."""
        return self.owned or is_loopback(self.send_url)


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by its loopback interface: `localhost`, 127.0.0.0/8 or ::1."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def from_table(table: Mapping[str, Any], environ: Mapping[str, str], *, base: Path, owned: bool = False) -> Target:
    """A target from what a TOML file says; relative key files start at `base`.

    Raises `ValueError` with one sentence for a person if something is missing, unknown or unusable.
    """
    check(table)
    send_url = table["send_url"]
    if "to" not in table and not is_loopback(send_url):
        raise ValueError("A provider that is not on this machine needs `to`: a number that may receive tests.")
    page = spec.page_example()
    provoke: Mapping[str, Mapping[str, Any]] = table.get("provoke", {})
    return Target(
        send_url=send_url,
        verify_url=table.get("verify_url") or None,
        key=_key(table, environ, base, KEY_VARIABLE),
        from_number=table.get("from", page["from"]),
        to_number=table.get("to", page["to"]),
        only_to=receivers(table["only_to"]) if "only_to" in table else (),
        max_accepted=table.get("max_accepted"),
        provoke=provoke,
        unprovokable=table.get("unprovokable", {}),
        carrier=table.get("carrier", {}),
        keys={key_name(code): _key(how, environ, base) for code, how in provoke.items() if _has_key(how)},
        rate=table.get("rate", None if is_loopback(send_url) else POLITE_RATE),
        timeout=float(table.get("timeout", 5.0)),
        name=table.get("name", ""),
        owned=owned,
    )


def receivers(patterns: object) -> tuple[str, ...]:
    """The receivers that `only_to` names: whole numbers, or beginnings with a star. ValueError with one sentence."""
    named = patterns if isinstance(patterns, list | tuple) and patterns else [None]
    if not all(isinstance(one, str) and _RECEIVER.fullmatch(one) for one in named):
        raise ValueError(f"only_to is a list of numbers or beginnings of numbers (+63917*), not {patterns!r}.")
    return tuple(map(str, named))


def load(path: Path, environ: Mapping[str, str], *, owned: bool = False) -> Target:
    """The target a TOML file describes. Raises `ValueError` with one sentence."""
    return from_table(_table(path), environ, base=path.parent, owned=owned)


def key_name(code: str) -> str:
    """The variable under which reports show the key that provokes a code."""
    return f"KEY_FOR_{code}"


def target_options(command: Callable[..., object]) -> Callable[..., object]:
    """Click options that name a provider; the command gets them as one argument, `target: Target`."""

    @functools.wraps(command)
    def with_target(
        *, target: Path | None, key_file: Path | None, i_own_this_target: bool, **options: object
    ) -> object:
        given = {name: options.pop(name) for name in ("send_url", "verify_url", "from", "to")}
        try:
            named = _named(given, target, key_file, owned=i_own_this_target)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        return command(target=named, **options)

    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in reversed(
        (
            click.option("--target", type=path, help="TOML file that describes the provider."),
            click.option("--send-url", help="The provider's URL for sending messages."),
            click.option("--verify-url", help="The provider's URL for verifying the key, if it has one."),
            click.option("--key-file", type=path, help=f"File with the API key (or set {KEY_VARIABLE})."),
            click.option("--from", "from", help="The PBX's number. Default: the one in the page's example."),
            click.option("--to", help="A number that may receive tests. Default on loopback: the page's."),
            click.option("--i-own-this-target", is_flag=True, help="Allow load and faults beyond loopback."),
        )
    ):
        with_target = option(with_target)
    return with_target


def _named(given: Mapping[str, object], file: Path | None, key_file: Path | None, *, owned: bool) -> Target:
    table = _table(file) if file else {}
    table |= {name: value for name, value in given.items() if value is not None}
    if key_file is not None:
        table["key_file"] = str(key_file.absolute())
    return from_table(table, os.environ, base=file.parent if file else Path(), owned=owned)


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"The target file {path.name} cannot be read: {error}.") from error


def _has_key(how: Mapping[str, Any]) -> bool:
    return "key_env" in how or "key_file" in how


def _key(table: Mapping[str, Any], environ: Mapping[str, str], base: Path, default: str = "") -> str:
    if "key_file" in table:
        try:
            key = Path(base, table["key_file"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"The key file {table['key_file']} cannot be read.") from error
    else:
        variable = table.get("key_env", default)
        key = environ.get(str(variable), "").strip()
        if not key:
            raise ValueError(f"The API key is missing: set {variable} or give --key-file.")
    if not key.isprintable() or not key.isascii() or " " in key:
        raise ValueError("The API key must be one line of printable ASCII without blanks.")
    return key
