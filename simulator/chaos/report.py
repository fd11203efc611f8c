"""What runs of chaos came to: reports that add up, the verdict, and what zero failures prove."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from simulator.ledger.balance import Balance, kinds

SHOWN: Final = 20  # ids of a breach that are named
# Nothing here refuses for good, lets orders expire or cancels them, and in the end the queue must be empty.
UNWANTED: Final = ("pending", "refused_by_carrier", "expired", "cancelled")
COUNTERS: Final = ("stores", "rounds", "crashes", "counts")
SLOWEST: Final = ("slowest_back", "slowest_drain")


@dataclass
class Report:
    """Counts of one run or several. Times are seconds; `wrong` names each breach with some of its ids."""

    seeds: list[int] = field(default_factory=list)
    stores: Counter[str] = field(default_factory=Counter)  # rounds on each
    rounds: Counter[str] = field(default_factory=Counter)  # of each deed
    crashes: Counter[str] = field(default_factory=Counter)  # at each named point, respawned workers included
    kills: int = 0  # of the gateway
    cuts: int = 0  # of lines to the database, after a COMMIT
    doubts: int = 0  # answers 500 which the gateway's log calls indeterminate
    indeterminate_bound: int = 0  # attempts that can have been under way when something was cut off
    slowest_back: float = 0.0  # until an order was accepted again after a deed
    slowest_drain: float = 0.0  # until the queue was empty after the end
    seconds: float = 0.0
    stopped: int = 0  # runs that were ended before their time
    counts: Counter[str] = field(default_factory=Counter)
    wrong: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_true(self) -> bool:
        """The promise held."""
        return not self.wrong

    def __add__(self, other: "Report") -> "Report":
        """Both as one."""
        both: dict[str, Any] = {
            one.name: _joined(one.name, getattr(self, one.name), getattr(other, one.name)) for one in fields(self)
        }
        return Report(**both)

    def document(self) -> dict[str, Any]:
        """The report for programs."""
        proven = {
            "rounds": self.rounds.total(),
            "accepted_orders": self.counts["accepted"],
        }
        return {
            **vars(self),
            "true": self.is_true,
            "rule_of_three": {name: 3 / max(1, tries) for name, tries in proven.items()},
        }

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> Self:
        """The report that a document was made of."""
        values: dict[str, Any] = {one.name: document[one.name] for one in fields(cls)}
        return cls(**values | {name: Counter(values[name]) for name in COUNTERS})

    def take(self, account: Balance, bound: int, back_in: float) -> None:
        """Count a run's balance, and name what broke the promise."""
        members = {name: getattr(account, name) for name, _, _ in kinds()}
        self.counts = Counter({name: len(ids) for name, ids in members.items()})
        self.indeterminate_bound = bound
        breaches = {name for name, _, wrong in kinds() if wrong} | set(UNWANTED)
        self.wrong = {name: list(ids[:SHOWN]) for name, ids in members.items() if ids and name in breaches}
        if len(account.indeterminate) > bound:
            self.wrong["more indeterminate than were in flight"] = list(account.indeterminate[:SHOWN])
        if self.slowest_back > back_in:
            self.wrong["late"] = [f"accepted again after {self.slowest_back:.1f} s, seed {self.seeds}"]


def _joined(name: str, one: Any, other: Any) -> Any:  # noqa: ANN401  a field's values, whatever their type
    """One field of two reports as one."""
    if name in SLOWEST:
        return max(one, other)
    if name in COUNTERS:  # the sum of two counters would forget what is zero
        return Counter({key: one[key] + other[key] for key in {**one, **other}})
    if name == "wrong":
        return {key: [*one.get(key, []), *other.get(key, [])] for key in {**one, **other}}
    return one + other


def as_text(report: Report) -> str:
    """The report for people."""
    rounds, counts = report.rounds.total(), report.counts
    accepted = counts["accepted"]
    seeds = f"{report.seeds[0]}" if len(report.seeds) == 1 else f"{len(report.seeds)} of them"
    return "\n".join(
        [
            f"seed            {seeds}" + " (stopped before the end)" * bool(report.stopped),
            f"rounds          {rounds} in {report.seconds:.0f} s, on {_listed(report.stores)}",
            f"                {_listed(report.rounds)}",
            f"gateway died    {report.kills} times by kill -9, {report.crashes.total()} times at a named point",
            f"                {_listed(report.crashes)}",
            f"orders          {counts['sent']} sent, {accepted} accepted, {counts['refused']} refused",
            *(f"{name:15} {counts[name]}" for name in ("lost", "duplicated", "phantom")),
            f"refused, taken  {counts['refused_yet_delivered']}",
            (
                f"indeterminate   {counts['indeterminate']} (at most {report.indeterminate_bound} were in flight at a"
                f" cut; {counts['indeterminate_delivered']} were taken, once)"
            ),
            f"in doubt        {report.doubts} answers 500 that the gateway's log calls indeterminate",
            *[f"cut at COMMIT   {report.cuts} lines to the database"] * bool(report.cuts),
            f"accepted again  {report.slowest_back:.1f} s after a deed at the slowest",
            f"queue empty     {report.slowest_drain:.1f} s after the end at the slowest",
            f"WRONG           {json.dumps(report.wrong)}" if report.wrong else "wrong           nothing",
            (
                f"No failure in {rounds} rounds and {accepted} orders proves, at 95 %, fewer than"
                f" {3 / max(1, rounds):.2g} failures a round and {3 / max(1, accepted):.2g} an order (rule of three)."
            ),
            "The promise held." if report.is_true else "The promise did NOT hold.",
        ]
    )


def _listed(counted: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items())) or "none"
