"""Whose ledger: in a lab the lab's own, so that console and balance see what a terminal sends."""

from contextlib import chdir
from pathlib import Path

import pytest
from click.testing import CliRunner

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx


@pytest.fixture
def shell(tmp_path):
    """A terminal in an empty folder."""
    with chdir(tmp_path):
        yield CliRunner()


def send(shell, lab, target, *options):
    """One message, as a person types it."""
    target.write_text(f'send_url = "{lab.send_url}"\nkey_file = "key"\nfrom = "{lab.from_number}"\n')
    target.with_name("key").write_text(lab.key)
    words = ["send", "Hello", "--to", "+639171234567", "--target", str(target), *options]
    done = shell.invoke(pbx, words)
    assert done.exit_code == 0, done.output


def runs(path):
    """The runs of a ledger's attempts."""
    with PbxLedger(path, create=False) as ledger:
        return [attempt.run for attempt in ledger.attempts()]


def test_beside_the_carriers_ledger_it_is_the_labs(shell, lab, tmp_path):
    """A target file in a lab's directory names the lab; a run says whose it is."""
    directory = tmp_path / "lab"
    directory.mkdir()
    (directory / "carrier.sqlite").touch()
    send(shell, lab, directory / "lab.toml", "--run", "anna/first")
    assert runs(directory / "pbx.sqlite") == ["anna/first"]
    assert not Path("pbx.sqlite").exists()


def test_elsewhere_it_is_a_file_here(shell, lab, tmp_path):
    """A target file of another provider, perhaps in a repository, gets nothing written beside it."""
    (tmp_path / "targets").mkdir()
    send(shell, lab, tmp_path / "targets" / "staging.toml")
    assert runs("pbx.sqlite") == ["manual"]


def test_a_ledger_that_is_named_is_used(shell, lab, tmp_path):
    """The option wins."""
    (tmp_path / "carrier.sqlite").touch()
    send(shell, lab, tmp_path / "lab.toml", "--ledger", "mine.sqlite")
    assert runs("mine.sqlite") == ["manual"]
