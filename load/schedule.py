"""The queue of one generator process: its arrivals in order, its polite PBXs' waits, its budget. No clock.

A PBX is `n % pbxs`; the first `polite` share of them honour Retry-After: the refused message is tried again
after the wait, up to twice, and what falls due meanwhile is held until then. Rude ones go on. The n-th
message is only ever sent by the process whose share its PBX belongs to.
"""

from heapq import heappop, heappush
from itertools import count
from typing import NamedTuple

from load.arrivals import due_times
from load.plan import Plan
from load.record import VERIFY, Request

TURNS = 2  # polite retries of one message


class Try(NamedTuple):
    """One request that is due: message `n`, its `turn`, and when it should start."""

    n: int
    turn: int
    due: float


class Schedule:
    """What to send next, and what the answers change about that."""

    def __init__(self, plan: Plan, index: int = 0, of: int = 1) -> None:
        profile = plan.profile
        self._pbxs, self._polite = profile.pbxs, round(profile.pbxs * profile.polite)
        self._end = profile.seconds
        due = due_times(profile.curve, poisson=profile.poisson, seed=plan.seed)
        self._arrivals = ((at, n) for n, at in zip(count(), due, strict=False) if self._mine(n, index, of))
        self._next = next(self._arrivals, None)
        self._waiting: list[tuple[float, int, int]] = []
        self._until: dict[int, float] = {}
        self._budget = plan.budget_of(index, of)
        self._committed = 0  # accepted or possibly accepted
        self.held = self.intended = 0

    def _mine(self, n: int, index: int, of: int) -> bool:
        return n % self._pbxs % of == index

    @property
    def spent(self) -> bool:
        """Whether nothing more can be sent within the budget, whatever the open requests bring."""
        return self._budget is not None and self._committed >= self._budget

    def peek(self) -> float | None:
        """When the next try is due, in seconds from the start; None when there is no more."""
        waiting = self._waiting[0][0] if self._waiting else None
        arriving = self._next[0] if self._next else None
        if waiting is None or arriving is None:
            return arriving if waiting is None else waiting
        return min(waiting, arriving)

    def pop(self) -> Try | None:
        """The try that is due next, or None if it is held back or over the budget."""
        if self._waiting and (self._next is None or self._waiting[0][0] <= self._next[0]):
            due, n, turn = heappop(self._waiting)
        elif self._next is not None:
            (due, n), turn = self._next, 0
            self._next = next(self._arrivals, None)
            self.intended += 1
        else:
            return None
        until = self._until.get(n % self._pbxs, 0.0)
        if due < until:
            self._hold(until, n, turn)
            return None
        if self.spent:
            self.intended -= turn == 0
            return None
        self._committed += 1
        return Try(n, turn, due)

    def answered(self, request: Request, retry_after: float | None) -> None:
        """Learn from an answer: a definite refusal frees its part of the budget; polite PBXs wait."""
        refused = request.status not in {None, 200}
        if refused or request.operation == VERIFY:
            self._committed -= 1
        pbx = request.n % self._pbxs
        if retry_after is None or pbx >= self._polite:
            return
        self._until[pbx] = max(self._until.get(pbx, 0.0), request.done + retry_after)
        if request.turn < TURNS:
            self._hold(self._until[pbx], request.n, request.turn + 1)

    def _hold(self, until: float, n: int, turn: int) -> None:
        if until < self._end:
            heappush(self._waiting, (until, n, turn))
        self.held += 1
