"""Real processes, really killed: a run of `smslab chaos` in portions, and the proof that it would see a loss."""

import os
import sys
from pathlib import Path

import pytest

from gateway.crash import POINTS
from gateway.settings import from_env
from simulator.carrier.faults import kinds
from simulator.chaos import deeds
from simulator.chaos.cli import before_release
from simulator.chaos.deeds import DEEDS
from simulator.chaos.outages import STORES
from simulator.chaos.release import Size, said
from simulator.chaos.rounds import Trial, run
from simulator.chaos.weather import WEATHER

ROUNDS = int(os.environ.get("SMSLAB_CHAOS_ROUNDS", "3"))  # the only place that reads it; .ci/run sets 55
WORLDS = 20
MUTANT = Path(__file__).parent / "mutant.py"
CALM = {"dedup-expiry", "nothing", "outage"}  # would break the carrier's own word, does nothing, leaves nothing to try


def test_rounds_of_chaos_keep_the_promise(tmp_path):
    """A small release: kills and crashes of every kind find nothing lost, doubled or invented, and the worlds agree.

    In CI it is 55 rounds, five of each kind, so that each named crash point is met at least five times.
    """
    size = Size({"sqlite": ROUNDS}, orders=ROUNDS * 20, worlds=WORLDS, cycles=1)

    found = before_release(tmp_path, seed=1, jobs=2, seconds=600, tell=print, size=size)

    report, each = found["chaos"], ROUNDS // len(DEEDS)
    assert (found["true"], found["complete"], found["failed"]) == (True, True, {}), said(found)
    assert (report["rounds"].total(), found["worlds"]["seeds"]) == (ROUNDS, WORLDS)
    assert all(report["rounds"][name] >= each for name in DEEDS)
    assert all(report["crashes"][point] >= each for point in POINTS)
    assert report["counts"]["accepted"] >= ROUNDS * 20
    assert report["counts"]["indeterminate"] <= report["indeterminate_bound"]
    assert (tmp_path / "report.txt").read_text() == said(found)


def test_the_kill_test_sees_the_loss_of_a_gateway_that_answers_first(tmp_path):
    """A gateway that answers 200 before it commits loses orders to kill -9, and the report says so."""
    kill = {"kill gateway": DEEDS["kill gateway"]}
    mutant = (sys.executable, str(MUTANT))

    report = run(tmp_path, Trial(1, 0, faults=False, pause=0.0, deeds=kill, gateway=mutant))

    assert report.wrong["false_id"]
    assert not report.is_true


def test_an_interrupted_run_is_mended_and_balanced(tmp_path):
    """Ctrl-C in the middle of a deed, with the gateway down: it is started again, and what was done is reported."""

    def interrupted(scene):
        scene.kill_gateway()
        raise KeyboardInterrupt

    report = run(tmp_path, Trial(5, 0, deeds={"interrupted": interrupted}))

    assert (report.stopped, report.rounds.total()) == (1, 0)
    assert report.counts["accepted"] > 0
    assert report.is_true


def test_every_crash_point_of_the_gateway_is_a_deed():
    """The simulator knows the gateway's points by name only; the names are the same."""
    assert deeds.POINTS == POINTS
    assert {f"crash {point}" for point in POINTS} < set(DEEDS)


def test_the_carrier_does_a_little_of_everything_meanwhile():
    """Every fault is in the standing weather, but for those that have a reason not to be."""
    assert {kind for kind, _, _ in WEATHER} == set(kinds()) - CALM


@pytest.mark.parametrize("wrong", ["after-lunch", "after-commit:soon"])
def test_a_crash_point_that_does_not_exist_is_named(wrong):
    """A typing error in SMSLAB_CRASH_POINT is a sentence, not a gateway that never crashes."""
    with pytest.raises(ValueError, match="SMSLAB_CRASH_POINT must be one of"):
        from_env({"SMSLAB_CRASH_POINT": wrong})


def test_every_deed_is_documented():
    """The table of the documentation has a row for each deed, and no other."""
    page = Path(deeds.__file__).parent / "docs" / "README.md"
    rows = [line.split("`")[1] for line in page.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(rows) == sorted(STORES["postgresql"])
