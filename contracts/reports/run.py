"""A finished run as the reports see it: the verdict, the exchanges, and how each finding is repeated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from contracts import wire
from contracts.provider import Provider
from contracts.rules import rules
from contracts.verdict import Broken, Verdict
from contracts.wire import Exchange


@dataclass(frozen=True)
class Run:
    """Everything a report may show. No report shows a key: `keys` is here only to be masked."""

    verdict: Verdict
    exchanges: list[Exchange]
    target: str
    spent: int
    budget: int
    keys: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, provider: Provider, verdict: Verdict) -> "Run":
        """What this provider showed in the run that led to the verdict."""
        name = provider.target.name or provider.target.send_url
        return cls(verdict, provider.exchanges, name, provider.spent, provider.budget, provider.keys)

    @property
    def by_rule(self) -> dict[str, list[Broken]]:
        """The broken rules in the order of `rules.yaml`, each with its findings."""
        found = {
            rule: [one for one in self.verdict.broken if one.rule == rule and not one.accepted] for rule in rules()
        }
        return {rule: broken for rule, broken in found.items() if broken}

    def size(self, broken: Broken) -> int:
        """The bytes of the request that shows the finding: the smallest one is the best example."""
        return 1 << 30 if broken.exchange is None else len(self.exchanges[broken.exchange].call.body)

    def curl(self, broken: Broken) -> str:
        """A shell line that repeats what the finding saw; empty if no single request shows it."""
        return "" if broken.exchange is None else wire.curl(self.exchanges[broken.exchange].call)

    def masked(self, text: str) -> str:
        """The text without any key: each is replaced by the name of its variable."""
        for name, key in self.keys.items():
            text = re.sub(re.escape(key), f"${{{name}}}", text)
        return text

    @property
    def headline(self) -> str:
        """The verdict in one sentence."""
        verdict = self.verdict
        if verdict.could_not:
            return f"could not test: {verdict.could_not}."
        failing = {one.rule for one in verdict.failing}
        if failing:
            return f"wrong: {len(failing)} rule{'s' * (len(failing) > 1)} broken."
        missed = f"; {len(verdict.missed)} cells of the contract were not reached" if verdict.missed else ""
        return f"conforms: {len(verdict.checked)} rules checked{missed}."
