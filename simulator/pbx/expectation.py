"""What a step's result must be: dotted names and small matchers, and a sentence for each that is not met."""

import re
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from types import MappingProxyType
from typing import Any

_ORDER: Mapping[str, Callable[[float, float], bool]] = MappingProxyType({"<=": le, ">=": ge, "<": lt, ">": gt})
_COMPARISON = re.compile(r"(<=|>=|<|>)\s*(-?[\d.]+)")


def unmet(expected: Mapping[str, Any], result: Mapping[str, Any]) -> list[str]:
    """A sentence for every expectation that the result does not meet."""
    found = []
    for name, wanted in expected.items():
        value = look_up(result, name)
        if not meets(wanted, value):
            found.append(f"{name} is {value!r}, not {wanted!r}")
    return found


def look_up(result: Any, name: str) -> Any:  # noqa: ANN401 - results are JSON
    """The value under a dotted name; what is not there is 0 inside a count and None elsewhere."""
    value = result
    for part in name.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(part, 0 if name.startswith(("outcomes.", "receipts.")) else None)
    return value


def meets(wanted: Any, value: Any) -> bool:  # noqa: ANN401 - YAML on one side, JSON on the other
    """Whether a value is what was wanted: equal, one of a list, in order, unlike, or like a pattern."""
    if isinstance(wanted, list):
        return any(meets(one, value) for one in wanted)
    if not isinstance(wanted, str):
        return bool(wanted == value)
    if comparison := _COMPARISON.fullmatch(wanted):
        number = value if isinstance(value, int | float) else None
        return number is not None and _ORDER[comparison[1]](number, float(comparison[2]))
    if wanted.startswith("!= "):
        return not meets(wanted[3:], value)
    if wanted.startswith("~"):
        return re.search(wanted[1:], str(value)) is not None
    return wanted == value or wanted == str(value)
