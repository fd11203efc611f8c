"""The PBX's pages: every example runs as it stands, and everything there is is on them."""

import contextlib
import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

import simulator.pbx
from simulator.ledger.watch import STATES
from simulator.pbx.cli import pbx
from simulator.pbx.pacing import PROFILES
from simulator.pbx.personas import PERSONAS
from simulator.pbx.scenario import load, pack
from simulator.pbx.snippets import FORMS

DOCS = Path(simulator.pbx.__file__).parent / "docs"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*.md"))}
PUBLISHED = "http://127.0.0.1:8080/api/v1/integration/yeastar/sms"


def _blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", PAGES[page], re.DOTALL)


@pytest.fixture
def desk(provider, tmp_path):
    """A working directory with the files that the pages show, for the provider of the tests."""
    (channel,) = _blocks("channel.md", "toml")
    channel = channel.replace(f"{PUBLISHED}/sendmessage", f"{provider.url}/send").replace(PUBLISHED, provider.url)
    (tmp_path / "channel.toml").write_text(channel, encoding="utf-8")
    (tmp_path / "contacts.csv").write_text(_blocks("campaign.md", "csv")[0], encoding="utf-8")
    (tmp_path / "story.yaml").write_text(_blocks("scenarios.md", "yaml")[0], encoding="utf-8")
    with contextlib.chdir(tmp_path):
        yield tmp_path


@pytest.mark.parametrize("page", [page for page in PAGES if _blocks(page, "sh")])
def test_examples_run(desk, page):
    """Each command of a page exits 0 in the order of the page; a lab is only rehearsed here."""
    environ = {"YEASTAR_API_KEY": "ysk_test", "SMSLAB_WEBHOOK_SECRET": "hush"}
    for line in "".join(_blocks(page, "sh")).splitlines():
        words = shlex.split(line)
        assert words[:2] == ["smslab", "pbx"]
        command, _, file = line.partition(" > ")
        words = shlex.split(command)[2:] + (["--dry-run"] if "--lab" in words else [])
        result = CliRunner().invoke(pbx, words, env=environ)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        if file:
            (desk / file).write_text(result.output, encoding="utf-8")


def test_example_scenario_of_the_page_holds(provider, desk):
    """The scenario shown on the page is valid and holds for a good provider."""
    words = ["run", "story.yaml", "--send-url", f"{provider.url}/send", "--verify-url", f"{provider.url}/verify"]
    result = CliRunner().invoke(pbx, words, env={"YEASTAR_API_KEY": "ysk_test"})
    assert result.exit_code == 0, result.output
    assert load(desk / "story.yaml").about.startswith("A message to Ana")


def test_everything_is_documented():
    """Commands, profiles, personas, steps and ready scenarios are all on their pages, the latter in their words."""
    schema = json.loads((DOCS.parent / "scenario.schema.json").read_text(encoding="utf-8"))
    expected = {
        "README.md": pbx.commands,
        "traffic.md": [*PROFILES, *PERSONAS],
        "watching.md": [*STATES, *FORMS],
        "scenarios.md": [*pack(), *schema["$defs"]["step"]["properties"]],
    }
    missing = [(page, name) for page, names in expected.items() for name in names if f"`{name}`" not in PAGES[page]]
    assert missing == []
    assert all(f"| `{state}` | {meaning} |" in PAGES["watching.md"] for state, meaning in STATES.items())
    assert all(load(path).about in PAGES["scenarios.md"] for path in pack().values())


def test_every_command_has_an_example():
    """The help of every command ends in an example that starts as a person would type it."""
    for name, command in pbx.commands.items():
        assert f"smslab pbx {name}" in command.help, name
