"""Claiming orders for submission and writing down what became of them: the dispatcher's side of the database.

A claim is a lease: it moves `due_at` past the end of the attempt, so the orders of a dispatcher that died become due
again by themselves. Each integration is a lane of its own, and a claim takes some of every lane.
"""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    JSON,
    BigInteger,
    Connection,
    Function,
    Update,
    bindparam,
    cast,
    column,
    exists,
    func,
    select,
    update,
)

from gateway.carrier import REFUSED, RETRY, SUBMITTED, Outcome, Parcel
from gateway.schema import QUEUED, orders

EXPIRED = "expired"
STATES = {SUBMITTED: "submitted", REFUSED: "refused", EXPIRED: "expired", RETRY: "queued"}  # of an order, by outcome


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
        claimed += [Claimed(row[0], lane, Parcel(*row[1:7]), *row[7:]) for row in rows.all()]
        if len(claimed) >= most:
            break
    return claimed


def write_down(connection: Connection, ended: Sequence[Ended], now: int) -> None:
    """The outcomes of one call, in the caller's transaction. An order somebody else ended meanwhile stays as it is."""
    rows = [
        (order.seq, STATES[kind], carrier_id, reason, *((due_at, None) if kind == RETRY else (None, now)))
        for order, (kind, carrier_id, reason, _), due_at in ended
    ]
    connection.execute(_WRITE_DOWN[connection.dialect.name], {"rows": rows})


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


def _write_down(elements: Function[Any]) -> Update:
    """One statement for all outcomes of a call. `elements` makes a row of each element of a JSON array.

    Not `executemany`: sqlite3 gives the interpreter's lock away at each row, and while requests are in progress a
    thread may be changed at each, with the database kept locked.
    """
    told = elements.table_valued(column("value", JSON)).alias("told").c.value
    seq, state, carrier_id, reason, due_at, finished_at = (told[position].as_string() for position in range(6))
    return (
        update(orders)
        .where(orders.c.seq == cast(seq, BigInteger), QUEUED)
        .values(
            state=state,
            carrier_id=carrier_id,
            reason=reason,
            due_at=func.coalesce(cast(due_at, BigInteger), orders.c.due_at),
            finished_at=cast(finished_at, BigInteger),
        )
    )


_rows = bindparam("rows", type_=JSON)
_WRITE_DOWN = {
    "sqlite": _write_down(func.json_each(_rows)),
    "postgresql": _write_down(func.json_array_elements(_rows)),
}
