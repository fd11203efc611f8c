"""The carrier's pages: what can be listed is listed from the code, and every example is run as it stands."""

import re
import shlex
from dataclasses import fields
from inspect import getdoc
from pathlib import Path

import pytest
from click.testing import CliRunner

import simulator.carrier
from simulator.carrier.cli import carrier as command
from simulator.carrier.faults import kinds
from simulator.carrier.lifecycle import PROFILES
from simulator.carrier.magic import numbers
from simulator.carrier.scope import Scope
from simulator.ledger.balance import kinds as wrongs

DOCS = Path(simulator.carrier.__file__).parent / "docs"
PAGES = {page.name: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
EXAMPLES = [line for page in PAGES.values() for line in re.findall(r"^    \$ (smslab carrier .*)$", page, re.MULTILINE)]


def sentences(cls):
    """A class's docstring on one line."""
    return " ".join(getdoc(cls).split())


def params(cls):
    """The parameters with their defaults, as a person would type them."""
    known = [field for field in fields(cls) if field.init]
    return ", ".join(f"`{field.name}={'' if field.default is None else field.default}`" for field in known) or "-"


TABLES = {
    "faults.md": [f"| `{kind}` | {params(cls)} | {sentences(cls)} |" for kind, cls in kinds().items()],
    "magic.md": [f"| `{magic.number}` | {magic.meaning} |" for magic in numbers()],
    "ledger.md": [
        f"| {name.replace('_', ' ')} | {'yes' if wrong else ''} | {text} |" for name, text, wrong in wrongs()
    ],
}


@pytest.mark.parametrize("page", TABLES)
def test_a_page_lists_exactly_what_the_code_knows(page):
    """Each table has the code's rows in the code's order; the expected table is printed when it has not."""
    rows = [line for line in PAGES[page].splitlines() if line.startswith("|")][2:]
    assert rows == TABLES[page], "\n" + "\n".join(TABLES[page])


@pytest.mark.parametrize("kind", kinds())
def test_every_fault_has_an_example(kind):
    """Somewhere on its page it is armed."""
    assert any(line.startswith(f"smslab carrier fault add {kind}") for line in EXAMPLES)


@pytest.mark.parametrize(
    ("page", "words"),
    [("faults.md", [field.name for field in fields(Scope) if field.init]), ("receipts.md", list(PROFILES))],
)
def test_every_scope_and_profile_is_explained(page, words):
    """Each name stands on its page as code."""
    assert [word for word in words if f"`{word}`" not in PAGES[page]] == []


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_runs(address, tmp_path, line):
    """Run as it stands against a fresh carrier: exit 0. What would serve for ever is only read."""
    words = shlex.split(line)[2:]
    if words[0] == "serve":
        with command.commands["serve"].make_context("serve", words[1:]) as context:
            assert context.params["port"] == 8090
        return
    (tmp_path / "monday.yaml").write_text(
        re.search(r"^(    phases:\n(?:    .*\n)+)", PAGES["faults.md"], re.MULTILINE)[1]
    )
    words = [str(tmp_path / word) if word.endswith(".yaml") else word for word in words]
    runner = CliRunner(env={"SMSLAB_CARRIER_URL": "http://{}:{}".format(*address)})
    runner.invoke(command, ["fault", "add", "nothing"])
    result = runner.invoke(command, words)
    assert (result.exit_code, result.stderr) == (0, "")
