"""Whichever write or sync of the store fails: nothing accepted is lost, nothing refused is kept."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def findings(tmp_path_factory):
    """What every n-th failure of every kind led to."""
    folder = tmp_path_factory.mktemp("nth")
    shim = folder / "failing.so"
    subprocess.run([COMPILER, "-shared", "-fPIC", "-o", shim, HERE / "failing.c", "-ldl"], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.nth_failure", folder],
        env=os.environ | {"LD_PRELOAD": str(shim)},
        cwd=HERE.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("fault", ["fdatasync", "write", "write, disk full"])
def test_the_nth_failure_of_the_store_breaks_no_promise(findings, fault):
    """For every n: a 200 is in the files under its id, a definite refusal is not, and the next message is accepted."""
    runs = findings[fault]
    assert len(runs) > 3, "the failures were never met"
    assert any(500 in run["statuses"] for run in runs[:-1]) or fault == "fdatasync"
    for nth, run in enumerate(runs, 1):
        assert (run["lost"], run["phantom"], run["statuses"][-1]) == ([], [], 200), (nth, run)
    assert runs[-1]["statuses"] == [200] * len(runs[-1]["statuses"])
