"""The console's own index: one row per message, one per step of its life, and words to search by.

It is made only of what others have written (`sources.py`) and can be deleted at any time. What a message has come
to is not stored but derived by the table itself, so steps may arrive in any order. Questions are in `search.py`.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from simulator.ledger.journal import Journal

VERSION: Final = 2

SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS sources (name TEXT PRIMARY KEY, position INTEGER NOT NULL, identity INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS messages (
    number INTEGER PRIMARY KEY, attempt INTEGER UNIQUE, run TEXT NOT NULL, room TEXT NOT NULL,
    from_number TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL,
    started_at REAL NOT NULL, finished_at REAL, status INTEGER, code TEXT, order_id TEXT,
    gateway TEXT, taken INTEGER NOT NULL DEFAULT 0, altered INTEGER NOT NULL DEFAULT 0, receipt TEXT,
    doubted INTEGER NOT NULL DEFAULT 0, repeated INTEGER NOT NULL DEFAULT 0, missing INTEGER NOT NULL DEFAULT 0,
    outcome TEXT NOT NULL GENERATED ALWAYS AS (CASE
        WHEN taken > 1 THEN 'duplicated'
        WHEN attempt IS NULL AND gateway IS NULL THEN 'phantom'
        WHEN finished_at IS NULL THEN 'open'
        WHEN status IS NULL THEN 'indeterminate'
        WHEN status <> 200 THEN CASE
            WHEN NOT taken THEN 'refused' WHEN doubted THEN 'indeterminate' ELSE 'refused yet delivered' END
        WHEN order_id IS NULL OR repeated THEN 'false id'
        WHEN altered AND attempt IS NOT NULL THEN 'altered'
        WHEN taken AND gateway IN ('refused', 'expired', 'cancelled') THEN 'disputed'
        WHEN taken THEN 'delivered'
        WHEN gateway = 'refused' THEN 'refused by carrier'
        WHEN gateway IN ('expired', 'cancelled') THEN gateway
        WHEN missing THEN CASE WHEN gateway IS NULL THEN 'false id' ELSE 'lost' END
        ELSE 'accepted' END) VIRTUAL);
CREATE INDEX IF NOT EXISTS messages_by_order ON messages (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_open ON messages (attempt) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS messages_by_room ON messages (room);
CREATE INDEX IF NOT EXISTS messages_by_run ON messages (run);
CREATE INDEX IF NOT EXISTS messages_by_recipient ON messages (recipient);
CREATE INDEX IF NOT EXISTS messages_by_code ON messages (code) WHERE code IS NOT NULL;
CREATE INDEX IF NOT EXISTS messages_by_outcome ON messages (outcome);
CREATE INDEX IF NOT EXISTS messages_unsettled ON messages (finished_at)
    WHERE status = 200 AND order_id IS NOT NULL AND NOT taken AND NOT missing
    AND (gateway IS NULL OR gateway = 'submitted');
CREATE TABLE IF NOT EXISTS tallies (
    run TEXT NOT NULL, room TEXT NOT NULL, outcome TEXT NOT NULL, taken INTEGER NOT NULL, elsewhere INTEGER NOT NULL,
    number INTEGER NOT NULL, PRIMARY KEY (run, outcome, taken, elsewhere)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tallies_by_outcome ON tallies (outcome);
CREATE TABLE IF NOT EXISTS pace (
    run TEXT NOT NULL, second INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (run, second)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, room TEXT NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL, attempts INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS steps (
    id INTEGER PRIMARY KEY, order_id TEXT NOT NULL, at REAL NOT NULL, source TEXT NOT NULL, kind TEXT NOT NULL,
    data TEXT NOT NULL, content TEXT);
CREATE INDEX IF NOT EXISTS steps_by_order ON steps (order_id, source);
CREATE INDEX IF NOT EXISTS steps_of_nobody ON steps (at) WHERE order_id = '';
CREATE TABLE IF NOT EXISTS strangers (order_id TEXT PRIMARY KEY, since REAL NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(said, content='', tokenize='trigram', detail='full')
"""

