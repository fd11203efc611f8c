"""A disk that really is full: what was answered stays true, and five seconds after there is space orders go on."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PRIVATELY = ("unshare", "--mount", "--propagation", "private")  # a mount namespace of its own, gone with the process
MEGABYTES, ROUNDS = 12, 4


def may_mount():
    """Whether this user may mount a file system that nobody else sees."""
    if shutil.which("unshare") is None:
        return False
    trial = subprocess.run([*PRIVATELY, "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False)
    return trial.returncode == 0


@pytest.mark.parametrize("floor", [0, 2 << 20], ids=["to the last byte", "down to the floor"])
def test_a_full_disk_breaks_no_promise(tmp_path, floor):
    """Database and log on 12 MB, filled under load: nothing lost, doubled or invented, accepting again within 5 s."""
    if not may_mount():
        pytest.skip("mounting needs root, or a user namespace that may")
    program = [sys.executable, "-m", "tests.chaos.small_disk", tmp_path, MEGABYTES, floor, ROUNDS]

    done = subprocess.run(
        [*PRIVATELY, *map(str, program)], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["full"] == ["No space left on device"] * ROUNDS
    assert (report["wrong"], report["rounds"]) == ({}, {"fill the disk": ROUNDS})
    assert report["counts"]["accepted"] > 0
    assert report["counts"]["refused"] > 0
    assert report["slowest_back"] < 5
