"""Deliberate breaches of the promise, each one small change to a real part. A suite that lets one live is blind there.

Each is what somebody could write on a bad day; its name says what was thought.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.baton import Baton, Fate, Row, Ticket
from gateway.carrier import REFUSED, RETRY, Call, Outcome, Parcel
from gateway.claims import Claimed
from gateway.dispatcher import Dispatcher
from gateway.orders import Orders
from tests.simulation.parts import Parts
from tests.simulation.stage import FaultyWriter
from tests.simulation.world import Process, with_settings


class AcknowledgeFirst(Orders):
    """Answers, then commits."""

    def create(self, integration: Any, message: Any, content: Any) -> str:
        order_id = self._ids.draw()
        row = self._row(order_id, integration, message, content)
        process = self._point.__self__
        process.world.scheduler.spawn(process, lambda: self._baton.submit(row) and None, 0.1)
        return order_id


class TrustTheError(FaultyWriter):
    """A failed COMMIT is answered with 10007 without asking what became of it."""

    def _settle(self, ids: list[str], _fault: sqlite3.Error) -> list[Fate]:
        self.close()
        return [Fate.REFUSED] * len(ids)


class AskButDoNotForce(FaultyWriter):
    """A failed COMMIT is looked up, but nothing covers what it left in the log."""

    def _settle(self, ids: list[str], _fault: sqlite3.Error) -> list[Fate]:
        self.close()
        found = {row[0] for row in self._open().execute("SELECT id FROM orders")}
        return [Fate.COMMITTED if i in found else Fate.REFUSED for i in ids]


class TakenIsMine(FaultyWriter):
    """An id that is taken counts as stored."""

    def _alone(self, row: Row) -> Fate:
        fate = super()._alone(row)
        return Fate.COMMITTED if fate is Fate.DUPLICATE else fate


class UnknownIsNo(Orders):
    """An unknown commit is answered as a definite refusal: no line in the event log."""

    def _answer(self, order_id: str, fate: Fate, *rest: Any) -> str:
        return super()._answer(order_id, Fate.REFUSED if fate is Fate.UNKNOWN else fate, *rest)


class ImpatientBaton(Baton):
    """A row that is being written when patience ends is answered as if it had been withdrawn."""

    def _give_up(self, ticket: Ticket) -> None:
        super()._give_up(ticket)
        ticket.fate = ticket.fate or Fate.REFUSED


class DroppedBaton(Baton):
    """The lead is handed on by forgetting it: who waits is never written."""

    def _lead(self) -> None:
        super()._lead()
        self._waiting.clear()


class GiveUpAfterThree(Dispatcher):
    """Three tries and the message is thrown away."""

    def _next_try(self, order: Claimed, outcome: Outcome, now: float) -> int:
        due = super()._next_try(order, outcome, now)
        return 10**15 if order.attempts >= 3 and outcome.kind == RETRY else due


class ForgetTheWindow(Dispatcher):
    """Goes on trying when the carrier has forgotten the key."""

    def _is_over(self, order: Claimed, now: float) -> bool:
        return now * 1000 >= order.expires_at


class EarlyEnd(Dispatcher):
    """Anything tried before counts as expired."""

    def _is_over(self, order: Claimed, now: float) -> bool:
        return order.attempts > 2 or super()._is_over(order, now)


@dataclass
class Between:
    """Stands between dispatcher and line; `before` sees the parcels, `after` the call."""

    line: Any
    process: Process
    before: Callable[["Between", Sequence[Parcel]], Sequence[Parcel]] = lambda _self, parcels: parcels
    after: Callable[["Between", Sequence[Parcel], Call], Call] = lambda _self, _parcels, call: call

    def submit(self, parcels: Sequence[Parcel]) -> Call:
        return self.after(self, parcels, self.line.submit(self.before(self, parcels)))

    def change(self, assignment: str, parcels: Sequence[Parcel]) -> None:
        """UPDATE the orders of these parcels."""
        keys = json.dumps([parcel.key for parcel in parcels])
        raw = self.process.world.stage._raw
        where = "WHERE id IN (SELECT value FROM json_each(?))"
        raw.execute(f"UPDATE orders SET {assignment} {where}", (keys,))  # noqa: S608  our own words


def _mark_first(between: Between, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    between.change("state = 'submitted'", parcels)
    return parcels


def _claim_for_ever(between: Between, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    between.change(f"due_at = {10**15}", parcels)
    return parcels


def _key_per_attempt(between: Between, parcels: Sequence[Parcel]) -> Sequence[Parcel]:
    return [parcel._replace(key=f"{parcel.key}-{between.process.world.scheduler.now}") for parcel in parcels]


def _swap_outcomes(_between: Between, _parcels: Sequence[Parcel], call: Call) -> Call:
    return call._replace(outcomes=[*call.outcomes[1:], call.outcomes[0]])


def _final(word: str) -> Callable[[Between, Sequence[Parcel], Call], Call]:
    def after(_between: Between, _parcels: Sequence[Parcel], call: Call) -> Call:
        ends = [Outcome(REFUSED, reason=o.reason) if word in (o.reason or "") else o for o in call.outcomes]
        return call._replace(outcomes=ends)

    return after


def _new_order(between: Between, parcels: Sequence[Parcel], call: Call) -> Call:
    if any("Timeout" in (outcome.reason or "") for outcome in call.outcomes):
        between.change("id = 'N' || substr(id, 2, 18) || abs(random() % 10000)", parcels)
    return call


def _taken_for_granted(_between: Between, _parcels: Sequence[Parcel], call: Call) -> Call:
    sure = Outcome("submitted", carrier_id="?")
    return call._replace(outcomes=[sure if "Timeout" in (o.reason or "") else o for o in call.outcomes])


def _between(**hooks: Any) -> Parts:
    return Parts(line=lambda line, process: replace(Between(line, process), **hooks))


MUTANTS = {
    "acknowledge before commit": Parts(orders=AcknowledgeFirst),
    "mark before send": _between(before=_mark_first),
    "key per attempt": _between(before=_key_per_attempt),
    "timeout is final": _between(after=_final("Timeout")),
    "timeout counts as submitted": _between(after=_taken_for_granted),
    "timeout makes a new order": _between(after=_new_order),
    "429 is final": _between(after=_final("429")),
    "give up after three": Parts(dispatcher=GiveUpAfterThree),
    "no requeue after a crash": _between(before=_claim_for_ever),
    "500 after a commit": Parts(writer=TrustTheError),
    "a failed commit is not covered": Parts(writer=AskButDoNotForce),
    "an unknown commit is a refusal": Parts(orders=UnknownIsNo),
    "a taken id is mine": Parts(writer=TakenIsMine),
    "an impatient baton": Parts(baton=ImpatientBaton),
    "a dropped baton": Parts(baton=DroppedBaton),
    "retry after the dedup window": Parts(dispatcher=ForgetTheWindow),
    "expired before its time": Parts(dispatcher=EarlyEnd),
    "outcomes of a batch mixed up": _between(after=_swap_outcomes),
    "believing in a longer window": Parts(settings=with_settings(dedup_window=86_400.0)),
}
