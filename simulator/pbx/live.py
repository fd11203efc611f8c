"""A run on the operator's terminal: one line that changes, and keys that change the run. Programs see neither."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any, TextIO

from simulator.pbx.engine import Engine
from simulator.pbx.plan import Shot
from simulator.pbx.tally import Tally

FASTER, SLOWER = 1.1, 1 / 1.1


def play(
    engine: Engine,
    stream: Iterable[Shot],
    keys: TextIO | None = None,
    screen: TextIO | None = None,
    sample: Callable[[dict[str, Any]], None] | None = None,
) -> Tally:
    """Run the shots to their end. Ctrl-C and `q` stop sending and wait for open answers; `+` and `-` bend time.

    `keys` and `screen` default to the terminal, if there is one. `sample` is called once a second.
    """
    keys, screen = keys or _terminal(sys.stdin), screen or _terminal(sys.stderr)
    return asyncio.run(_play(engine, stream, keys, screen, sample))


def press(engine: Engine, keys: str) -> None:
    """What keys do to a run."""
    engine.stopping = engine.stopping or "q" in keys
    for key in keys:
        if key in "+-":
            engine.tempo.change(FASTER if key == "+" else SLOWER, engine.now())


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
        watcher = asyncio.create_task(_watch(engine, screen, sample))
        try:
            return await engine.run(stream)
        finally:
            if keys:
                loop.remove_reader(keys)
            watcher.cancel()
            if screen:
                screen.write("\n")


async def _watch(engine: Engine, screen: TextIO | None, sample: Callable[[dict[str, Any]], None] | None) -> None:
    for second in count(1):
        started, finished = engine.tally.started, engine.tally.finished
        await asyncio.sleep(max(second - engine.now(), 0.0))
        row = engine.tally.sample(engine.tally.started - started, finished)
        if sample:
            sample({"second": second, "planned_second": engine.tempo.planned_at(second), **row})
        if screen:
            screen.write("\r\x1b[K" + engine.tally.line(row, engine.tempo.speed))
            screen.flush()


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
