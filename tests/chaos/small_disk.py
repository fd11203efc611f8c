"""A lab whose gateway keeps its database and its event log on a file system of a few megabytes, which is filled.

A program of its own: it mounts that file system, so it is started in a mount namespace that nobody else sees
(`unshare --mount`). Prints the report as JSON.
"""

import json
import subprocess
import sys
from pathlib import Path

from simulator.chaos.deeds import Scene
from simulator.chaos.rounds import Trial, run

BLOCK = bytes(1 << 16)


def main(folder: Path, megabytes: int, floor: int, rounds: int) -> None:
    """Fill it so many times under load; the gateway refuses orders when less than `floor` bytes are free."""
    small = folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", small], check=True)  # noqa: S607  wherever it is
    (folder / "gateway.log").symlink_to(small / "gateway.log")
    refused = []

    def fill(scene: Scene) -> None:
        """Not a byte is free for a moment; then the ballast is thrown out."""
        ballast = small / "ballast"
        scene.moment()
        try:
            with ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(BLOCK)
        except OSError as full:
            refused.append(full.strerror)
        scene.moment()
        scene.moment()
        ballast.unlink()

    environ = {"SMSLAB_DATABASE_URL": f"sqlite:///{small / 'gateway.sqlite'}", "SMSLAB_FREE_SPACE_FLOOR": str(floor)}
    report = run(folder, Trial(rounds, 1, faults=False, deeds={"fill the disk": fill}, environ=environ))
    print(json.dumps(report.document() | {"full": refused}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
