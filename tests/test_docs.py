"""What the documentation says is true: its commands run, its tables are the contract's, and no command is missing."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from contracts import spec
from simulator.cli import COMMANDS, smslab
from simulator.handover import hand_over
from simulator.lab import running_lab

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMAND_LINES = re.findall(r"^\$ (.+)$", README, re.MULTILINE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which `smslab up` is running, as far as the README can tell."""
    home = tmp_path_factory.mktemp("home")
    with running_lab(home / "var" / "up", rate=5000) as lab:
        hand_over(lab)
        yield home


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line.startswith("smslab")])
def test_readme_command_runs(line: str, folder: Path):
    """Each command of the README does what it is there for, as it is printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    done = subprocess.run(
        shlex.split(line), cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, check=False
    )

    assert done.returncode == 0 or only_slow(done.stdout.decode()), done.stdout.decode() + done.stderr.decode()


def only_slow(printed: str) -> bool:
    """Whether all that a load run found wrong is how long this machine took: no business of a test."""
    return [line.split("│")[1].strip() for line in printed.splitlines() if "FAILED" in line] == ["latency p99"]


def test_readme_names_make_targets_that_exist():
    """The two commands at the top of the README are targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = [line.split()[1] for line in COMMAND_LINES if line.startswith("make")]

    assert targets == ["demo", "test"]
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def test_readme_table_is_the_contract():
    """The table of errors in the README is the one of openapi.yaml."""
    rows = [f"| {row.status} | {row.code} | {row.title} |" for row in spec.error_rows()]

    assert "\n".join(rows) in README


def test_readme_is_short():
    """The README is at most 150 lines and shows a command before line 25."""
    lines = README.splitlines()

    assert len(lines) <= 150
    assert any(line.startswith("$ ") for line in lines[:25])


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and everything below it, by full name."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            below = command.get_command(context, child)
            assert below is not None
            yield from commands(below, f"{name} {child}")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str):
    """Every command says what it does; every one that is no group shows an example."""
    group = smslab.get_command(click.Context(smslab), name)
    assert group is not None

    found = dict(commands(group, f"smslab {name}"))

    for full_name, command in found.items():
        assert command.help, full_name
        assert isinstance(command, click.Group) or "Example:" in command.help, full_name


@pytest.mark.parametrize("name", COMMANDS)
def test_every_part_is_named_in_the_changelog_or_the_readme(name: str):
    """No command of the first level is left unmentioned."""
    text = README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")

    assert f"smslab {name}" in text
