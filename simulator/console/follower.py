"""Follows a lab: moves what is new in each source into the projection, in transactions of bounded size.

A step of an order and the answer that names the order come from different processes, in any order; so after each
batch the messages of every order it touched are settled anew from their steps.
"""

import json
import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from threading import Event, Thread
from typing import Any, Final

from simulator.console.lab import LabView
from simulator.console.projection import Projection, Step, forget, keep, progress
from simulator.console.rooms import room_of
from simulator.console.sources import ATTEMPTS, BATCH, CLOSED, RECEIPTS, TAKEN, EventLog, Reading, Table
from simulator.ledger.segments import segments as segments_of

PAUSE: Final = 0.25  # seconds between two looks
GRACE: Final = 10.0  # seconds after which an order that no PBX here has named is somebody else's

OPEN: Final = """
INSERT OR IGNORE INTO messages (attempt, run, room, from_number, recipient, text, started_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
CLOSE: Final = "UPDATE messages SET finished_at = ?, status = ?, code = ?, order_id = ? WHERE attempt = ?"
WORDS: Final = """
INSERT INTO words (rowid, said) SELECT 2 * number, from_number || ' ' || recipient || ' ' || text
FROM messages WHERE number > ?
"""
# Not twice: an index of words takes each of its numbers once, and another console may have been here.
ID: Final = """
INSERT INTO words (rowid, said) SELECT 2 * number + 1, ? FROM messages WHERE attempt = ? AND finished_at IS NULL
"""
RUN: Final = """
INSERT INTO runs VALUES (?, ?, ?, ?, 1) ON CONFLICT (run) DO UPDATE
SET last_at = excluded.last_at, attempts = attempts + 1
"""
STEP: Final = "INSERT INTO steps (order_id, at, source, kind, data, content) VALUES (?, ?, ?, ?, ?, ?)"
SETTLE: Final = """
UPDATE messages SET
  gateway = (SELECT kind FROM steps s WHERE s.order_id = messages.order_id AND source = 'gateway' ORDER BY id DESC),
  receipt = (SELECT kind FROM steps s WHERE s.order_id = messages.order_id AND source = 'receipt' ORDER BY id DESC),
  taken = (SELECT count(*) FROM steps s WHERE s.order_id = messages.order_id AND source = 'carrier'),
  altered = EXISTS (SELECT 1 FROM steps s WHERE s.order_id = messages.order_id AND source = 'carrier'
                    AND (kind <> 'taken' OR content <> messages.recipient || char(10) || messages.text)),
  doubted = EXISTS (SELECT 1 FROM steps s WHERE s.order_id = messages.order_id AND source = 'gateway'
                    AND kind = 'indeterminate'),
  repeated = coalesce(attempt > (SELECT min(attempt) FROM messages m WHERE m.order_id = messages.order_id), 0)
WHERE order_id IN (SELECT value FROM json_each(?))
"""
# Promised, and neither on the gateway's way nor at the carrier: an id that the gateway does not know, or a loss.
MISS: Final = """
UPDATE messages SET missing = 1 WHERE status = 200 AND order_id IS NOT NULL AND NOT taken AND NOT missing
AND (gateway IS NULL OR gateway = 'submitted') AND finished_at < ?
"""
MET: Final = """
INSERT OR IGNORE INTO strangers SELECT value, ? FROM json_each(?)
WHERE value <> '' AND NOT EXISTS (SELECT 1 FROM messages WHERE order_id = value)
"""
NAMED: Final = (
    "DELETE FROM strangers WHERE order_id IN (SELECT value FROM json_each(?))",
    "DELETE FROM messages WHERE attempt IS NULL AND order_id IN (SELECT value FROM json_each(?))",
)
# The first that was tried before the carrier took it; those without an answer before those that were refused.
OWNER: Final = """
SELECT number, finished_at IS NOT NULL AS closed FROM messages
WHERE recipient = substr(?2, 1, instr(?2, char(10)) - 1) AND text = substr(?2, instr(?2, char(10)) + 1)
  AND attempt IS NOT NULL AND order_id IS NULL AND started_at <= (SELECT max(at) FROM steps WHERE order_id = ?1)