# How many messages of each run came to what, and how many it sent in each second: kept with every change of a message,
# so that no page ever counts. Not as an upsert: the conflict clause of the statement outside would outrank it.
COUNT: Final = """
INSERT OR IGNORE INTO tallies VALUES ({0}.run, {0}.room, {0}.outcome, {0}.taken > 0, {0}.attempt IS NULL, 0);
UPDATE tallies SET number = number + {1} WHERE run = {0}.run AND outcome = {0}.outcome AND taken = ({0}.taken > 0)
AND elsewhere = ({0}.attempt IS NULL);
"""
PACE: Final = """
INSERT OR IGNORE INTO pace SELECT new.run, CAST(new.started_at AS INTEGER), 0 WHERE new.attempt IS NOT NULL;
UPDATE pace SET number = number + 1
WHERE new.attempt IS NOT NULL AND run = new.run AND second = CAST(new.started_at AS INTEGER);
"""
TRIGGERS: Final = (
    ("inserted", "INSERT", "1", COUNT.format("new", 1) + PACE),
    ("deleted", "DELETE", "1", COUNT.format("old", -1)),
    (
        "changed",
        "UPDATE",
        "old.outcome <> new.outcome OR (old.taken > 0) <> (new.taken > 0)",
        COUNT.format("old", -1) + COUNT.format("new", 1),
    ),
)


class Step(NamedTuple):
    """Something that happened to an order, or to nobody's (`order_id` empty): `at` is epoch seconds, `data` JSON.

    `content` is recipient and text where the source tells them, to be compared with what the PBX sent.
    """

    order_id: str
    at: float
    source: str
    kind: str
    data: str
    content: str | None = None


class Progress(NamedTuple):
    """How far a source has been read, and which file (inode) that was."""

    position: int = 0
    identity: int = 0


class Projection:
    """One open index file: written by one thread, read by any. Two processes may follow the same lab."""

    def __init__(self, path: Path) -> None:
        self.trouble = ""  # why the follower cannot read a source just now, as a sentence; it keeps trying
        if _is_of_another_make(path):
            for file in path.parent.glob(f"{path.name}*"):
                file.unlink()
        self._writer = Journal(path, SCHEMA, ())
        with self.transaction() as connection:
            connection.execute(f"PRAGMA user_version = {VERSION}")
            for name, verb, when, then in TRIGGERS:
                statement = f"CREATE TRIGGER IF NOT EXISTS {name} AFTER {verb} ON messages WHEN {when} BEGIN {then} END"
                connection.execute(statement)
        self._reader = Journal(path, "", ())
        self.rows, self.pages = self._reader.rows, self._reader.pages

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """One write: all of it or nothing."""
        with self._writer.transaction() as connection:
            yield connection

    def close(self) -> None:
        """Close the file."""
        self._reader.close_file()
        self._writer.close_file()


def progress(connection: sqlite3.Connection, source: str) -> Progress:
    """How far this source has been read."""
    row = connection.execute("SELECT position, identity FROM sources WHERE name = ?", (source,)).fetchone()
    return Progress(*row) if row else Progress()


def keep(connection: sqlite3.Connection, source: str, reached: Progress) -> None:
    """Remember how far this source has been read."""
    connection.execute("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", (source, *reached))


def forget(connection: sqlite3.Connection) -> None:
    """Empty the index: a ledger was replaced by another one, and nothing here can be trusted."""
    for table in ("sources", "messages", "runs", "steps", "strangers", "tallies", "pace"):
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    connection.execute("INSERT INTO words (words) VALUES ('delete-all')")


def _is_of_another_make(path: Path) -> bool:
    if not path.exists():
        return False
    connection = sqlite3.connect(path)
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0]) != VERSION
    except sqlite3.DatabaseError:
        return True
    finally:
        connection.close()
