"""The lab's channels: its own, which are its target file's, and those that testers keep as `channels/NAME.toml`.

Key and secret are in files of their own, and all is for its owner's eyes only. What a channel is, and what the PBX's
screen refuses to save, is told by `simulator/pbx/channel.py`.
"""

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import click

from contracts.target import Target, is_loopback
from simulator.console.lab import LabView
from simulator.pbx import channel as channels
from simulator.pbx.habits import Habits
from simulator.pbx.provider import usable

LAB: Final = "lab"
NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
SECRETS: Final = ("key", "secret")
PARTS: Final = (".toml", *(f".{secret}" for secret in SECRETS), ".json")  # the files of one channel
HIDDEN: Final = "\u2022" * 8


@dataclass(frozen=True, slots=True)
class Entry:
    """One channel to choose. `options` name it to a command; `trouble` says why nothing is sent through it."""

    name: str
    title: str
    options: tuple[str, ...]
    target: Target | None = None
    numbers: tuple[str, ...] = ()
    habits: Habits = field(default_factory=Habits)
    trouble: str = ""
    is_ours: bool = False  # the lab's own: used, never changed here

    @property
    def key(self) -> str:
        """The channel's key as pages may show it: its last letters, if it is long enough to keep the others."""
        key = self.target.key if self.target else ""
        return HIDDEN + key[-4:] if len(key) >= 20 else HIDDEN


class Shelf:
    """The channels of one lab. Nothing is kept in memory: files are read when they are asked for."""

    def __init__(self, lab: LabView) -> None:
        self._lab, self._folder = lab, lab.directory / "channels"

    def all(self) -> list[Entry]:
        """Every channel, the lab's own first."""
        files = sorted(file.stem for file in self._folder.glob("*.toml"))
        return [*self._ours(), *(self._entry(name) for name in files if NAME.fullmatch(name))]

    def named(self, name: str) -> Entry | None:
        """The channel of that name, or None."""
        return next((entry for entry in self.all() if entry.name == name), None)

    def table(self, name: str) -> dict[str, Any]:
        """What a channel's file says; nothing if it cannot be read."""
        try:
            return tomllib.loads(self._file(name, ".toml").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}

    def checked(self, table: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
        """Every complaint about a channel that is to be kept, with the secrets it is to have."""
        try:
            channel = channels.read(_keyed(table, secrets, "env", ""), self._folder, {**os.environ, **secrets})
            target = usable(channel.target(owned=self._lab.target.owned))
        except channels.Refused as refused:
            return list(refused.sentences)
        except click.ClickException as unusable:
            return [unusable.message]
        except ValueError as error:
            return [str(error)]
        return [sentence for sentence in (_foreign(target, named=bool(channel.to or channel.only_to)),) if sentence]

    def keep(self, name: str, table: Mapping[str, Any], secrets: Mapping[str, str]) -> None:
        """Write the channel's files; a secret that is not given stays as it is."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        for secret, value in secrets.items():
            _write(self._file(name, f".{secret}"), value + "\n")
        _write(self._file(name, ".toml"), as_toml(_keyed(table, secrets, "file", f"{name}.")))

    def drop(self, name: str) -> None:
        """Remove a channel with its key."""
        for part in PARTS:
            self._file(name, part).unlink(missing_ok=True)

    def note(self, name: str, verified: Mapping[str, Any]) -> None:
        """Remember how the last verification went."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        _write(self._file(name, ".json"), json.dumps(verified))

    def noted(self, name: str) -> dict[str, Any]:
        """How the last verification went; empty if there was none."""
        try:
            return dict(json.loads(self._file(name, ".json").read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def _ours(self) -> Iterator[Entry]:
        """The target file's channel, and the same with each key that it says provokes a code."""
        target = self._lab.target
        title, options, trouble = target.name or "the lab's own", ("--target", str(self._lab.file)), _foreign(target)
        own = Entry(LAB, title, options, target, (target.from_number,), trouble=trouble, is_ours=True)
        yield own
        for code, how in target.provoke.items():
            key = target.keys.get(f"KEY_FOR_{code}")
            if key and "key_file" in how:
                file = str(self._lab.directory / how["key_file"])
                yield replace(
                    own,
                    name=f"{LAB}-{code}",
                    title=f"{title}, the key for {code}",
                    options=(*options, "--key-file", file),
                    target=replace(target, key=key),
                )

    def _entry(self, name: str) -> Entry:
        file = self._file(name, ".toml")
        options = ("--channel", str(file))
        try:
            channel = channels.load(file)
            target = usable(channel.target(owned=self._lab.target.owned))
        except click.ClickException as unusable:
            return Entry(name, name, options, trouble=unusable.message)
        except ValueError as error:
            return Entry(name, str(self.table(name).get("name", name)), options, trouble=str(error))
        trouble = _foreign(target, named=bool(channel.to or channel.only_to))
        return Entry(name, channel.name, options, target, channel.numbers, channel.habits, trouble)

    def _file(self, name: str, part: str) -> Path:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name!r} is no name of a channel.")
        return self._folder / f"{name}{part}"


def name_for(title: str) -> str:
    """What a channel with this title is called in addresses and file names."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:40].strip("-") or "channel"


def _keyed(table: Mapping[str, Any], secrets: Iterable[str], how: str, prefix: str) -> dict[str, Any]:
    """The table with each secret's place set anew: in a file or in the environment."""
    old = {f"{secret}_{place}" for secret in secrets for place in ("env", "file")}
    bare = {name: value for name, value in table.items() if name not in old}
    return {**bare, **{f"{secret}_{how}": f"{prefix}{secret}" for secret in secrets}}


def as_toml(table: Mapping[str, Any]) -> str:
    """A table of strings, numbers, flags, lists of those, and tables of them, as TOML."""
    plain = {name: value for name, value in table.items() if not isinstance(value, Mapping)}
    lines = [f"{name} = {_toml(value)}" for name, value in plain.items()]
    for name in table.keys() - plain.keys():
        lines += ["", f"[{name}]", as_toml(table[name]).rstrip()]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:  # noqa: ANN401 - what JSON and TOML write alike, but for one letter
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _foreign(target: Target, *, named: bool = True) -> str:
    """Why nothing may be sent there, as a sentence; `named`: the channel says who receives tests."""
    for url in filter(None, (target.send_url, target.verify_url)):
        if not is_loopback(url):
            if not target.owned:
                host = urlsplit(url).hostname
                return f"{host} is not this machine. Start the console with --i-own-this-target if it is yours."
            if not named:
                return "A provider beyond this machine needs a number that receives tests, or a guard (only_to)."
    return ""


def _write(path: Path, text: str) -> None:
    """The whole file or the old one, readable by its owner only."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)
