"""Fails the n-th system call of a gateway's store, n = 1, 2, 3 ..., until a run completes untouched (SQLite's method).

A program of its own, because the calls are made to fail by a library loaded before libc. After each run the files are
copied as they are, as a kill -9 would leave them, opened, and compared with what had been answered. Prints JSON.
"""

import ctypes
import errno
import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from contracts.judge import Answer, order_id
from gateway.database import initialise
from gateway.settings import Settings
from tests.conftest import open_desk

MESSAGES = 4
FAULTS = {"fdatasync": errno.EIO, "write": errno.EIO, "write, disk full": errno.ENOSPC}
ENOUGH = 200  # n by which a run must have completed untouched


def main(folder: Path) -> None:
    """Run every n of every fault, and say what was seen."""
    initialise(f"sqlite:///{folder / 'empty.sqlite'}")
    shim = ctypes.CDLL(None)
    print(json.dumps({name: [*series(shim, folder, name, code)] for name, code in FAULTS.items()}))  # noqa: T201


def series(shim, folder, name, code):
    """One finding per n."""
    for nth in range(1, ENOUGH):
        place = folder / f"{name}-{nth}".replace(", ", "-").replace(" ", "-")
        place.mkdir()
        shutil.copy(folder / "empty.sqlite", place / "gateway.sqlite")
        desk = open_desk(Settings(database_url=f"sqlite:///{place / 'gateway.sqlite'}"))
        shim.arm(name.partition(",")[0].encode(), nth, code)
        answers = [desk.send(text=f"m{number}") for number in range(MESSAGES)]
        untouched = shim.remaining() > 0
        shim.arm(b"", 0, 0)
        answers.append(desk.send(text="after"))
        yield finding(place, answers, desk.log.getvalue())
        desk.gateway.orders._baton._write.__self__._database.insert.close()
        desk.gateway.close()
        shutil.rmtree(place)
        if untouched:
            return


def finding(place, answers, log):
    """What was answered, and which answers the files contradict."""
    for suffix in ("", "-wal"):
        shutil.copy(place / f"gateway.sqlite{suffix}", place / f"copy.sqlite{suffix}")
    with closing(sqlite3.connect(place / "copy.sqlite")) as connection:
        present = dict(connection.execute("SELECT text, id FROM orders"))
    doubts = log.count('"event": "indeterminate"')
    told = {
        f"m{n}" if n < MESSAGES else "after": (
            answer.status_code,
            order_id(Answer(answer.status_code, {}, answer.data)),
        )
        for n, answer in enumerate(answers)
    }
    return {
        "statuses": [status for status, _ in told.values()],
        "lost": [text for text, (status, order) in told.items() if status == 200 and present.get(text) != order],
        "phantom": [text for text, (status, _) in told.items() if status != 200 and text in present][doubts:],
        "doubts": doubts,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
