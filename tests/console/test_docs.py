"""The user's guide of the console: a section for each page, pictures that are there, commands that exist."""

import re
import shlex
from pathlib import Path
from typing import Final

import click
import pytest

import simulator.console
from simulator.cli import smslab
from simulator.console.app import PAGES
from tests.console.screenshots import LARGEST

FOLDER: Final = Path(simulator.console.__file__).parent / "docs"
GUIDE: Final = (FOLDER / "README.md").read_text(encoding="utf-8")
README: Final = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
PICTURES: Final = re.findall(r"!\[[^]]+\]\(([^)]+)\)", GUIDE)
COMMANDS: Final = re.findall(r"(?:^    |`)(smslab [^#`\n]+)", GUIDE, re.MULTILINE)


def test_every_page_of_the_menu_has_a_section():
    """In the menu's order."""
    sections = re.findall(r"^## (.+)$", GUIDE, re.MULTILINE)
    menu = [page.title for page in PAGES if page.title]

    assert [title for title in sections if title in menu] == menu


def test_every_picture_is_shown_and_small():
    """None is missing, none lies about unused, none is a burden."""
    stored = {path.name: path.stat().st_size for path in FOLDER.glob("*.png")}

    assert set(PICTURES) == set(stored)
    assert max(stored.values()) <= LARGEST


def test_the_readme_shows_one():
    """And it is one of the guide's."""
    assert re.findall(r"\(simulator/console/docs/([^)]+\.png)\)", README) == ["message.png"]


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_are_the_programs(line):
    """Each command and each of its options exists."""
    words = shlex.split(line)[1:]
    context, command = click.Context(smslab), smslab
    while isinstance(command, click.Group) and words:
        name = words.pop(0)
        command = command.get_command(context, name)
        assert command is not None, name
    known = {option for parameter in command.params for option in parameter.opts}

    assert {word for word in words if word.startswith("--")} <= known
