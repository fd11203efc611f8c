"""Talking to the provider politely: its rate, its Retry-After, its budget of real SMS; and remembering it all.

Every request of the suite goes through one `Provider`, whichever engine makes it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from contracts import wire
from contracts.cases import Case
from contracts.judge import order_id
from contracts.target import KEY_VARIABLE, Target
from contracts.wire import Call, Exchange

BUDGET = 25  # real SMS that a run may cause unless the target says otherwise
PATIENCE = 5.0  # seconds of Retry-After that are honoured at once; a longer wait is not worth one case
_TRIES = 4


class BudgetSpentError(Exception):
    """The next request could cause one real SMS more than the target allows."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message the provider said yes to."""

    id: str
    message: Any  # the fields as they were sent, or None if they cannot be told
    index: int  # of the exchange


@dataclass
class Provider:
    """The target, its remaining budget, and every exchange so far."""

    target: Target
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    exchanges: list[Exchange] = field(default_factory=list)
    accepted: list[Accepted] = field(default_factory=list)
    spent: int = 0
    _next: float = 0.0

    @property
    def budget(self) -> int:
        """Real SMS this run may cause, in all."""
        return BUDGET if self.target.max_accepted is None else self.target.max_accepted

    @property
    def keys(self) -> dict[str, str]:
        """The secrets by the names under which calls mention them."""
        return {KEY_VARIABLE: self.target.key, **self.target.keys}

    def allows(self, case: Case) -> bool:
        """Whether the budget allows the case. One SMS is kept back for requests that should be refused."""
        return case.call.operation != "sendmessage" or self.spent < self.budget - case.is_acceptable

    def ask(self, case: Case, *, patient: bool = True) -> Exchange:
        """Send the case at the target's rate. A 429 that it does not expect is waited for and tried again.

        Raises `BudgetSpentError` instead of sending what could exceed the budget.
        """
        for left in reversed(range(_TRIES if patient else 1)):
            if not self.allows(case):
                raise BudgetSpentError
            done = self.call(case.call, case.message)
            wait = _retry_after(done)
            if wait is None or left == 0 or wait > PATIENCE:
                break
            self.sleep(wait)
        return done

    def call(self, call: Call, message: object = None) -> Exchange:
        """Send one call at the target's rate and remember it; nothing is tried again."""
        self._pace()
        return self.remember(wire.exchange(call, self.keys, self.target.timeout), message)

    def remember(self, done: Exchange, message: object = None) -> Exchange:
        """Note an exchange, and the message that it may have cost."""
        sent = done.call.operation == "sendmessage" and done.call.method == "POST"
        self.exchanges.append(done)
        if sent and done.answer is not None and 200 <= done.answer.status < 300:
            self.spent += 1
            if identity := order_id(done.answer):
                self.accepted.append(Accepted(identity, message, len(self.exchanges) - 1))
        return done

    def _pace(self) -> None:
        if self.target.rate is None:
            return
        now = self.clock()
        if self._next > now:
            self.sleep(self._next - now)
        self._next = max(now, self._next) + 1 / self.target.rate


def _retry_after(done: Exchange) -> float | None:
    if done.answer is None or done.answer.status != 429:
        return None
    value = done.answer.headers.get("retry-after", "")
    return float(value) if value.isascii() and value.isdigit() else 1.0
