"""One load run, as the command hands it to the generator processes: by environment, keys included.

Also the messages of a run: the n-th message of a plan is the same text in every process, so that records
need not carry it. Who sends when is in `arrivals.py` and `generator.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from contracts import spec
from contracts.target import is_loopback
from load import phases
from load.phases import Profile
from load.profiles import named

WORDS = (
    "Your order is ready",
    "Salamat po, nasa daan na ang padala",
    "Réunion à 14 h",
    "会議は三時からです",
    "See you \N{WAVING HAND SIGN}",
)
LONG = "This one is long enough to need several segments. " * 7


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a generator process knows. `key` is in no `repr`, log or record."""

    send_url: str
    key: str = field(repr=False)
    profile: Profile
    from_number: str
    verify_url: str | None = None
    to_number: str | None = None  # None: a different valid number for each message (bundled lab only)
    carrier_url: str | None = None  # where faults can be injected; None: they are skipped and named
    directory: Path | None = None  # where records are written; None: Locust's own reports only
    seed: int = 1
    budget: int | None = None  # real SMS that the run may cause
    in_flight: int = 2000  # requests that one generator process may have open
    grace: float = 12.0  # seconds to wait for the last answers
    judging: bool = True  # False only to measure what judging costs

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Plan":
        """The plan a Locust process was given. Raises `ValueError` with one sentence for a person."""
        send_url, key = environ.get("YEASTAR_SEND_URL", ""), environ.get("YEASTAR_API_KEY", "")
        if not send_url or not key:
            raise ValueError("Set YEASTAR_SEND_URL and YEASTAR_API_KEY.")
        if not is_loopback(send_url) and environ.get("YEASTAR_I_OWN_THIS_TARGET") != "yes":
            raise ValueError("Load beyond loopback needs YEASTAR_I_OWN_THIS_TARGET=yes.")
        directory, budget = environ.get("SMSLAB_LOAD_DIRECTORY"), environ.get("SMSLAB_LOAD_BUDGET")
        if not is_loopback(send_url) and not (environ.get("YEASTAR_TO") and budget):
            raise ValueError("Load beyond loopback needs YEASTAR_TO and SMSLAB_LOAD_BUDGET.")
        return cls(
            send_url,
            key,
            profile_from(environ.get("SMSLAB_LOAD_PROFILE", "smoke")),
            verify_url=environ.get("YEASTAR_VERIFY_URL") or None,
            from_number=environ.get("YEASTAR_FROM") or spec.page_example()["from"],
            to_number=environ.get("YEASTAR_TO") or None,
            carrier_url=environ.get("SMSLAB_LOAD_CARRIER_URL") or None,
            directory=Path(directory) if directory else None,
            seed=int(environ.get("SMSLAB_LOAD_SEED", "1")),
            budget=int(budget) if budget else None,
            judging=environ.get("SMSLAB_LOAD_JUDGING", "yes") == "yes",
        )

    def to_env(self) -> dict[str, str]:
        """The environment from which `from_env` makes this plan again."""
        given = {
            "YEASTAR_SEND_URL": self.send_url,
            "YEASTAR_API_KEY": self.key,
            "YEASTAR_VERIFY_URL": self.verify_url or "",
            "YEASTAR_FROM": self.from_number,
            "YEASTAR_TO": self.to_number or "",
            "SMSLAB_LOAD_PROFILE": self.profile.to_json(),
            "SMSLAB_LOAD_CARRIER_URL": self.carrier_url or "",
            "SMSLAB_LOAD_DIRECTORY": str(self.directory or ""),
            "SMSLAB_LOAD_SEED": str(self.seed),
            "SMSLAB_LOAD_BUDGET": "" if self.budget is None else str(self.budget),
            "SMSLAB_LOAD_JUDGING": "yes" if self.judging else "no",
        }
        return given if is_loopback(self.send_url) else given | {"YEASTAR_I_OWN_THIS_TARGET": "yes"}

    def message(self, n: int, turn: int) -> tuple[str, str]:
        """Recipient and text of try `turn` of message `n`: unique in the run, the same in every process."""
        text = f"{WORDS[n % len(WORDS)]} #{self.seed}-{n}.{turn}"
        if n % 20 == 7:
            text = f"{text} {LONG}"
        return self.to_number or f"+63917{(self.seed * 1_000_003 + n) % 10_000_000:07}", text

    def body(self, n: int, turn: int) -> str:
        """The request body of try `turn` of message `n`."""
        to, text = self.message(n, turn)
        return json.dumps({"from": self.from_number, "to": to, "text": text})

    def budget_of(self, share: int, of: int) -> int | None:
        """This process's part of the budget; the parts add up to the whole exactly."""
        if self.budget is None:
            return None
        return self.budget * (share + 1) // of - self.budget * share // of


def profile_from(text: str) -> Profile:
    """A profile by its name, its TOML file, or its own JSON. Raises `ValueError` with one sentence."""
    if text.lstrip().startswith("{"):
        return phases.read(text)
    try:
        return named(text)
    except KeyError:
        if Path(text).suffix == ".toml":
            return phases.load(Path(text))
        raise ValueError(f"There is no profile {text!r}; `smslab load profiles` lists them.") from None
