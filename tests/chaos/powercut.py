"""What a power cut could have left of a traced gateway: its system calls, and the disk states they allow.

kill -9 cannot see a missing fsync, because the page cache survives it. A power cut leaves what was synced, and any part
of what was not.
"""

import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

CALL = re.compile(r"^(\d+) +(\w+)\(\d+<([^>]*)>(.*)$")
RESUMED = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")
DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
ORDER_ID = re.compile(rb'"id":"(SDPS[0-9A-Z]{19})"')
CALLS = "pwrite64,write,writev,sendto,sendmsg,fsync,fdatasync,ftruncate"
STRACE = ("strace", "-f", "-y", "--seccomp-bpf", "-xx", "-s", "100000", "-e", f"trace={CALLS}", "-o")
SECTOR = 512


class Event(NamedTuple):
    """A `write`, `cut` (to a length) or `sync` of a file, or an `ack` of an order id that left by a socket."""

    kind: str
    name: str
    data: bytes = b""
    offset: int = 0


def events(trace: Path, database: Path) -> Iterator[Event]:
    """What happened to the database's files and which orders were acknowledged, in order.

    A write counts when it is called, a sync only when it has returned.
    """
    syncing: dict[str, str] = {}
    for line in trace.read_text().splitlines():
        if (resumed := RESUMED.match(line)) and resumed[1] in syncing:
            yield Event("sync", syncing.pop(resumed[1]))
        elif found := CALL.match(line):
            thread, call, raw, rest = found.groups()
            name = _bytes(raw).decode(errors="replace")
            if name.startswith(("socket:", "TCP")):
                data = b"".join(_bytes(part) for part in DATA.findall(rest))
                yield from (Event("ack", order.decode()) for order in ORDER_ID.findall(data))
            elif name in {str(database), f"{database}-wal"}:
                suffix = name.removeprefix(str(database))
                if call in {"fsync", "fdatasync"} and "<unfinished" in rest:
                    syncing[thread] = suffix
                else:
                    yield _file_event(call, suffix, rest)


def _file_event(call: str, name: str, rest: str) -> Event:
    if call in {"fsync", "fdatasync"}:
        return Event("sync", name)
    numbers = [int(number) for number in re.findall(r", (\d+)(?=[,) ]|$)", DATA.sub("", rest))]
    if call == "ftruncate":
        return Event("cut", name, offset=numbers[0])
    return Event("write", name, b"".join(_bytes(part) for part in DATA.findall(rest)), numbers[-1])


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def unsynced_acks(history: Iterable[Event]) -> list[str]:
    """The orders whose 200 left while the write-ahead log held a write that was not synced."""
    dirty, found = False, []
    for event in history:
        if event.name == "-wal":
            dirty = event.kind != "sync"
        elif event.kind == "ack" and dirty:
            found.append(event.name)
    return found


@dataclass
class Disk:
    """The files as far as they are on the platter, and the writes that are not."""

    files: dict[str, bytearray]
    pending: list[Event] = field(default_factory=list)

    def happen(self, event: Event) -> None:
        """Take one event; a sync puts a file's pending writes on the platter."""
        if event.kind == "sync":
            for write in self.pending:
                if write.name == event.name:
                    _apply(self.files, write)
            self.pending = [write for write in self.pending if write.name != event.name]
        elif event.kind != "ack":
            self.pending.append(event)

    def images(self, rng: Random) -> Iterator[dict[str, bytearray]]:
        """Two states a power cut may leave now: what was synced, and that with any half of the rest, one write torn."""
        yield self.files
        files = {name: bytearray(data) for name, data in self.files.items()}
        for write in self.pending:
            if rng.random() < 0.5:
                sectors = rng.randint(0, -(-len(write.data) // SECTOR)) if rng.random() < 0.2 else None
                _apply(files, write if sectors is None else write._replace(data=write.data[: sectors * SECTOR]))
        yield files


def _apply(files: dict[str, bytearray], event: Event) -> None:
    file = files.setdefault(event.name, bytearray())
    if event.kind == "cut":
        del file[event.offset :]
        return
    file.extend(bytes(max(0, event.offset - len(file))))
    file[event.offset : event.offset + len(event.data)] = event.data


class Verdict(NamedTuple):
    """How many images were opened, and which of them had lost an acknowledged order or could not be read."""

    images: int
    wrong: list[str]


def rebuild(history: list[Event], start: dict[str, bytearray], folder: Path, seed: int) -> Verdict:
    """Open every rebuilt image and compare it with what had been acknowledged by then."""
    disk, rng, acked = Disk(start), Random(seed), []
    count, wrong = 0, []
    for number, event in enumerate(history):
        disk.happen(event)
        if event.kind == "ack":
            acked.append(event.name)
        for image in disk.images(rng):
            count += 1
            if fault := _fault(image, folder, acked):
                wrong.append(f"after call {number} ({event.kind} {event.name}): {fault}")
    return Verdict(count, wrong)


def _fault(image: dict[str, bytearray], folder: Path, acked: list[str]) -> str | None:
    path = folder / "image.sqlite"
    (folder / "image.sqlite-shm").unlink(missing_ok=True)
    for name in ("", "-wal"):
        Path(f"{path}{name}").write_bytes(image.get(name, b""))
    try:
        with closing(sqlite3.connect(path)) as connection:
            present = {row[0] for row in connection.execute("SELECT id FROM orders")}
    except sqlite3.DatabaseError as error:
        return f"the database cannot be read: {error}"
    missing = [order for order in acked if order not in present]
    return f"{len(missing)} acknowledged orders are gone, {missing[0]} the first" if missing else None
