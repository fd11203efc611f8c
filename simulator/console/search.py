"""Questions to the projection: what a tester looks for, and the answer a page at a time, newest first.

A page costs the same wherever it is: it begins below a message number and walks one index. Texts, numbers and ids
are found by their trigrams; anything shorter than three characters is looked for the slow way.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from flask import url_for

from simulator.console.projection import Projection
from simulator.console.rooms import shown_room

PAGE: Final = 50
BEYOND: Final = 1 << 62  # above every message number
COLUMNS: Final = """
m.number, m.attempt, m.run, m.room, m.from_number, m.recipient, m.text, m.started_at, m.finished_at, m.status,
m.code, m.order_id, m.gateway, m.taken, m.altered, m.receipt, m.outcome
"""
EXACT: Final = {"to": "recipient", "code": "code", "outcome": "outcome", "run": "run", "room": "room"}


class Wanted(NamedTuple):
    """What to look for; empty is anything. `q` is part of a number, text or order id."""

    q: str = ""
    to: str = ""
    code: str = ""
    outcome: str = ""
    run: str = ""
    room: str = ""

    def query(self) -> dict[str, str]:
        """What is asked for, as the query of an address; the room is said even if it is everyone's."""
        return {name: value for name, value in self._asdict().items() if value} | {"room": self.room or "*"}


def find(projection: Projection, wanted: Wanted, before: int = BEYOND, limit: int = PAGE) -> list[sqlite3.Row]:
    """At most `limit` messages below number `before`, newest first."""
    # A message whose text holds its own order id is found twice.
    return list({row["number"]: row for row in projection.rows(*_statement(wanted, before, limit))}.values())


def find_all(projection: Projection, wanted: Wanted, limit: int) -> Iterator[sqlite3.Row]:
    """The newest `limit` messages, read a page at a time, so that memory stays flat."""
    before = BEYOND
    while limit > 0 and (page := find(projection, wanted, before, min(limit, 500))):
        yield from page
        before, limit = page[-1]["number"], limit - len(page)


def one(projection: Projection, *, attempt: int | None = None, order_id: str | None = None) -> sqlite3.Row | None:
    """One message by the PBX's number of its attempt, or by its order id."""
    column, value = ("attempt", attempt) if order_id is None else ("order_id", order_id)
    rows = projection.rows(f"SELECT {COLUMNS} FROM messages m WHERE m.{column} = ? LIMIT 1", (value,))  # noqa: S608
    return rows[0] if rows else None


def wanted_from(arguments: Mapping[str, str]) -> Wanted:
    """What the query of an address asks for, in the room that is shown."""
    return Wanted(**{name: arguments.get(name, "").strip() for name in EXACT | {"q": ""}} | {"room": shown_room()})


def message_url(row: sqlite3.Row, part: str | None = None) -> str:
    """Where a message is shown. It stays right when the index is built anew."""
    if row["attempt"] is None:
        return url_for("message.order", order_id=row["order_id"], part=part)
    return url_for("message.attempt", number=row["attempt"], part=part)


def runs(projection: Projection, room: str, limit: int = 20) -> list[sqlite3.Row]:
    """The runs that were active last, of one room or of all."""
    return projection.rows("SELECT * FROM runs WHERE ? IN ('', room) ORDER BY last_at DESC LIMIT ?", (room, limit))


def _statement(wanted: Wanted, before: int, limit: int) -> tuple[str, tuple[Any, ...]]:
    exact = {column: value for name, column in EXACT.items() if (value := getattr(wanted, name))}
    conditions = [f"m.{column} = ?" for column in exact]
    if len(wanted.q) >= 3:
        source, key, scale = "words CROSS JOIN messages m ON m.number = words.rowid / 2", "words.rowid", 2
        conditions.append("words MATCH ?")
        exact |= {"": f'"{wanted.q.replace(chr(34), chr(34) * 2)}"'}
    else:
        source, key, scale = "messages m", "m.number", 1
        if wanted.q:
            conditions.append("instr(m.text, ?) OR instr(m.recipient, ?)")
    where = " AND ".join(f"({one})" for one in [*conditions, f"{key} < ?"])
    short = [wanted.q] * 2 if wanted.q and scale == 1 else []
    arguments = (*exact.values(), *short, min(before, BEYOND) * scale if before < BEYOND else BEYOND, limit)
    return f"SELECT {COLUMNS} FROM {source} WHERE {where} ORDER BY {key} DESC LIMIT ?", arguments  # noqa: S608
