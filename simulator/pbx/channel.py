"""The PBX's channel screen as a file: its fields, and what the screen refuses to save.

Sources: Yeastar's own screens and API fields (name, keys, URLs, rate, numbers); what else the PBX does with
a channel is in `habits.py`.
"""

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from contracts import spec
from contracts.target import Target, from_table, is_loopback, receivers
from simulator.pbx import habits as settings
from simulator.pbx.habits import Habits

FIRMWARES = ("x.14", "x.20")  # x.14: verification URL and secret are mandatory; x.20: both are optional
EDITIONS = {"appliance": "37", "software": "83", "cloud": "84"}  # and the version's first part
NAME_LENGTH = 127
_FIELDS = {
    "name",
    "firmware",
    "edition",
    "send_url",
    "verify_url",
    "send_rate",
    "numbers",
    "to",
    "only_to",
    "habits",
} | {*("key_env", "key_file", "secret_env", "secret_file")}


class Refused(ValueError):
    """What the PBX's screen would not save: `sentences` says why, one for each complaint."""

    def __init__(self, sentences: Sequence[str]) -> None:
        super().__init__(" ".join(sentences))
        self.sentences = tuple(sentences)


@dataclass(frozen=True, slots=True)
class Channel:
    """One SMS channel of ITSP "General". `send_rate` is messages per second through the whole channel."""

    name: str
    send_url: str
    key: str = field(repr=False)
    numbers: tuple[str, ...]
    verify_url: str | None = None
    secret: str = field(default="", repr=False)
    send_rate: float = 1.0
    firmware: str = "x.20"
    edition: str = "cloud"
    to: str | None = None
    only_to: tuple[str, ...] = ()
    habits: Habits = field(default_factory=Habits)

    def target(self, to: str | None = None, *, owned: bool = False) -> Target:
        """The provider as the rest of the suite knows it."""
        return Target(
            self.send_url,
            self.verify_url,
            self.key,
            self.numbers[0],
            to or self.to or spec.page_example()["to"],
            only_to=self.only_to,
            name=self.name,
            rate=self.send_rate,
            owned=owned,
        )

    def version(self) -> str:
        """The firmware as the PBX's status page shows it: "84.20.0.123"."""
        return f"{EDITIONS[self.edition]}.{self.firmware.removeprefix('x.')}.0." + (
            "24" if self.firmware == "x.14" else "123"
        )


def load(path: Path, environ: Mapping[str, str] | None = None) -> Channel:
    """The channel a TOML file describes. Raises ValueError with one sentence that names file and field."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        return read(table, path.parent, os.environ if environ is None else environ)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error


def read(table: Mapping[str, Any], base: Path, environ: Mapping[str, str]) -> Channel:
    """The channel a table describes. Raises `Refused` if the PBX's screen would, ValueError if it is no channel."""
    if unknown := set(table) - _FIELDS:
        raise ValueError(f"a channel has no field {min(unknown)!r}; it knows: {', '.join(sorted(_FIELDS))}.")
    named = {name: table[name] for name in ("send_url", "verify_url", "key_env", "key_file") if name in table}
    key = from_table(named | {"to": "+0"}, environ, base=base).key
    channel = Channel(
        name=table.get("name", ""),
        send_url=table["send_url"],
        verify_url=table.get("verify_url") or None,
        key=key,
        secret=_secret(table, base, environ),
        numbers=tuple(table.get("numbers", ())),
        send_rate=table.get("send_rate", 1.0),
        firmware=table.get("firmware", "x.20"),
        edition=table.get("edition", "cloud"),
        to=table.get("to"),
        only_to=receivers(table["only_to"]) if "only_to" in table else (),
        habits=settings.read(table.get("habits", {})),
    )
    if complaints := refusals(channel):
        raise Refused(complaints)
    return channel


def _secret(table: Mapping[str, Any], base: Path, environ: Mapping[str, str]) -> str:
    if "secret_file" not in table:
        return environ.get(table.get("secret_env", ""), "")
    try:
        return Path(base, table["secret_file"]).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"The secret file {table['secret_file']} cannot be read.") from error


def refusals(channel: Channel) -> list[str]:
    """Everything for which the PBX would not save the channel, a sentence each; empty means it would."""
    return [sentence for refused, sentence in _rules(channel) if refused]


def _rules(channel: Channel) -> list[tuple[bool, str]]:
    number = re.compile(spec.limits().number_pattern)
    bad = [one for one in channel.numbers if not (isinstance(one, str) and number.fullmatch(one))]
    old = channel.firmware == "x.14"
    urls = [("send_url", channel.send_url), ("verify_url", channel.verify_url)]
    return [
        (not channel.name, "The channel needs a name."),
        (len(channel.name) > NAME_LENGTH, f"The name is longer than {NAME_LENGTH} characters."),
        (channel.firmware not in FIRMWARES, f"firmware must be one of {', '.join(FIRMWARES)}."),
        (channel.edition not in EDITIONS, f"edition must be one of {', '.join(EDITIONS)}."),
        (old and not channel.verify_url, "Firmware x.14 cannot save a channel without verify_url."),
        (old and not channel.secret, "Firmware x.14 cannot save a channel without a secret (secret_env, secret_file)."),
        (not channel.numbers, "The channel needs at least one number."),
        (bool(bad), f"Numbers must be in E.164 (+63...): {', '.join(map(repr, bad))}."),
        (not _is_rate(channel.send_rate), "send_rate must be messages per second, above 0 and at most 1000."),
        *((True, f"{name}: {why}") for name, url in urls if url and (why := _url_refusal(url))),
    ]


def _is_rate(rate: object) -> bool:
    return type(rate) in {int, float} and 0 < float(str(rate)) <= 1000


def _url_refusal(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" and not is_loopback(url):
        return "the PBX insists on https (http only for this machine)."
    if "_" in (parts.hostname or ""):
        return "the PBX refuses a domain name with an underscore."
    return ""
