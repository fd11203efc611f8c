"""How quick is the console with 100 messages, and with 100,000? A script, because a clock is no test.

    python -m tests.console.measure [MESSAGES] [SECONDS OF LIVE TRAFFIC]

It writes two labs' files, lets a real console index each, then times pages, watches the memory of the console while
it serves, and at last writes 200 messages a second and looks how old the newest row of the live view is.
"""

import json
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
import httpx
import psutil

from simulator.lab import CONSOLE, Lab, free_port
from simulator.ledger.carrier import CarrierLedger, Message
from simulator.ledger.pbx import Attempt, PbxLedger

BATCH = 1000
TURNS = 40
RATE = 200  # messages a second of the live view
PAGES = {
    "timeline": "/",
    "its live rows": "/timeline/rows",
    "search a text": "/?q=number+77",
    "search a number": "/?q=917100",
    "search nothing there": "/?q=zebra",
    "by code": "/?code=10001",
    "by outcome": "/?outcome=refused",
    "one message": "/messages/50",
    "oldest page": "/?before=60",
    "the balance": "/ledger",
    "the runs": "/runs",
}


LOGGED = ({"event": "accepted"}, {"event": "submitted", "attempt": 1}, {"event": "receipt", "status": "DELIVRD"})
RECEIPT = "INSERT INTO receipts (receipt_id, message_id, message_status, at, answer) VALUES (?, ?, 'DELIVRD', ?, 204)"
EXCHANGE = {
    "request": {"method": "POST", "url": "http://127.0.0.1:9/send", "headers": {}, "body": "{}"},
    "response": {"status": 200, "headers": {"content-type": "application/json"}, "body": "{}"},
}


def write(directory: Path, first: int, count: int) -> None:
    """That many messages in every file of a lab: one in ten refused, the others delivered with a receipt."""
    now = time.time()
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    attempts = [attempt(number, now) for number in range(first, first + count)]
    taken = [Message(one.order_id, "FUTURESMS", one.to, one.text, "GSM-7", 1) for one in attempts if one.accepted]
    with PbxLedger(directory / "pbx.sqlite") as pbx, CarrierLedger(directory / "carrier.sqlite") as carrier:
        pbx.record_many(attempts)
        ids = [one.delivery.id for one in carrier.take(taken, now, 1e9) if one.delivery]
        with carrier.transaction() as connection:
            connection.executemany(RECEIPT, [(f"{one}-r", one, now) for one in ids])
    with (directory / "gateway.log").open("a") as log:
        log.writelines(json.dumps({"order": one.key, **event, "at": at}) + "\n" for one in taken for event in LOGGED)


def attempt(number: int, now: float) -> Attempt:
    """One attempt of a PBX, answered at once."""
    to, text = f"+63917{number % 10_000_000:07d}", f"Hello, this is number {number}"
    answer = (200, None, f"SDPS{number:019d}") if number % 10 else (400, "10001", None)
    return Attempt(0, f"anna/run-{number // 5000}", "+630000000001", to, text, now, now, *answer, EXCHANGE)


@contextmanager
def console(directory: Path) -> Iterator[Lab]:
    """A console process on that directory."""
    (directory / "key").write_text("ysk_x")
    (directory / "lab.toml").write_text('send_url = "http://127.0.0.1:9/send"\nkey_file = "key"\n')
    lab = Lab(directory, 0, 0, {}, console_port=free_port())
    lab.start(CONSOLE, "--lab", str(directory / "lab.toml"))
    try:
        yield lab
    finally:
        lab.end(CONSOLE)


def memory(lab: Lab) -> float:
    """Resident megabytes of the console and its worker."""
    main = psutil.Process(lab.pid(CONSOLE))
    return sum(one.memory_info().rss for one in (main, *main.children(recursive=True))) / 1e6


def first_byte(client: httpx.Client, path: str) -> float:
    """Milliseconds until the answer begins."""
    start = time.perf_counter()
    with client.stream("GET", path) as answer:
        parts = answer.iter_raw()
        next(parts, b"")
        took = time.perf_counter() - start
        for _ in parts:
            pass
    return took * 1000


