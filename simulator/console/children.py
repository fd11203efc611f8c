"""The runs that this console started: child processes of the command line, each with a directory of what it said.

`run.json` says what was started, `output.log` what it printed, `samples.jsonl` what it did second by second. Only a
process that was started here is ever signalled, by the handle it was started with, and a console that ends takes its
own with it.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

from contracts.exits import Exit
from contracts.target import KEY_VARIABLE
from simulator.lab import SMSLAB

MOST: Final = 4  # at one time: the lab's machine has other work to do
PATIENCE: Final = 10.0  # seconds that a run may take to end
ABOUT: Final = "run.json"


class Crowded(Exception):
    """Too many runs are going on; the sentence says so."""


@dataclass(frozen=True, slots=True)
class Started:
    """What was started: `words` are those after `smslab`; `plan` is what the chart and a replay need to know."""

    run: str
    room: str
    kind: str
    title: str
    at: float
    words: Sequence[str]
    plan: Mapping[str, Any]
    directory: Path = field(default=Path())

    @property
    def output(self) -> str:
        """What it has printed so far, the last 20,000 characters."""
        log = self.directory / "output.log"
        return log.read_bytes()[-20_000:].decode(errors="replace") if log.exists() else ""

    @property
    def report(self) -> Any:  # noqa: ANN401 - JSON
        """What it printed at its end for programs; None while it has not."""
        for line in reversed(self.output.splitlines()):
            if line.startswith(("{", "[")):
                try:
                    return json.loads(line)
                except ValueError:
                    return None
        return None


class Children:
    """The children of one console. `directory` keeps what they said, also for the console that comes after."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._lock = directory, Lock()
        self._alive: dict[str, subprocess.Popen[bytes]] = {}
        self._stopped: set[str] = set()

    def place(self, run: str) -> Path:
        """The directory of a run, made if need be. Its name is the run's, with nothing in it that paths mean."""
        directory = self._directory / "".join(letter if letter.isalnum() else "-" for letter in run)
        directory.mkdir(parents=True, exist_ok=True)
        return directory

    def start(self, started: Started, key: str) -> None:
        """Start it, with the key in its environment. Crowded if there are too many."""
        with self._lock:
            if len([1 for child in self._alive.values() if child.poll() is None]) >= MOST:
                raise Crowded(f"{MOST} runs are going on; stop one, or wait for its end.")
            directory = self.place(started.run)
            about = {name: value for name, value in asdict(started).items() if name != "directory"}
            (directory / ABOUT).write_text(json.dumps(about), encoding="utf-8")
            environ = {name: value for name, value in os.environ.items() if not name.startswith("SMSLAB_CONSOLE")}
            with (directory / "output.log").open("wb") as log:
                self._alive[started.run] = subprocess.Popen(
                    [*SMSLAB, *started.words],
                    env=environ | {KEY_VARIABLE: key, "PYTHONUNBUFFERED": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def stop(self, run: str) -> bool:
        """Ask it to end (SIGINT), if it is ours and still going on."""
        child = self._alive.get(run)
        if child is None or child.poll() is not None:
            return False
        self._stopped.add(run)
        child.send_signal(signal.SIGINT)
        return True

    def state(self, started: Started) -> str:
        """`running`, how it ended by its exit code, or that the console which started it is gone."""
        child = self._alive.get(started.run)
        if child is None:
            return self._kept(started)
        code = child.poll()
        if code is None:
            return "stopping" if started.run in self._stopped else "running"
        word = "stopped" if started.run in self._stopped else WORDS.get(code, f"ended with {code}")
        (started.directory / "exit").write_text(word, encoding="utf-8")
        return word

    def all(self) -> Iterator[Started]:
        """Everything that was ever started in this lab, the newest first."""
        found = [one for file in self._directory.glob(f"*/{ABOUT}") if (one := _read(file))]
        yield from sorted(found, key=lambda one: one.at, reverse=True)

    def one(self, run: str) -> Started | None:
        """The run of that name, if a console started it."""
        return next((one for one in self.all() if one.run == run), None)

    def close(self) -> None:
        """End those that are still going on, and wait for them."""
        for run in list(self._alive):
            self.stop(run)
        for child in self._alive.values():
            try:
                child.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        for started in self.all():
            self.state(started)  # which writes down how those ended

    def _kept(self, started: Started) -> str:
        kept = started.directory / "exit"
        if kept.exists():
            return kept.read_text(encoding="utf-8")
        return "ended" if started.report is not None else "left behind by a console that is gone"


WORDS: Final[Mapping[int, str]] = {
    Exit.FINE: "fine", Exit.WRONG: "something was wrong", Exit.USAGE: "was not understood",
    Exit.COULD_NOT_TEST: "could not be tested", Exit.NOT_ALL_REACHED: "not everything was reached",
}  # fmt: skip


def _read(file: Path) -> Started | None:
    try:
        return Started(**json.loads(file.read_text(encoding="utf-8")), directory=file.parent)
    except (OSError, ValueError, TypeError):
        return None
