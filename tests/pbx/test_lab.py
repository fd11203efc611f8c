"""The PBX against the real gateway and the real fake carrier."""

import json
import subprocess
import sys

import pytest

# The quick part of the pack; `smslab pbx run --all --lab` plays all of it.
QUICK = ["first-day", "wrong-key", "media-refused", "unicode", "long-text", "answer-lost", "double-click"]


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """The quick scenarios played once, in one lab of the command's own."""
    path = tmp_path_factory.mktemp("lab") / "pbx.sqlite"
    words = [sys.executable, "-m", "simulator", "pbx", "run", *QUICK, "--lab", "--json", "--ledger", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=180)
    return done, {one["scenario"]: one for one in json.loads(done.stdout or "[]")}


@pytest.mark.parametrize("name", QUICK)
def test_ready_scenario_holds_for_the_bundled_gateway(played, name):
    """What the scenario says holds for our own gateway and carrier."""
    done, scenarios = played
    assert name in scenarios, done.stderr
    assert [step for step in scenarios[name]["steps"] if step["complaints"]] == []
    assert scenarios[name]["verdict"] == "FINE"


def test_lab_is_gone_afterwards(played):
    """The run ends with exit 0 and no key in what it printed."""
    done, _ = played
    assert (done.returncode, done.stderr) == (0, "")
    assert "ysk_" not in done.stdout
