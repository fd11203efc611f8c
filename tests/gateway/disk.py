"""A file system so small that a test can fill it."""

import os
import subprocess
from contextlib import contextmanager

import pytest


@contextmanager
def mounted(place):
    """1 MB at this place."""
    place.mkdir()
    mount = ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("a file system of its own can only be mounted by root")
    yield place
    subprocess.run(["/usr/bin/umount", "--lazy", str(place)], check=True)  # whatever is still open on it


def filled(place, but=0):
    """Fill it up, but for a few blocks: the file whose removal makes room again."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        while (disk := os.statvfs(place)).f_bavail > but:
            file.write(b"x" * min(disk.f_frsize, 4096))
    return ballast
