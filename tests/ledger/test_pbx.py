"""The PBX's ledger: what was tried survives whoever tried it."""

import os
import sqlite3
import subprocess
import sys

import psutil
import pytest
from click.testing import CliRunner

from simulator.carrier.cli import carrier
from simulator.ledger.carrier import CarrierLedger
from simulator.ledger.pbx import Attempt, PbxLedger

WRITER = """
import sys, os, signal
from simulator.ledger.pbx import PbxLedger
ledger = PbxLedger(sys.argv[1])
number = ledger.open("r", "+630000000001", "+639170000001", "hi", 1.0)
ledger.open("r", "+630000000001", "+639170000001", "unanswered", 2.0)
ledger.close(number, 3.0, status=200, code=None, order_id="SDPS1", exchange={"reply": "ok"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_attempts_survive_kill_nine(tmp_path):
    """What was opened and closed is there after kill -9 of the writer; what was never closed says so."""
    path = tmp_path / "pbx.sqlite"
    assert subprocess.run([sys.executable, "-c", WRITER, path], env=os.environ, check=False).returncode == -9
    with PbxLedger(path) as ledger:
        first, second = ledger.attempts()
    assert first == Attempt(
        1, "r", "+630000000001", "+639170000001", "hi", 1.0, 3.0, 200, None, "SDPS1", {"reply": "ok"}
    )
    assert (first.accepted, first.indeterminate) == (True, False)
    assert (second.accepted, second.indeterminate, second.finished_at) == (False, True, None)


def test_bulk_is_numbered_after_what_is_there(tmp_path):
    """record_many gives its own numbers, keeps the order, and pages through more than one page."""
    with PbxLedger(tmp_path / "pbx.sqlite") as ledger:
        ledger.open("a", "+1", "+2", "first", 0.0)
        ledger.record_many(Attempt(0, "b", "+1", "+2", str(n), 1.0, 2.0, 429, "10006") for n in range(5000))
        found = list(ledger.attempts("b"))
        assert [a.number for a in found] == list(range(2, 5002))
        assert [a.text for a in found] == [str(n) for n in range(5000)]
        assert len(list(ledger.attempts())) == 5001


@pytest.mark.parametrize("statement", ["DELETE FROM opened", "UPDATE opened SET text = ''", "DELETE FROM closed"])
def test_ledger_is_only_ever_added_to(tmp_path, statement):
    """SQLite itself refuses to change or remove a row."""
    path = tmp_path / "pbx.sqlite"
    with PbxLedger(path) as ledger:
        number = ledger.open("a", "+1", "+2", "t", 0.0)
        ledger.close(number, 1.0, status=500, code="10007", order_id=None)
        with (
            pytest.raises(sqlite3.IntegrityError, match="only ever added to"),
            ledger.transaction() as connection,
        ):
            connection.execute(statement)


@pytest.mark.parametrize("ledger", [PbxLedger, CarrierLedger])
@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_ledger_is_left_alone(tmp_path, ledger, create):
    """Opening it is one sentence with its name; it is closed at once and not a byte of it has changed."""
    path = tmp_path / "notes.txt"
    path.write_text("no database\n" * 100, encoding="utf-8")
    with pytest.raises(sqlite3.DatabaseError, match=r"^notes\.txt is no ledger \(file is not a database\)$"):
        ledger(path, create=create)
    assert str(path) not in {file.path for file in psutil.Process().open_files()}
    assert path.read_text(encoding="utf-8") == "no database\n" * 100
    assert [file.name for file in tmp_path.iterdir()] == ["notes.txt"]


def test_the_carrier_says_that_its_ledger_is_none(tmp_path):
    """`carrier serve` on such a file is exit 2 and the same sentence."""
    path = tmp_path / "notes.txt"
    path.write_text("no database\n" * 100, encoding="utf-8")
    result = CliRunner().invoke(carrier, ["serve", "--port", "0", "--ledger", str(path)])
    assert (result.exit_code, "notes.txt is no ledger" in result.stderr) == (2, True)


def test_an_attempt_is_closed_once(tmp_path):
    """Closing the same attempt twice is an error and keeps the first answer."""
    with PbxLedger(tmp_path / "pbx.sqlite") as ledger:
        number = ledger.open("a", "+1", "+2", "t", 0.0)
        ledger.close(number, 1.0, status=500, code="10007", order_id=None)
        with pytest.raises(sqlite3.IntegrityError):
            ledger.close(number, 2.0, status=200, code=None, order_id="SDPS1")
        assert [a.status for a in ledger.attempts()] == [500]
