"""The carrier's side of the account: which messages it took, under which key, and which receipts were taken.

Taking is the only write path and it keeps the promise carriers make: inside the dedup window the same key is
the same message. Which faults stand in the way is not known here.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from simulator.ledger.journal import Journal

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, key TEXT, from_number TEXT NOT NULL, recipient TEXT NOT NULL,
    text TEXT NOT NULL, encoding TEXT NOT NULL, segments INTEGER NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_key ON messages (key);
CREATE TABLE IF NOT EXISTS receipts (
    number INTEGER PRIMARY KEY, receipt_id TEXT NOT NULL, message_id TEXT NOT NULL, message_status TEXT NOT NULL,
    at REAL NOT NULL, answer INTEGER)
"""
KNOWN = """
SELECT seq, id, key, from_number, recipient, text, encoding, segments, at FROM messages
WHERE key IN (SELECT value FROM json_each(?)) AND at > ? ORDER BY seq
"""


class Message(NamedTuple):
    """One message as submitted; without a key every call is a new message."""

    key: str | None
    from_number: str
    to: str
    text: str
    encoding: str
    segments: int


class Delivery(NamedTuple):
    """One message as taken: `at` is epoch seconds, `seq` counts up from 1 in this ledger."""

    seq: int
    id: str
    key: str | None
    from_number: str
    to: str
    text: str
    encoding: str
    segments: int
    at: float


class Handover(NamedTuple):
    """One try to hand a receipt over; `answer` is the HTTP status it met (None: no answer)."""

    number: int
    receipt_id: str
    message_id: str
    message_status: str
    at: float
    answer: int | None

    @property
    def taken(self) -> bool:
        """The provider took the receipt."""
        return self.answer is not None and 200 <= self.answer < 300


class Taken(NamedTuple):
    """What became of a submitted message: its delivery (None: the key is known with another body)."""

    delivery: Delivery | None
    new: bool


class CarrierLedger(Journal):
    """The carrier's ledger file; a context manager, safe to share between threads."""

    def __init__(self, path: Path | str, *, create: bool = True) -> None:
        super().__init__(path, SCHEMA if create else "", ("messages", "receipts") if create else ())

    def take(self, messages: Sequence[Message], at: float, window: float) -> list[Taken]:
        """Take messages in one transaction, in their order; `window` is how long a key is remembered (s)."""
        keys = json.dumps([message.key for message in messages if message.key])
        taken = []
        with self.transaction() as connection:
            rows = connection.execute(KNOWN, (keys, at - window))
            known = {row["key"]: Delivery(*row) for row in rows}
            seq: int = connection.execute("SELECT coalesce(max(seq), 0) FROM messages").fetchone()[0]
            fresh = []
            for message in messages:
                if message.key and (earlier := known.get(message.key)):
                    taken.append(Taken(earlier if earlier[2:8] == message else None, new=False))
                    continue
                seq += 1
                delivery = Delivery(seq, f"SIM{seq:012d}", *message, at)
                fresh.append(delivery)
                taken.append(Taken(delivery, new=True))
                if message.key:
                    known[message.key] = delivery
            connection.executemany("INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", fresh)
        return taken

    def deliveries(self, after: int = 0) -> Iterator[Delivery]:
        """Every message taken after `seq`, in the order of taking."""
        query = "SELECT * FROM messages WHERE seq > ? ORDER BY seq LIMIT ?"
        return (Delivery(*row) for row in self.pages(query, (), after))

    def page(self, after: int, limit: int) -> list[Delivery]:
        """At most `limit` messages taken after `seq`."""
        rows = self.rows("SELECT * FROM messages WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [Delivery(*row) for row in rows]

    def handovers(self, after: int = 0) -> Iterator[Handover]:
        """Every try to hand over a receipt after `number`, in their order."""
        query = "SELECT * FROM receipts WHERE number > ? ORDER BY number LIMIT ?"
        return (Handover(*row) for row in self.pages(query, (), after))

    def note_receipt(self, receipt_id: str, message_id: str, status: str, at: float, answer: int | None) -> None:
        """Write down one try to hand over a receipt and the HTTP status it met (None: no answer)."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO receipts (receipt_id, message_id, message_status, at, answer) VALUES (?, ?, ?, ?, ?)",
                (receipt_id, message_id, status, at, answer),
            )
