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
NO_ADDRESS: Final = "The channel needs an API address for sending messages."
NO_KEY: Final = "The channel needs an API key."


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
    table = {**said, **kept, "habits": {name: value for name, value in habits.items() if value is not None}}
    return {name: value for name, value in table.items() if value or value == 0}


def secrets_of(form: Mapping[str, str]) -> dict[str, str]:
    """The secrets that were typed; one that was left empty is to stay."""
    return {name: value for name in SECRETS if (value := form.get(name, "").strip())}


def completed(table: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[list[str], dict[str, Any], dict[str, str]]:
    """What is not there at all, a sentence each; and both with something in its place, to have the rest checked."""
    has_address, has_key = "send_url" in table, "key" in secrets or {"key_file", "key_env"} & table.keys()
    missing = [sentence for has, sentence in ((has_address, NO_ADDRESS), (has_key, NO_KEY)) if not has]
    address, key = {"send_url": "http://127.0.0.1/"}, {"key": "unknown"}
    return missing, {**({} if has_address else address), **table}, {**({} if has_key else key), **secrets}


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
