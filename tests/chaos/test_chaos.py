"""Real processes, really killed: a short run of `smslab chaos`, and the proof that it would see a loss."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from contracts.exits import Exit
from gateway.crash import POINTS
from gateway.settings import from_env
from simulator.chaos import deeds
from simulator.chaos.cli import chaos
from simulator.chaos.rounds import run

ROUNDS = int(os.environ.get("SMSLAB_CHAOS_ROUNDS", "3"))  # the only place that reads it

MUTANT = Path(__file__).parent / "mutant"


def test_a_short_run_of_chaos_keeps_the_promise():
    """`smslab chaos` kills and crashes a lab under load, finds nothing lost, doubled or invented, and exits 0."""
    done = CliRunner().invoke(chaos, ["--rounds", str(ROUNDS), "--seed", "1", "--json"])
    assert done.exit_code == Exit.FINE, done.output
    report = json.loads(done.stdout)
    assert sum(report["rounds"].values()) == ROUNDS
    assert report["counts"]["accepted"] > 0
    assert report["wrong"] == {}
    assert report["counts"]["indeterminate"] <= report["indeterminate_bound"]


def test_the_kill_test_sees_the_loss_of_a_gateway_that_answers_first(tmp_path):
    """A gateway that answers 200 before it commits loses orders to kill -9, and the report says so."""
    report = run(tmp_path, 1, 0, faults=False, pause=0.0, deeds=["kill gateway"], environ={"PYTHONPATH": str(MUTANT)})
    assert report.wrong["false_id"]
    assert not report.is_true


def test_every_crash_point_of_the_gateway_is_a_deed():
    """The simulator knows the gateway's points by name only; the names are the same."""
    assert deeds.POINTS == POINTS
    assert {f"crash {point}" for point in POINTS} < set(deeds.DEEDS)


@pytest.mark.parametrize("wrong", ["after-lunch", "after-commit:soon"])
def test_a_crash_point_that_does_not_exist_is_named(wrong):
    """A typing error in SMSLAB_CRASH_POINT is a sentence, not a gateway that never crashes."""
    with pytest.raises(ValueError, match="SMSLAB_CRASH_POINT must be one of"):
        from_env({"SMSLAB_CRASH_POINT": wrong})


def test_every_deed_is_documented():
    """The table of the documentation has a row for each deed, and no other."""
    page = Path(deeds.__file__).parent / "docs" / "README.md"
    rows = [line.split("`")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(deeds.DEEDS)
