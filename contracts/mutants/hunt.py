"""The judge against every mutant: which rule found which defect, and by which engine."""

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from urllib.parse import urlsplit

from contracts import mutants, verify
from contracts.mutants.front import Front, Mutant
from contracts.provider import Provider
from contracts.serving import serving
from contracts.target import Target
from contracts.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Hunt:
    """One mutant's end: the engines that saw its own rule broken, and the other rules that broke beside it."""

    mutant: Mutant
    engines: tuple[str, ...]
    beside: tuple[str, ...]
    could_not: str = ""

    @property
    def is_killed(self) -> bool:
        """Only the rule that the mutant breaks kills it; another finding is luck."""
        return bool(self.engines)


@cache
def catalogue() -> dict[str, Mutant]:
    """All mutants by name, module by module."""
    modules = [
        importlib.import_module(f"{mutants.__name__}.{found.name}")
        for found in pkgutil.iter_modules(mutants.__path__)
        if found.name != "hunt"
    ]
    return {value.name: value for module in modules for value in vars(module).values() if isinstance(value, Mutant)}


def hunt(target: Target, names: list[str], *, examples: int = 0, everything: bool = False) -> Iterator[Hunt]:
    """Judge each mutant of the target's provider. The target itself must conform: what it breaks, kills nothing.

    Bursts and outages are provoked only where the defect needs them, unless `everything` is asked for.
    """
    alive = _broken(target, None, examples, provoking=True)
    already = {rule for rule, _ in alive[0]}
    for name in names or list(catalogue()):
        mutant = catalogue()[name]
        found, could_not = _broken(target, mutant, examples, provoking=mutant.provoked or everything)
        engines = {engine for rule, engine in found if rule == mutant.breaks and rule not in already}
        beside = {rule for rule, _ in found if rule != mutant.breaks and rule not in already}
        yield Hunt(mutant, tuple(sorted(engines)), tuple(sorted(beside)), could_not)


def _broken(
    target: Target, mutant: Mutant | None, examples: int, *, provoking: bool
) -> tuple[set[tuple[str, str]], str]:
    """The (rule, engine) pairs that a run finds broken, and why it could not be run to its end."""
    front = Front(target, mutant.defect if mutant else None)
    with serving(front) as url:
        provider = Provider(_through(target, url))
        verdict = verify.run(provider, Verdict(strict=True), examples=examples, provoking=provoking)
    return {(one.rule, one.engine) for one in verdict.broken}, verdict.could_not


def _through(target: Target, url: str) -> Target:
    """The target as it is reached through the front."""
    verify_url = url + urlsplit(target.verify_url).path if target.verify_url else None
    return replace(target, send_url=url + urlsplit(target.send_url).path, verify_url=verify_url)
