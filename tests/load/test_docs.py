"""The load guide is true: its commands run, its tables are the code's, its files are read."""

import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.exits import Exit
from load import phases, plan, profiles
from load.cli import load

DOCS = Path(phases.__file__).with_name("docs")
GUIDE, PROFILES = ((DOCS / name).read_text(encoding="utf-8") for name in ("go-live.md", "profiles.md"))
COMMANDS = re.findall(r"^\$ smslab load (.+)$", GUIDE, re.MULTILINE)
TOML = re.compile(r"```toml\n(.*?)```", re.DOTALL)
SMALL = shlex.split("--peak 20 --seconds 4")
SLOW = {"latency p50", "latency p99", "latency p99.9", "baseline p50", "baseline p99", "baseline p99.9"}


@pytest.fixture(scope="module")
def desk(lab, tmp_path_factory):
    """A folder with the guide's staging file, pointing at a lab instead."""
    home = tmp_path_factory.mktemp("guide")
    (home / "staging.key").write_text(lab.key)
    text = TOML.search(GUIDE)[1]
    for part in ("send", "verify"):
        text = re.sub(f'{part}_url = ".*"', f'{part}_url = "{getattr(lab, part + "_url")}"', text)
    (home / "staging.toml").write_text(text)
    return home


FIRST = "run smoke --directory var/before"  # what the line with --baseline needs
RUN = [line for line in dict.fromkeys(COMMANDS) if re.search(r"profiles|go-live|baseline|staging", line)]


@pytest.mark.parametrize("line", RUN)
def test_each_command_of_the_guide_runs(line, desk):
    """As printed, only smaller and in a folder of its own, each ends with a verdict of its own kind."""
    assert FIRST in COMMANDS
    for printed in [FIRST, line] if "--baseline" in line else [line]:
        words = shlex.split(printed.replace("staging.toml", f"{desk}/staging.toml").replace("var/", f"{desk}/"))
        if words[0] == "run":
            words += SMALL if "--directory" in words else [*SMALL, "--directory", str(desk / str(len(line)))]
        result = CliRunner().invoke(load, words)
        assert result.exit_code in {Exit.FINE, Exit.NOT_ALL_REACHED} or only_slow(result.output), result.output


@pytest.mark.parametrize("line", sorted(set(COMMANDS) - {*RUN, FIRST}))
def test_the_other_commands_of_the_guide_are_well_formed(line):
    """What other tests run in a form of their own is at least what the command understands."""
    name, *words = shlex.split(line)
    assert load.commands[name].make_context(name, words).params


def only_slow(printed):
    """Whether a run fails by nothing but the speed of the machine that runs the tests."""
    if "could not keep up" in printed:
        return True
    failed = {line.split("│")[1].strip() for line in printed.splitlines() if "FAILED" in line}
    return bool(failed) and failed <= SLOW


def test_the_guide_names_every_command_and_exit_code():
    """No part of `smslab load` is left out, and the table of exit codes is complete."""
    assert {line.split()[0] for line in COMMANDS} >= set(load.commands) - {"bench"}
    assert re.findall(r"^\| (\d) \|", GUIDE, re.MULTILINE) == [str(int(code)) for code in Exit]


def test_the_table_of_profiles_is_the_code_s():
    """Each profile has its line, with the length, the peak and the purpose that it has in the code."""
    rows = [f"| {p.name} | {p.seconds:g} s | {p.peak:g}/s | {p.purpose} |" for p in profiles.ALL]
    assert "\n".join(rows) in PROFILES


def test_the_example_profile_is_read_and_shows_every_setting():
    """The TOML of the documentation is a valid profile, and no setting is missing from it."""
    text = TOML.search(PROFILES)[1]
    table = tomllib.loads(text)
    assert phases.read(text).name == "monday"
    for kind, part in (
        (phases.Profile, table),
        (phases.Thresholds, table["thresholds"]),
        (phases.Phase, {name for phase in table["phases"] for name in phase}),
    ):
        assert {field.name for field in fields(kind)} == set(part)


def test_the_defaults_in_the_example_are_the_code_s():
    """What the example calls a default is one."""
    table = tomllib.loads(TOML.search(PROFILES)[1])
    shown = {name: table[name] for name in ("key_rate", "pbxs", "polite", "poisson", "verify_every")}
    assert shown == {name: getattr(profiles.named("smoke"), name) for name in shown}


def test_the_guide_names_the_settings_of_plain_locust():
    """The variables that plain Locust needs are those that the plan reads."""
    named = set(re.findall(r"`((?:YEASTAR|SMSLAB_LOAD)_\w+)`", GUIDE))
    assert named <= set(plan.Plan.from_env.__code__.co_consts)
