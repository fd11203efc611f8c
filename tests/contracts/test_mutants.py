"""The catalogue of mutants, and how a hunt is told."""

from collections import Counter

from contracts import rules
from contracts.mutants import hunt, matrix


def test_every_must_has_a_mutant():
    """No published obligation is without a defect that breaks it, and there are at least 60 defects."""
    catalogue = hunt.catalogue()
    broken = Counter(mutant.breaks for mutant in catalogue.values())
    musts = {rule.id for rule in rules.rules().values() if rule.level == "must"}
    assert musts - set(broken) == set()
    assert set(broken) <= set(rules.rules())
    assert len(catalogue) >= 60


def test_every_mutant_says_what_it_is():
    """A mutant has a sentence, and a category that Web Fuzzing Commons knows, or none."""
    known = {0, *range(100, 121), *range(200, 207), *range(300, 311)}
    for mutant in hunt.catalogue().values():
        assert mutant.says.endswith(".")
        assert mutant.wfc in known


def test_survivors_are_listed_by_name():
    """The matrix counts kills by engine and names who was not found by its own rule."""
    mutants = list(hunt.catalogue().values())[:2]
    hunts = [hunt.Hunt(mutants[0], ("cases", "raw"), ()), hunt.Hunt(mutants[1], (), ("YS-OK-01",))]
    found = matrix.as_object(hunts)
    assert (found["killed"], found["survivors"]) == (1, [mutants[1].name])
    assert found["by_engine"]["raw"] == 1
    assert matrix.as_text(hunts).endswith(f"1 of 2 killed by their own rule; survivors: {mutants[1].name}")