def is_indexed(directory: Path) -> bool:
    """Whether the console has read every source to its end."""
    with closing(sqlite3.connect(directory / "console.sqlite", timeout=30)) as index:
        reached = dict(index.execute("SELECT name, position FROM sources"))
    with closing(sqlite3.connect(directory / "carrier.sqlite")) as carrier:
        receipts = carrier.execute("SELECT max(number) FROM receipts").fetchone()[0]
    return reached.get("receipts") == receipts and reached.get("gateway") == (directory / "gateway.log").stat().st_size


def report(lab: Lab, messages: int, started: float) -> None:
    """Wait for the index, then say what it took, and what a whole export takes."""
    while not is_indexed(lab.directory):
        time.sleep(0.05)
    indexed, exported = time.perf_counter() - started, time.perf_counter()
    with httpx.stream("GET", f"{lab.console_url}/export.json", timeout=120, trust_env=False) as answer:
        size = sum(map(len, answer.iter_raw()))
    click.echo(
        f"{messages} messages: indexed in {indexed:.1f} s, {memory(lab):.0f} MB of memory, index of "
        f"{(lab.directory / 'console.sqlite').stat().st_size / 1e6:.0f} MB; "
        f"export of at most 10,000: {size / 1e6:.1f} MB in {time.perf_counter() - exported:.1f} s"
    )


def compare(labs: Sequence[Lab]) -> None:
    """The first bytes of each page in both labs, asked in turns, so that whatever else runs here slows down both."""
    before = [memory(lab) for lab in labs]
    click.echo(f"{'first byte, ms':<22} {'median':>24} {'best':>24}")
    with ExitStack() as open_clients:
        clients = [
            open_clients.enter_context(httpx.Client(base_url=lab.console_url, timeout=60, trust_env=False))
            for lab in labs
        ]
        for name, path in PAGES.items():
            turns = [[first_byte(client, path) for client in clients] for _ in range(TURNS)]
            pairs = [tuple(map(typical, zip(*turns, strict=True))) for typical in (statistics.median, min)]
            click.echo(f"{name:<22} " + " ".join(f"{few:7.1f} {lots:7.1f} x{lots / few:6.2f} " for few, lots in pairs))
    for lab, was in zip(labs, before, strict=True):
        click.echo(f"memory over {TURNS * len(PAGES)} pages: {was:.0f} MB, then {memory(lab):.0f} MB")


def follow(lab: Lab, first: int, seconds: int) -> None:
    """Write `RATE` messages a second and look each second how far behind the live view is."""
    behind = []
    with httpx.Client(base_url=lab.console_url, timeout=30, trust_env=False) as client:
        start, written = time.perf_counter(), 0
        while (passed := time.perf_counter() - start) < seconds:
            if (due := int(passed * RATE) - written) > 0:
                write(lab.directory, first + written, due)
                written += due
            if len(behind) < passed:
                shown = max(map(int, re.findall(r"this is number (\d+)", client.get("/timeline/rows").text)))
                behind.append((first + written - 1 - shown) / RATE)
            time.sleep(0.02)
    click.echo(
        f"live at {RATE}/s for {seconds} s: the view is {statistics.median(behind):.2f} s behind in the median, "
        f"{max(behind):.2f} s at most; {memory(lab):.0f} MB"
    )


def main(many: int, seconds: int) -> None:
    """Both labs side by side."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as consoles:
        labs = []
        for messages in (100, many):
            directory = Path(folder, str(messages))
            directory.mkdir()
            for first in range(0, messages, BATCH):
                write(directory, first, min(BATCH, messages - first))
            started = time.perf_counter()
            labs.append(consoles.enter_context(console(directory)))
            report(labs[-1], messages, started)
        compare(labs)
        follow(labs[-1], many, seconds)


if __name__ == "__main__":
    main(*map(int, [*sys.argv[1:], *("100000", "30")[len(sys.argv) - 1 :]]))
