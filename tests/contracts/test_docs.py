"""The pages say what the code does: made pages are up to date, commands exist, examples are valid."""

import re
from pathlib import Path

import click
import pytest
import yaml

import contracts
from contracts import baseline, rules
from contracts.cli import contract
from contracts.pages import PAGES
from contracts.reports.files import FILES
from contracts.verify import TABLES
from tests.contracts.opinions import __main__ as opinions

DOCS = Path(contracts.__file__).parent / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_made_pages_are_up_to_date(name):
    """`python -m contracts.pages` would change nothing."""
    assert (DOCS / name).read_text() == PAGES[name]()


def test_every_option_in_the_pages_exists():
    """What the pages tell people to type is there, and every kind of report and engine is told of."""
    text = "".join(page.read_text() for page in DOCS.glob("*.md"))
    known = {o for command in contract.commands.values() for p in command.params for o in p.opts}
    foreign = {"--smslab-target", "--disabled", "--rate", "--seeds"}
    assert set(re.findall(r"(?<=[ `])--[a-z][a-z-]+", text)) <= known | foreign
    assert all(f"{kind}=" in text for kind in FILES)
    assert all(f"| {engine} |" in text for engine in [*TABLES, "fuzz", "provoke", "invariants"])


def test_the_baseline_of_the_pages_is_one(tmp_path):
    """The example of accepted deviations is read as it stands."""
    (block,) = re.findall(r"```toml\n(.*?)```", (DOCS / "verify.md").read_text(), re.DOTALL)
    (tmp_path / "baseline.toml").write_text(block)
    assert [entry.rule for entry in baseline.load(tmp_path / "baseline.toml")] == ["YS-HTTP-01"]


def test_every_command_has_help_with_an_example():
    """Each command says in its help how it is called."""
    for name, command in contract.commands.items():
        assert f"Example: smslab contract {name}" in (command.help or "")
        assert isinstance(command, click.Command)


def test_the_ready_jobs_are_yaml_that_calls_the_suite():
    """Both jobs parse, and call `smslab contract verify` with files that they keep."""
    blocks = re.findall(r"```yaml\n(.*?)```", (DOCS / "ci.md").read_text(), re.DOTALL)
    github, gitlab = (yaml.safe_load(block) for block in blocks)
    assert "smslab contract verify" in github["jobs"]["contract"]["steps"][3]["run"]
    assert "smslab contract verify" in gitlab["contract"]["script"][1]
    assert gitlab["contract"]["allow_failure"]["exit_codes"] == [3]


def test_every_independent_opinion_is_told_of():
    """The page names each reader, judge and client that `.ci/opinions` asks, and the script pins what it installs."""
    page, nowhere = (DOCS / "ci.md").read_text(), Path()
    asked = [*opinions.on_the_document(nowhere, nowhere), "openapi-core", "Prism", "Telnyx", "Apprise", "newman"]
    assert [name for name in asked if name not in page] == []
    script = (DOCS.parents[1] / ".ci/opinions").read_text()
    (tools,) = re.findall(r"tools=\((.*?)\)", script, re.DOTALL)
    assert all(re.fullmatch(r"[@\w/-]+@\d+\.\d+\.\d+", tool) for tool in tools.split())
    assert "://" not in script


def test_rules_named_in_pages_and_decisions_exist():
    """No page names a rule that is gone."""
    pages = [*DOCS.glob("*.md"), *(DOCS.parent / "decisions").glob("*.md")]
    named = {rule for page in pages for rule in re.findall(r"YS-[A-Z]+-\d\d", page.read_text())}
    assert named <= set(rules.rules())


def test_decisions_are_short():
    """A decision is at most 40 lines: question, choice, because, how we would notice."""
    for page in (DOCS.parent / "decisions").glob("*.md"):
        text = page.read_text()
        assert len(text.splitlines()) <= 40
        for part in ("**Question", "**Choice", "**Because", "**How we would notice we were wrong"):
            assert part in text
