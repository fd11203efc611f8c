"""A long run cut into portions: commands of their own, some at a time, each result kept as soon as it is there.

So it uses every core, ends early without losing what was done, and goes on where it ended.
"""

import json
import subprocess
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGTERM
from threading import Event
from typing import Any, NamedTuple

from contracts.exits import Exit


class Portion(NamedTuple):
    """A command that prints one JSON document and exits 0 or 1. Its name says which of its kind it is."""

    name: str
    command: tuple[str, ...]
    folder: Path | None = None  # where it runs


@dataclass
class Journal:
    """The results so far: a line each in a file, by the name of the portion."""

    path: Path
    done: dict[str, Any] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)  # by name: what a portion said that gave no result

    def __post_init__(self) -> None:
        """Read what an earlier run has left; a line cut short counts as never written."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
        for line in lines:
            try:
                self.done.update(json.loads(line))
            except ValueError:
                continue

    def add(self, name: str, document: object) -> None:
        """Keep a result."""
        self.done[name] = document
        with self.path.open("a", encoding="utf-8") as file:
            file.write(f"\n{json.dumps({name: document})}")

    def work(
        self, portions: Iterable[Portion], jobs: int, seconds: float, tell: Callable[[str], None] = lambda _line: None
    ) -> None:
        """Run what has no result yet, `jobs` at a time; none is begun after `seconds`.

        Ctrl-C begins no more and asks those that run to come to an end; their results count.
        """
        crew = Crew(time.monotonic() + seconds)
        with ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(crew.run, portion): portion.name for portion in self.missing(portions)}
            try:
                for left, future in zip(reversed(range(len(futures))), as_completed(futures), strict=True):
                    tell(f"{self._note(futures[future], future.result())}; {left} portions are left")
            except KeyboardInterrupt:
                tell("stopping: what runs comes to its end")
                crew.stop()
                for future in as_completed(futures):
                    self._note(futures[future], future.result())

    def missing(self, portions: Iterable[Portion]) -> list[Portion]:
        """What has no result yet, or only that of a portion that was stopped."""
        return [portion for portion in portions if self.done.get(portion.name, {"stopped": 1}).get("stopped")]

    def _note(self, name: str, result: subprocess.CompletedProcess[str] | None) -> str:
        """Keep what a portion came to, and say it in a few words."""
        if result is None or result.returncode == -SIGTERM:
            return f"{name}: not begun, or not to its end"
        if result.returncode in {Exit.FINE, Exit.WRONG} and result.stdout:
            if name not in self.done or self.done[name].get("stopped"):
                self.add(name, json.loads(result.stdout))
            return f"{name}: {'WRONG. ' + result.stderr.strip() if result.returncode else 'done'}"
        self.failed[name] = result.stderr.strip() or f"exit {result.returncode}"
        return f"{name}: {self.failed[name]}"


class Crew:
    """The processes that run now, until an instant of the monotonic clock or until they are told to stop."""

    def __init__(self, end: float) -> None:
        self._end = end
        self._stopping = Event()
        self._running: set[subprocess.Popen[str]] = set()

    def run(self, portion: Portion) -> subprocess.CompletedProcess[str] | None:
        """What the portion printed; None if it is not begun any more."""
        if self._stopping.is_set() or time.monotonic() > self._end:
            return None
        # In a session of its own: Ctrl-C comes to us alone, and we pass it on once.
        with subprocess.Popen(
            portion.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=portion.folder,
            start_new_session=True,
        ) as process:  # fmt: skip
            self._running.add(process)
            if self._stopping.is_set():
                process.terminate()
            out, err = process.communicate()
            self._running.discard(process)
        return subprocess.CompletedProcess(portion.command, process.returncode, out, err)

    def stop(self) -> None:
        """Begin nothing more; who runs is asked to end."""
        self._stopping.set()
        for process in tuple(self._running):
            process.terminate()
