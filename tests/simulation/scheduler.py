"""One thread, one die, one clock: tasks of simulated processes go on in an order that the seed decides.

A task is a greenlet that gives up its turn only by `pause`, by waiting for a lock or for an event; while it runs
nothing else does. Nothing here knows what the tasks do.
"""

from collections.abc import Callable
from contextlib import suppress
from random import Random

from greenlet import getcurrent, greenlet

EPOCH = 1_790_000_000.0


class Crash(BaseException):
    """The process died here. No `except Exception` survives it."""


class Task(greenlet):
    """A thread of a process; `ready` is the moment from which it may go on."""

    def __init__(self, run: Callable[[], None], process: object, ready: float) -> None:
        super().__init__(run)
        self.process = process
        self.ready = ready


class Scheduler:
    """Runs tasks one at a time. When none may go on, time passes to the moment when one may."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.now = EPOCH
        self._tasks: list[Task] = []
        self._doomed: list[object] = []
        self._hub = getcurrent()

    def clock(self) -> float:
        """Simulated epoch seconds."""
        return self.now

    def spawn(self, process: object, run: Callable[[], None], after: float = 0.0) -> Task:
        """Start a task of a process `after` seconds from now."""
        task = Task(run, process, self.now + after)
        task.parent = self._hub
        self._tasks.append(task)
        return task

    def pause(self, seconds: float = 0.0) -> None:
        """Let others go on; the current task may, `seconds` later. At once outside of tasks."""
        task = getcurrent()
        if isinstance(task, Task):
            task.ready = self.now + seconds
            task.parent.switch()

    def run(self, until: float) -> None:
        """Let tasks go on until simulated time `until`."""
        self._bury()
        while self._tasks and (soonest := min(task.ready for task in self._tasks)) <= until:
            self.now = max(self.now, soonest)
            may = [task for task in self._tasks if task.ready <= self.now]
            task = may[0] if len(may) == 1 else self.rng.choice(may)
            with suppress(Crash):
                task.switch()
            self._bury()
            if task.dead and task in self._tasks:
                self._tasks.remove(task)
        self.now = max(self.now, until)

    def _bury(self) -> None:
        while self._doomed:
            self.end(self._doomed.pop())

    def doom(self, process: object) -> None:
        """Have a process ended as soon as the current task gives up its turn."""
        self._doomed.append(process)

    def end(self, process: object) -> None:
        """End every task of a process where it stands. Not to be called by a task."""
        doomed = [task for task in self._tasks if task.process is process]
        self._tasks = [task for task in self._tasks if task.process is not process]
        for task in doomed:
            if task:  # it has begun and not ended
                with suppress(Crash):
                    task.throw(Crash)


class Turnstile:
    """`threading.Lock` for tasks, as far as the baton uses it."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._held = False
        self._waiting: Task | None = None

    def acquire(self, timeout: float = float("inf")) -> bool:
        """Take it, or wait for it at most `timeout` seconds."""
        if self._held:
            self._waiting = getcurrent()
            self._scheduler.pause(timeout)
            self._waiting = None
            if self._held:
                return False
        self._held = True
        return True

    def release(self) -> None:
        """Give it back and let whoever waits go on."""
        self._held = False
        if self._waiting:
            self._waiting.ready = self._scheduler.now


class Bell:
    """`threading.Event` for tasks.

    Looks that would find nothing are what a simulation spends its time on. So an idle waiter waits longer each time,
    and at least until `next_work`, a moment before which there is nothing to find.
    """

    def __init__(self, scheduler: Scheduler, next_work: Callable[[], float] = lambda: 0.0) -> None:
        self._scheduler = scheduler
        self._next_work = next_work
        self._rung = False
        self._waiting: list[Task] = []
        self._idle = 0

    def is_set(self) -> bool:
        """Whether it was rung and not cleared."""
        return self._rung

    def set(self) -> None:
        """Ring: everybody who waits may go on."""
        self._rung, self._idle = True, 0
        for task in self._waiting:
            task.ready = self._scheduler.now

    def clear(self) -> None:
        """Forget that it was rung."""
        self._rung = False

    def wait(self, timeout: float) -> None:
        """Wait for a ring, at most `timeout` times 1, 2, 4, 8, 16 seconds, or until there may be work."""
        if self._rung:
            return
        task = getcurrent()
        self._waiting.append(task)
        idle = timeout * 2 ** min(self._idle, 4)
        self._scheduler.pause(max(idle, self._next_work() - self._scheduler.now))
        self._waiting.remove(task)
        self._idle += 1
