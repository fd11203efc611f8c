"""Group commit by a passed baton: concurrent callers share one write and one fsync.

The first caller leads: it writes everything that waits, hands the lead to the first of those who came meanwhile, and
returns. There is no writer thread and no timer, so a lone caller pays nothing; and no leader works for others after
its own answer is known, which is what costs a looping leader 65 to 109 ms at p99 (`reference/performance.md`).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import Enum, auto
from threading import Lock
from typing import Any

Row = tuple[Any, ...]


class Fate(Enum):
    """What became of a row."""

    COMMITTED = auto()
    DUPLICATE = auto()  # its id is taken; nothing was written
    REFUSED = auto()  # it is proven that nothing was written and nothing will be
    UNKNOWN = auto()  # nothing could be learned before the deadline


class Ticket:
    """One caller's row and the lock it waits on."""

    __slots__ = ("fate", "leads", "row", "turn")

    def __init__(self, row: Row, turn: Any) -> None:  # noqa: ANN401  a lock, of whatever kind the threads are
        self.row = row
        self.fate: Fate | None = None
        self.leads = False
        self.turn = turn
        self.turn.acquire()


class Baton:
    """Collects rows and has `write` store them, a batch at a time, in the thread of one of the callers.

    `write` returns one fate a row and does not raise. `most` bounds a batch, `patience` (seconds) a caller's wait,
    `lock` makes what callers wait on. `afterwards` is told of each batch when nobody waits for it any more.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Row]], Sequence[Fate]],
        most: int = 256,
        patience: float = 5,
        lock: Callable[[], Any] = Lock,
        afterwards: Callable[[Sequence[Row], Sequence[Fate]], None] = lambda _rows, _fates: None,
    ) -> None:
        self._write = write
        self._lock = lock
        self._afterwards = afterwards
        self._most = most
        self._patience = patience
        self._mutex = Lock()
        self._waiting: list[Ticket] = []
        self._led = False

    def submit(self, row: Row) -> Fate:
        """Have the row written and say what became of it, within `patience` seconds unless this caller leads."""
        ticket = Ticket(row, self._lock())
        with self._mutex:
            self._waiting.append(ticket)
            ticket.leads = not self._led
            self._led = True
        if not ticket.leads and not ticket.turn.acquire(timeout=self._patience):
            self._give_up(ticket)
        if ticket.leads:
            self._lead()
        return ticket.fate or Fate.UNKNOWN

    def _lead(self) -> None:
        """Write what waits (the leader's own row is first), then hand over, then wake those who were served."""
        with self._mutex:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        fates = self._write([ticket.row for ticket in batch])
        with self._mutex:
            for ticket, fate in zip(batch, fates, strict=True):
                ticket.fate = fate
            heir = self._waiting[0] if self._waiting else None
            self._led = heir is not None
            if heir:
                heir.leads = True
        if heir:
            heir.turn.release()
        for ticket in batch[1:]:
            ticket.turn.release()
        with suppress(Exception):  # the rows are on disk; nothing that is noted of them may change the answer
            self._afterwards([ticket.row for ticket in batch], fates)

    def _give_up(self, ticket: Ticket) -> None:
        """A row nobody has taken up yet is withdrawn, so its refusal is definite; one being written stays unknown."""
        with self._mutex:
            if ticket.fate is None and not ticket.leads and ticket in self._waiting:
                self._waiting.remove(ticket)
                ticket.fate = Fate.REFUSED
