"""Wall-clock deadlines for calls that have none of their own: one thread cuts whatever is not done in time.

A `threading.Timer` would do as well, at the price of a thread for each call.
"""

import math
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Thread
from time import monotonic

Cut = Callable[[], None]


class Deadlines:
    """The calls in progress and when each is to end. The thread starts with the first call and stays."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Begin anew: what a forked process inherits has no thread, and the calls are its parent's."""
        self._changed = Condition()
        self._calls: dict[object, tuple[float, Cut]] = {}
        self._next_look = math.inf
        self._thread: Thread | None = None

    @contextmanager
    def within(self, seconds: float, cut: Cut) -> Iterator[None]:
        """Have `cut` called if the block is not left in time, and never after it is left. `cut` must not block."""
        call, end = object(), monotonic() + seconds
        with self._changed:
            self._calls[call] = (end, cut)
            if self._thread is None:
                self._thread = Thread(target=self._watch, daemon=True, name="deadlines")
                self._thread.start()
            if end < self._next_look:  # seldom: it sleeps until the end of some call, be it over or not
                self._next_look = end
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._calls.pop(call, None)

    def _watch(self) -> None:
        with self._changed:
            while True:
                now = monotonic()
                for call in [call for call, (end, _) in self._calls.items() if end <= now]:
                    _, cut = self._calls.pop(call)
                    with suppress(Exception):  # one that fails must not end the thread that keeps all others
                        cut()
                self._next_look = min((end for end, _ in self._calls.values()), default=math.inf)
                self._changed.wait(None if self._next_look == math.inf else self._next_look - now)


DEADLINES = Deadlines()
os.register_at_fork(after_in_child=DEADLINES.forget)
