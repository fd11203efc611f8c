"""A run on the operator's terminal: one line that changes, and keys that change the run. Programs see neither."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from types import MappingProxyType
from typing import Any, TextIO

from simulator.pbx.engine import Engine
from simulator.pbx.plan import Shot
from simulator.pbx.tally import Tally

PACE = MappingProxyType({"+": 1.1, "-": 1 / 1.1, "*": 2.0, "/": 0.5})  # what keys do to the pace, as in SIPp


def play(
    engine: Engine,
    stream: Iterable[Shot],
    keys: TextIO | None = None,
    screen: TextIO | None = None,
    sample: Callable[[dict[str, Any]], None] | None = None,
) -> Tally:
    """Run the shots to their end. Ctrl-C and `q` stop sending and wait for open answers; the keys of `PACE` bend time.

    `keys` and `screen` default to the terminal, if there is one. `sample` is called once a second, and at the end.
    """
    keys, screen = keys or _terminal(sys.stdin), screen or _terminal(sys.stderr)
    return asyncio.run(_play(engine, stream, keys, screen, sample))


def press(engine: Engine, keys: str) -> None:
    """What keys do to a run."""
    engine.stopping = engine.stopping or "q" in keys
    for key in keys:
        if key in PACE:
            engine.tempo.change(PACE[key], engine.now())


async def _play(
    engine: Engine,
    stream: Iterable[Shot],
    keys: TextIO | None,
    screen: TextIO | None,
    sample: Callable[[dict[str, Any]], None] | None,
) -> Tally:
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, ValueError, RuntimeError):  # only the main thread may listen to signals
        loop.add_signal_handler(signal.SIGINT, press, engine, "q")
    with _single_keys(keys):
        if keys:
            loop.add_reader(keys, lambda: press(engine, os.read(keys.fileno(), 64).decode("ascii", "ignore")))
        watch = _Watch(engine, screen, sample)
        watcher = asyncio.create_task(watch.every_second())
        try:
            tally = await engine.run(stream)
            watch.look(engine.now())
            return tally
        finally:
            if keys:
                loop.remove_reader(keys)
            watcher.cancel()
            if screen:
                screen.write("\n")


class _Watch:
    """Looks at a run: what happened since the last look goes to the screen and to whoever samples."""

    def __init__(self, engine: Engine, screen: TextIO | None, sample: Callable[[dict[str, Any]], None] | None) -> None:
        self._engine, self._screen, self._sample = engine, screen, sample
        self._started = self._finished = 0

    async def every_second(self) -> None:
        for second in count(1):
            await asyncio.sleep(max(second - self._engine.now(), 0.0))
            self.look(second)

    def look(self, second: float) -> None:
        tally, tempo = self._engine.tally, self._engine.tempo
        row = tally.sample(tally.started - self._started, self._finished)
        self._started, self._finished = tally.started, tally.finished
        if self._sample:
            times = {"second": round(second, 3), "planned_second": tempo.planned_at(second), "speed": tempo.speed}
            self._sample({**times, **row})
        if self._screen:
            self._screen.write("\r\x1b[K" + tally.line(row, tempo.speed))
            self._screen.flush()


@contextmanager
def _single_keys(keys: TextIO | None) -> Iterator[None]:
    """Keys without Return, as long as it lasts; nothing where there is no terminal."""
    if keys is None or not keys.isatty():
        yield
        return
    import termios
    import tty

    before = termios.tcgetattr(keys)
    tty.setcbreak(keys)
    try:
        yield
    finally:
        termios.tcsetattr(keys, termios.TCSADRAIN, before)


def _terminal(stream: TextIO) -> TextIO | None:
    return stream if stream.isatty() else None
