"""The channel screen as a form: its fields in the PBX's words, and the way from a form to a channel's file and back.

Pure. Secrets go one way only: into the form, never out of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple

from simulator.pbx.channel import EDITIONS, FIRMWARES, NAME_LENGTH
from simulator.pbx.habits import Habits

HABIT: Final = "habit."  # begins the name of a habit's field
HABITS: Final[Mapping[str, Any]] = {one.name: one for one in fields(Habits)}
SECRETS: Final[Mapping[str, str]] = {"key": "API Key", "secret": "Secret"}
NEEDED: Final[Mapping[str, str]] = {"send_url": "The channel needs an API address for sending messages."}


class Field(NamedTuple):
    """One field: `kind` is text, number, lines, or a choice of `choices`."""

    name: str
    label: str
    hint: str = ""
    kind: str = "text"
    choices: tuple[str, ...] = ()


TABS: Final[Mapping[str, tuple[Field, ...]]] = {
    "Basic": (
        Field("name", "Name", f"up to {NAME_LENGTH} characters"),
        Field("send_url", "API Address for Sending Messages"),
        Field("verify_url", "API Address for Verifying Authentication", "optional on firmware x.20"),
    ),
    "Messaging": (
        Field("send_rate", "Message Sending Rate", "messages per second through the channel", "number"),
        Field("numbers", "Numbers", "E.164, one to a line; the first one sends", "lines"),
    ),
    "Of the simulator": (
        Field("firmware", "Firmware", "", "choice", FIRMWARES),
        Field("edition", "Edition", "", "choice", tuple(EDITIONS)),
        Field("to", "Receives tests", "needed beyond this machine, unless there is a guard"),
        Field("only_to", "Receiver guard", "numbers or beginnings (+63917*); nobody else is sent anything", "lines"),
    ),
}


def values_of(table: Mapping[str, Any]) -> dict[str, str]:
    """A channel's file as the form shows it."""
    habits = {HABIT + name: _shown(value, ", ") for name, value in table.get("habits", {}).items()}
    return {name: _shown(value, "\n") for name, value in table.items() if name != "habits"} | habits


def table_of(form: Mapping[str, str], old: Mapping[str, Any]) -> dict[str, Any]:
    """The channel's file after the form; where its secrets are stays as it was in the old one."""
    every = [field for tab in TABS.values() for field in tab]
    said = {field.name: READ[field.kind](form.get(field.name, "").strip()) for field in every}
    habits = {name: _habit(form.get(HABIT + name, "").strip(), one.default) for name, one in HABITS.items()}
    places = {f"{secret}_{place}" for secret in SECRETS for place in ("file", "env")}
    kept = {name: value for name, value in old.items() if name in places}
    table = {**said, **kept, "habits": {name: value for name, value in habits.items() if value not in {None, ""}}}
    return {name: value for name, value in table.items() if value or value == 0}


def secrets_of(form: Mapping[str, str]) -> dict[str, str]:
    """The secrets that were typed; one that was left empty is to stay."""
    return {name: value for name in SECRETS if (value := form.get(name, "").strip())}


def missing(table: Mapping[str, Any], secrets: Mapping[str, str]) -> list[str]:
    """What is not there at all, a sentence each."""
    has_key = secrets.keys() | table.keys() & {"key_file", "key_env"}
    found = [sentence for name, sentence in NEEDED.items() if name not in table]
    return found + ([] if has_key - {"secret"} else ["The channel needs an API key."])


def _number(text: str) -> Any:  # noqa: ANN401 - what is no number stays as it is, and the screen refuses it
    try:
        value = json.loads(text)
    except ValueError:
        return text
    return value if type(value) in {int, float} else text


READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "text": str,
    "choice": str,
    "number": _number,
    "lines": str.split,
}


def _habit(text: str, default: object) -> Any:  # noqa: ANN401 - as the setting has it
    """A habit as its setting has it; None if the form leaves it alone."""
    if not text:
        return None
    if isinstance(default, bool):
        return {"yes": True, "no": False}.get(text, text)
    if isinstance(default, tuple):
        return [_number(one) for one in text.replace(",", " ").split()]
    return text if isinstance(default, str) else _number(text)


def _shown(value: object, between: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return between.join(map(str, value)) if isinstance(value, list | tuple) else str(value)
