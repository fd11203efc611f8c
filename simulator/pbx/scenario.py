"""A scenario file: read, checked against its JSON Schema, and every mistake named by file, line and step.

What a step does is in `steps.py`. The schema (`scenario.schema.json`) also serves editors.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

HERE = Path(__file__).parent
PACK = HERE / "pack"
_VARIABLE = re.compile(r"\$\{([\w.]+)\}")
BESIDE = ("name", "pbx", "save", "expect", "within")  # what may stand beside a step's one action
Step = Mapping[str, Any]
Where = tuple[str | int, ...]


class ScenarioFault(Exception):
    """The scenario cannot be run; one sentence with file, line and step."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One scenario. `pbxs` are its PBXs by name, the first one being the default."""

    name: str
    path: Path
    about: str
    steps: tuple[Step, ...]
    pbxs: Mapping[str, Mapping[str, Any]]
    data: Mapping[str, Mapping[str, Any]]
    seed: int
    node: yaml.Node | None = field(repr=False)

    def at(self, where: Where) -> str:
        """Where a step, or a part of one, stands: `file.yaml, line 12, step 3.1`."""
        return _place(self.path, self.node, where)


def load(path: Path) -> Scenario:
    """The scenario in a YAML file. Raises ScenarioFault for the first thing that is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
        node, table = yaml.compose(text, yaml.SafeLoader), yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioFault(f"{path.name} cannot be read: {error}.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ScenarioFault(f"{path.name}, line {line}: not YAML: {error.problem}.") from error
    for fault in validator().iter_errors(table):
        where = tuple(fault.instance_path)
        raise ScenarioFault(f"{_place(path, node, where)}: {_complaint(table, where, fault.message)}")
    for where, step in walk(table["steps"]):
        actions = [name for name in step if name not in BESIDE]
        if len(actions) > 1 or not (actions or "expect" in step):
            raise ScenarioFault(f"{_place(path, node, where)}: a step does one thing, not {actions or 'none'}.")
    return Scenario(
        name=table.get("name", path.stem),
        path=path,
        about=table["about"],
        steps=tuple(table["steps"]),
        pbxs=table.get("pbxs", {"main": {}}),
        data=table.get("data", {}),
        seed=table.get("seed", 7),
        node=node,
    )


def find(name: str) -> Path:
    """The file of a scenario given by path, or by its name in the pack."""
    if name in pack():
        return pack()[name]
    if Path(name).is_file():
        return Path(name)
    raise ScenarioFault(f"There is no file and no ready scenario {name!r}; --list shows the ready ones.")


def pack() -> dict[str, Path]:
    """The ready scenarios by name."""
    return {path.stem: path for path in sorted(PACK.glob("*.yaml"))}


def needs(scenario: Scenario) -> set[str]:
    """What the scenario touches beside the provider's two URLs: "carrier", "gateway", or neither."""
    found = set()
    for _, step in walk(scenario.steps):
        found |= {"gateway"} & step.keys()
        words = {*step.get("expect", {}), *step.get("wait_for", {}).get("expect", {})}
        views = "wait_for" in step or set(step) <= {*BESIDE}
        found |= {"carrier"} if {"fault", "clear_faults"} & step.keys() or views else set()
        found |= {"gateway"} if any(word.startswith("receipts") for word in words) else set()
    return found


@cache
def validator() -> jsonschema_rs.Validator:
    """The schema of scenario files."""
    return jsonschema_rs.validator_for(json.loads((HERE / "scenario.schema.json").read_text(encoding="utf-8")))


def fill_in(value: Any, scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML values
    """The value with every `${name}` replaced from the scope; raises ScenarioFault for an unknown name."""
    if isinstance(value, Mapping):
        return {name: fill_in(inner, scope) for name, inner in value.items()}
    if isinstance(value, list):
        return [fill_in(inner, scope) for inner in value]
    if not isinstance(value, str):
        return value
    whole = _VARIABLE.fullmatch(value)
    return _look_up(whole, scope) if whole else _VARIABLE.sub(lambda match: str(_look_up(match, scope)), value)


def _look_up(match: re.Match[str], scope: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML values
    value: Any = scope
    for part in match[1].split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise ScenarioFault(f"There is no variable {match[0]} here.")
        value = value[part]
    return value


def walk(steps: Sequence[Step], where: Where = ("steps",)) -> Iterator[tuple[Where, Step]]:
    """Every step with its place in the file, those inside others too."""
    for number, step in enumerate(steps):
        here = (*where, number)
        yield here, step
        yield from walk(step.get("repeat", {}).get("steps", []), (*here, "repeat", "steps"))
        for branch, inner in enumerate(step.get("parallel", [])):
            yield from walk(inner, (*here, "parallel", branch))


def _place(path: Path, node: yaml.Node | None, where: Where) -> str:
    line = node.start_mark.line + 1 if node else 1
    for part in where:
        inner = _child(node, part)
        if inner is None:
            break
        node, line = inner, inner.start_mark.line + 1
    numbers = [str(part + 1) for part in where if isinstance(part, int)]
    return f"{path.name}, line {line}" + (f", step {'.'.join(numbers)}" if numbers and where[0] == "steps" else "")


def _child(node: yaml.Node | None, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int):
        inner: yaml.Node = node.value[part]
        return inner
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == part), None)
    return None


def _complaint(table: object, where: Where, message: str) -> str:
    """The validator's sentence, or a better one for the commonest mistake: a step that does not exist."""
    value: Any = table
    for part in where:
        value = value[part]
    if len(where) >= 2 and isinstance(where[-1], int) and isinstance(value, dict):
        known = json.loads((HERE / "scenario.schema.json").read_text(encoding="utf-8"))["$defs"]["step"]["properties"]
        if unknown := [name for name in value if name not in known]:
            return f"there is no step {unknown[0]!r}; there are: {', '.join(known)}."
    return message
