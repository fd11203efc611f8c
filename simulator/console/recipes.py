"""What can be started from the console: from what a form asks for to the arguments of the command line.

What a number may be is the command's to say; here only what is missing is missed. A replay asks for the same.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from simulator.console.lab import LabView
from simulator.pbx.pacing import PROFILES, expected, rate_at
from simulator.pbx.scenario import Scenario, find, load, needs, pack

Asked = Mapping[str, str]
SEEDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a run happens: the lab, the run's name in the ledger, and the directory for its files."""

    lab: LabView
    run: str
    directory: Path

    def provider(self, ledger: Path | None = None) -> list[str]:
        """The words that name the lab's provider and the PBX's ledger."""
        return ["--ledger", str(ledger or self.lab.pbx_ledger), *self.target()]

    def target(self) -> list[str]:
        """The words that name the lab's provider."""
        return ["--target", str(self.lab.file), *["--i-own-this-target"] * self.lab.target.owned]


class Planned(NamedTuple):
    """What a run means to do, where that is known: messages in all, seconds, and the rate at each of them."""

    messages: int = 0
    seconds: float = 0.0
    rate: Callable[[float], float] | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """One kind of run: what its form must say, its title, its words after `smslab`, and what it means to do."""

    needs: tuple[str, ...]
    title: Callable[[Asked], str]
    words: Callable[[Asked, Place], list[str]]
    planned: Callable[[Asked], Planned] = lambda _: Planned()
    has_seed: bool = True


def asked_for(kind: str, form: Asked) -> dict[str, str]:
    """What a form asks for, with a seed for what has one. ValueError with a sentence if it is not enough."""
    recipe = RECIPES.get(kind)
    if recipe is None:
        raise ValueError(f"There is no run of the kind {kind!r}.")
    asked = {name: value.strip() for name, value in form.items() if value.strip() and name in FIELDS}
    if missing := [name for name in recipe.needs if name not in asked]:
        raise ValueError(f"Say the {missing[0]} of the {kind}.")
    for name in NUMBERS & asked.keys():
        if not re.fullmatch(r"\d{1,9}(\.\d{1,6})?", asked[name]) or not float(asked[name]):
            raise ValueError(f"The {name} of a {kind} is a number above 0, not {asked[name]!r}.")
    for name, known in (("profile", PROFILES), ("scenario", pack())):
        if name in asked and asked[name] not in known:
            raise ValueError(f"There is no {name} {asked[name]!r}.")
    seed = {"seed": asked.get("seed", str(secrets.randbelow(SEEDS)))} if recipe.has_seed else {}
    return asked | seed


def _scenario(asked: Asked, place: Place) -> list[str]:
    own = ["--lab", "--ledger", str(place.directory / "pbx.sqlite")]
    carrier = ["--carrier-url", url] if (url := place.lab.carrier_url) else []
    where = own if asked.get("own") or needs_own_lab(load(find(asked["scenario"]))) else [*place.provider(), *carrier]
    return ["pbx", "run", "--seed", asked["seed"], "--run", place.run, *where, "--", asked["scenario"]]


def _traffic(asked: Asked, place: Place) -> list[str]:
    chosen = [word for name in ("profile", "rate", "duration", "seed", "mix") for word in (f"--{name}", asked[name])]
    return ["pbx", "traffic", *chosen, "--run", place.run, "--json", *place.provider()]


def _campaign(asked: Asked, place: Place) -> list[str]:
    named = ["--name", place.run.rpartition("/")[2], "--run", place.run, "--rate", asked["rate"]]
    contacts = str(place.directory / CONTACTS)
    return ["pbx", "campaign", *named, "--json", *place.provider(), "--", contacts, asked["text"]]


def _contract(asked: Asked, place: Place) -> list[str]:
    report = ["--report", f"html={place.directory / 'contract.html'}"]
    return ["contract", "verify", "--seed", asked["seed"], *place.target(), *report]


def _traffic_plan(asked: Asked) -> Planned:
    profile, rate, length = asked["profile"], float(asked["rate"]), float(asked["duration"])
    number = round(expected(profile, rate, length))
    return Planned(number, length, lambda second: rate_at(profile, rate, length, second))


def _campaign_plan(asked: Asked) -> Planned:
    number, rate = len(contact_lines(asked)), float(asked["rate"])
    return Planned(number, max(number / rate, 1.0), lambda _: rate)


NUMBERS: Final = {"rate", "duration"}
CONTACTS: Final = "contacts.csv"  # in the directory of a campaign's run
FIELDS: Final = {"scenario", "own", "seed", "profile", "rate", "duration", "mix", "contacts", "text"}
RECIPES: Final[Mapping[str, Recipe]] = MappingProxyType(
    {
        "scenario": Recipe(("scenario",), lambda asked: asked["scenario"], _scenario),
        "traffic": Recipe(
            ("profile", "rate", "duration", "mix"),
            lambda asked: f"{asked['profile']}, {asked['rate']}/s for {asked['duration']} s",
            _traffic,
            _traffic_plan,
        ),
        "campaign": Recipe(
            ("contacts", "text", "rate"),
            lambda asked: f"{len(contact_lines(asked))} contacts at {asked['rate']}/s",
            _campaign,
            _campaign_plan,
            has_seed=False,
        ),
        "contract": Recipe((), lambda _: "the provider against the contract", _contract),
    }
)


def needs_own_lab(scenario: Scenario) -> bool:
    """Whether a scenario administers its gateway or sees inside: then it brings its own, and leaves this one alone."""
    return "gateway" in needs(scenario)


def contact_lines(asked: Asked) -> list[str]:
    """The contacts as lines of CSV, without its head."""
    lines = _lines(asked)
    return lines[1:] if lines and _is_head(lines[0]) else lines


def contacts_csv(asked: Asked) -> str:
    """The contacts as the campaign reads them; plain numbers, one a line, get the head that they lack."""
    lines = _lines(asked)
    return "\n".join(lines if lines and _is_head(lines[0]) else ["number", *lines]) + "\n"


def _lines(asked: Asked) -> list[str]:
    return [line.strip() for line in asked["contacts"].splitlines() if line.strip()]


def _is_head(line: str) -> bool:
    return not line.lstrip('"').startswith("+") and not line[:1].isdigit()
