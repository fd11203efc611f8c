"""Matchers: what a scenario's `expect` may say of a value."""

import pytest

from simulator.pbx.expectation import meets, unmet


@pytest.mark.parametrize(
    ("wanted", "value", "met"),
    [
        (1, 1, True),
        ("200", 200, True),
        ([200, 500], 500, True),
        ([200, 500], 404, False),
        ("< 2", 1.5, True),
        (">= 2", 1.5, False),
        ("> 2", None, False),
        ("!= 3", 4, True),
        ("~^ID", "ID7", True),
        ("~^ID", "XID7", False),
        (None, None, True),
        (False, 0, True),
    ],
)
def test_matchers(wanted, value, met):
    """Values, lists, comparisons, != and ~patterns."""
    assert meets(wanted, value) is met


def test_counts_that_are_not_there_are_zero():
    """An outcome nobody had counts as none; other absent names are None."""
    assert unmet({"outcomes.sent": 0, "code": None}, {"outcomes": {}}) == []
    assert unmet({"a.b": 1}, {"a": 2}) == ["a.b is None, not 1"]