ORDER BY finished_at IS NOT NULL, status IS NOT NULL, number LIMIT 1
"""
ADOPT: Final = """
INSERT INTO messages (run, room, from_number, recipient, text, started_at, finished_at, status, order_id)
VALUES ('', '', ?, ?, ?, ?, ?, 200, ?)
"""


class Follower:
    """Keeps `projection` up with `lab`. `clock` gives epoch seconds; `step` is one look, `start` looks on and on."""

    def __init__(self, lab: LabView, projection: Projection, clock: Callable[[], float]) -> None:
        self._projection, self._clock = projection, clock
        self._attempts = Table(lab.pbx_ledger, ATTEMPTS, "number")
        self._closed = Table(lab.pbx_ledger, CLOSED, "number")
        self._sources = (
            ("pbx", self._attempts, self._open),
            ("gateway", EventLog(lab.gateway_log), self._tell),
            ("carrier", Table(lab.carrier_ledger, TAKEN, "seq", taken), self._tell),
            ("receipts", Table(lab.carrier_ledger, RECEIPTS, "number", tried), self._tell),
        )
        self._stop = Event()
        self._thread = Thread(target=self._follow, name="follower", daemon=True)

    def start(self) -> None:
        """Look every quarter of a second in a thread of its own, until `stop`."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, after the batch in hand."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    def _follow(self) -> None:
        while not self._stop.is_set():
            self.catch_up(self._stop.is_set)
            self._stop.wait(PAUSE)

    def catch_up(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Take in everything that is written now, batch after batch."""
        while self.step() and not enough():
            pass

    def step(self) -> bool:
        """Take in one batch of each source; whether any of them was full, so that more may be waiting."""
        moves = [(name, partial(self._move, name, source, apply)) for name, source, apply in self._sources]
        troubles: list[str] = []
        full = [_tried(name, move, troubles) for name, move in moves]
        _tried("pbx", self._close_open, troubles)
        if not full[0]:  # else the answers that name those orders may still be unread
            _tried("gateway", self._adopt, troubles)
        if not any(full) and not troubles:  # else what is missed may be unread
            self._miss()
        self._projection.trouble = " ".join(dict.fromkeys(troubles))
        return any(full)

    def _move(self, name: str, source: Table | EventLog, apply: Callable[..., None]) -> bool:
        with self._projection.transaction() as connection:
            since = progress(connection, name)
            reading: Reading = source.read(since)
            if reading.replaced:
                forget(connection)
                return True
            if reading.reached != since:
                apply(connection, reading.found)
                keep(connection, name, reading.reached)
        return len(reading.found) >= BATCH or (name == "gateway" and reading.reached.position > since.position)

    def _open(self, connection: sqlite3.Connection, rows: Sequence[Any]) -> None:
        last = connection.execute("SELECT coalesce(max(number), 0) FROM messages").fetchone()[0]
        opened = [(number, run, room_of(run), *words) for number, run, *words in (row[:6] for row in rows)]
        connection.executemany(OPEN, opened)
        connection.executemany(RUN, [(row[1], row[2], row[6], row[6]) for row in opened])
        connection.execute(WORDS, (last,))
        self._close(connection, [(row[0], *row[6:]) for row in rows if row[6] is not None])

    def _close_open(self) -> None:
        after = 0
        waiting = "SELECT attempt FROM messages WHERE finished_at IS NULL AND attempt > ? ORDER BY attempt LIMIT ?"
        while page := [row[0] for row in self._projection.rows(waiting, (after, BATCH))]:
            after = page[-1]
            if rows := self._closed.those(page):
                with self._projection.transaction() as connection:
                    self._close(connection, rows)

    def _close(self, connection: sqlite3.Connection, rows: Sequence[Any]) -> None:
        connection.executemany(ID, [(row[4], row[0]) for row in rows if row[4]])
        connection.executemany(CLOSE, [(*answer, number) for number, *answer in rows])
        orders = json.dumps([row[4] for row in rows if row[4]])
        for statement in (*NAMED, SETTLE):
            connection.execute(statement, (orders,))

    def _tell(self, connection: sqlite3.Connection, steps: Sequence[Step]) -> None:
        connection.executemany(STEP, steps)
        orders = json.dumps(list({step.order_id for step in steps}))
        connection.execute(MET, (self._clock(), orders))
        connection.execute(SETTLE, (orders,))

    def _adopt(self) -> None:
        """Find the owner of each order that no answer has named.

        It is an attempt for the same recipient and text that got no answer, or a refusal; only after a while, when no
        answer can be on its way any more, is it somebody else: a real PBX, or a tool with a ledger of its own.
        """
        waiting = self._projection.rows("SELECT * FROM strangers ORDER BY since LIMIT ?", (BATCH,))
        if not waiting:
            return
        with self._projection.transaction() as connection:
            found = [order for order, since in waiting if self._own(connection, order, self._clock() - since > GRACE)]
            for statement in (NAMED[0], SETTLE):
                connection.execute(statement, (json.dumps(found),))

    def _miss(self) -> None:
        """Call those missing that should be somewhere by now; only where both sides are here to be read."""
        with self._projection.transaction() as connection:
            if all(progress(connection, name).identity for name in ("gateway", "carrier")):
                connection.execute(MISS, (self._clock() - GRACE,))

    def _own(self, connection: sqlite3.Connection, order: str, late: bool) -> bool:
        steps = connection.execute("SELECT * FROM steps WHERE order_id = ? ORDER BY at", (order,)).fetchall()
        content = next((step["content"] for step in steps if step["content"]), None)
        owner = connection.execute(OWNER, (order, content)).fetchone() if content else None
        if owner and (late or owner["closed"]):
            connection.execute("UPDATE messages SET order_id = ? WHERE number = ?", (order, owner["number"]))
        elif late:
            self._insert_stranger(connection, order, steps, content)
        return late or bool(owner and owner["closed"])

    def _insert_stranger(
        self, connection: sqlite3.Connection, order: str, steps: Sequence[sqlite3.Row], content: str | None
    ) -> None:
        told = {name: value for step in reversed(steps) for name, value in json.loads(step["data"]).items()}
        to, _, text = (content or f"{told.get('to', '')}\n").partition("\n")
        last = connection.execute("SELECT coalesce(max(number), 0) FROM messages").fetchone()[0]
        at = steps[0]["at"]
        connection.execute(ADOPT, (told.get("from", ""), to, text, at, at, order))
        connection.execute(WORDS, (last,))


def _tried(name: str, work: Callable[[], bool | None], troubles: list[str]) -> bool:
    """Do one part of a look; what cannot be read keeps nobody from the other parts."""
    try:
        return bool(work())
    except (sqlite3.Error, OSError, ValueError) as error:
        troubles.append(f"The console cannot follow the {name}: {error}.")
        return False


def taken(row: Sequence[Any]) -> Step:
    """A message in the carrier's ledger as a step of its order; miscounted if its segments are not its text's."""
    seq, identity, key, sender, recipient, text, encoding, segments, at = row
    data = {"seq": seq, "id": identity, "key": key, "from": sender, "encoding": encoding, "segments": segments}
    kind = "taken" if segments_of(text) == (encoding, segments) else "miscounted"
    return Step(key or identity, at, "carrier", kind, json.dumps(data), f"{recipient}\n{text}")


def tried(row: Sequence[Any]) -> Step:
    """One try of the carrier to hand over a receipt, as a step of its order."""
    number, receipt, message, status, at, answer, order = row
    data = {"number": number, "receipt_id": receipt, "message_id": message, "answer": answer}
    return Step(order, at, "postman", status, json.dumps(data))
