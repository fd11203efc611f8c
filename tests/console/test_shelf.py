"""The shelf: channels as files, the lab's own among them, and what may not be sent through."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.console.lab import LabView
from simulator.console.shelf import Shelf, as_toml, name_for
from tests.console.conftest import TO, target

KEY = "ysk_another-key-of-some-length"


@pytest.mark.parametrize(
    ("owned", "fields", "said"),
    [
        (False, {"to": TO}, "is not this machine"),
        (True, {}, "needs a number that receives tests"),
        (True, {"to": TO}, ""),
        (True, {"only_to": "+639*"}, ""),
    ],
)
def test_a_channel_to_another_machine(owned, fields, said, tmp_path):
    """It needs the word of the owner, and somebody who agreed to receive; a file that is there already, too."""
    lab = LabView(target(owned=owned), tmp_path / "lab.toml")
    table = {"name": "Far", "send_url": "https://sms.invalid/send", "numbers": ["+630000000002"]}
    table |= {name: [value] if name == "only_to" else value for name, value in fields.items()}
    shelf = Shelf(lab)

    assert [said in one for one in shelf.checked(table, {"key": KEY})] == [True] * bool(said)
    shelf.keep("far", table, {"key": KEY})
    assert said in shelf.named("far").trouble
    assert bool(shelf.named("far").trouble) == bool(said)


VALUES = st.one_of(st.text(st.characters(exclude_categories=["Cs"])), st.booleans(), st.integers(-999, 999))
TABLES = st.dictionaries(st.from_regex(r"[a-z_]{1,8}", fullmatch=True), st.one_of(VALUES, st.lists(VALUES, max_size=3)))


def test_the_keys_that_provoke_a_code_are_channels_too(tmp_path):
    """So that every code of the table can be had by a click, and by a command."""
    (tmp_path / "disabled").write_text(KEY)
    provoke = {"10005": {"key_file": "disabled"}, "10007": {"url": "http://127.0.0.1:9/"}}
    lab = LabView(target(name="Lab", provoke=provoke, keys={"KEY_FOR_10005": KEY}), tmp_path / "lab.toml")

    own, disabled = Shelf(lab).all()

    assert (own.name, disabled.name, disabled.title) == ("lab", "lab-10005", "Lab, the key for 10005")
    assert disabled.target.key == KEY
    assert disabled.options[-2:] == ("--key-file", str(tmp_path / "disabled"))


@pytest.mark.parametrize(
    ("title", "name"),
    [("Front desk", "front-desk"), ("  ", "channel"), ("../../etc/passwd", "etc-passwd"), ("ЖЖ", "channel"),
     ("x" * 99, "x" * 40), ("a" * 39 + "-b", "a" * 39)],
)  # fmt: skip
def test_a_title_becomes_a_name(title, name):
    """Of letters, digits and hyphens, at most forty."""
    assert name_for(title) == name


@settings(deadline=None)
@given(TABLES, TABLES)
def test_what_is_written_is_what_is_read(plain, habits):
    """Any text in any field comes back from the file as it went in."""
    table = plain | {"habits": habits}

    assert tomllib.loads(as_toml(table)) == table
