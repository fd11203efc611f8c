"""Claiming orders for submission and writing down what became of them: the dispatcher's side of the database.

A claim is a lease: it moves `due_at` past the end of the attempt, so the orders of a dispatcher that died become due
again by themselves. Each integration is a lane of its own, and a claim takes some of every lane.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, exists, func, select, update

from gateway.carrier import REFUSED, RETRY, SUBMITTED, Outcome, Parcel
from gateway.schema import QUEUED, orders

EXPIRED = "expired"
STATES = {SUBMITTED: "submitted", REFUSED: "refused", EXPIRED: "expired"}  # how an order ends


class Claimed(NamedTuple):
    """An order in a dispatcher's hands. Times are epoch milliseconds."""

    seq: int
    lane: int
    parcel: Parcel
    attempts: int
    expires_at: int
    first_attempt_at: int


class Ended(NamedTuple):
    """What is written of an order after an attempt; `due_at` matters only for one that is tried again."""

    order: Claimed
    outcome: Outcome
    due_at: int


def due_lanes(connection: Connection, now: int) -> list[int]:
    """The integrations that have an order due."""
    return list(connection.scalars(_LANES, {"now": now}))


def claim(connection: Connection, lanes: Collection[int], most: int, now: int, lease: int) -> list[Claimed]:
    """At most `most` due orders, shared out between the lanes, leased for `lease` ms."""
    claimed: list[Claimed] = []
    for position, lane in enumerate(lanes):
        share = -(-(most - len(claimed)) // (len(lanes) - position))
        rows = connection.execute(_CLAIM, {"lane": lane, "now": now, "until": now + lease, "most": share})
        claimed += [
            Claimed(
                row.seq,
                row.integration_id,
                Parcel(*row[2:8]),
                row.attempts,
                row.expires_at,
                row.first_attempt_at,
            )
            for row in rows
        ]
        if len(claimed) >= most:
            break
    return claimed


def write_down(connection: Connection, ended: Sequence[Ended], now: int) -> None:
    """The outcomes of one call, in the caller's transaction. An order somebody else ended meanwhile stays as it is."""
    final = [
        {
            "s": order.seq,
            "new_state": STATES[outcome.kind],
            "cid": outcome.carrier_id,
            "why": outcome.reason,
            "at": now,
        }
        for order, outcome, _ in ended
        if outcome.kind != RETRY
    ]
    again = [
        {"s": order.seq, "due": due_at, "why": outcome.reason}
        for order, outcome, due_at in ended
        if outcome.kind == RETRY
    ]
    if final:
        connection.execute(_END, final)
    if again:
        connection.execute(_RETRY, again)


# From lane to lane by the index, one look each: DISTINCT would walk the whole backlog at every step.
_first = select(func.min(orders.c.integration_id).label("lane")).where(QUEUED).cte("lanes", recursive=True)
_next = select(func.min(orders.c.integration_id)).where(QUEUED, orders.c.integration_id > _first.c.lane)
_lanes = _first.union_all(select(_next.scalar_subquery()).where(_first.c.lane.is_not(None)))
_LANES = select(_lanes.c.lane).where(
    exists().where(QUEUED, orders.c.integration_id == _lanes.c.lane, orders.c.due_at <= bindparam("now"))
)
_due = (
    select(orders.c.seq)
    .where(
        QUEUED,
        orders.c.integration_id == bindparam("lane"),
        orders.c.due_at <= bindparam("now"),
    )
    .order_by(orders.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_CLAIM = (
    update(orders)
    .where(orders.c.seq.in_(_due))
    .values(
        due_at=bindparam("until"),
        attempts=orders.c.attempts + 1,
        first_attempt_at=func.coalesce(orders.c.first_attempt_at, bindparam("now")),
    )
    .returning(
        orders.c.seq,
        orders.c.integration_id,
        orders.c.id,
        orders.c.sender,
        orders.c.to_number,
        orders.c.text,
        orders.c.encoding,
        orders.c.segments,
        orders.c.attempts,
        orders.c.expires_at,
        orders.c.first_attempt_at,
    )
)
_queued = update(orders).where(orders.c.seq == bindparam("s"), QUEUED)
_END = _queued.values(
    state=bindparam("new_state"),
    carrier_id=bindparam("cid"),
    reason=bindparam("why"),
    finished_at=bindparam("at"),
)
_RETRY = _queued.values(due_at=bindparam("due"), reason=bindparam("why"))
