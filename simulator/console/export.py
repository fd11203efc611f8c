"""What a search finds, as a file: JSON (whole messages), CSV (a row each), HAR (what crossed the wire).

Files are written while they are read, a page of the index at a time, so their size is nobody's memory.
"""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from sqlite3 import Row
from types import MappingProxyType
from typing import Final

from flask import Response, abort, request, stream_with_context

from contracts.reports import har
from simulator.console.exchange import as_exchange
from simulator.console.page import Page, console
from simulator.console.record import document, messages, scrubbed_all
from simulator.console.redaction import is_redacted, shown_number, shown_text
from simulator.console.search import find_all, wanted_from
from simulator.ledger.watch import Message

MOST: Final = 10_000  # messages in one file
AT_ONCE: Final = 200
COLUMNS: Final = (
    "attempt", "order_id", "started_at", "finished_at", "run", "from_number", "recipient", "text", "status", "code",
    "outcome", "taken", "receipt",
)  # fmt: skip

page = Page("export")


@page.get("/export.<form>")
def save(form: str) -> Response:
    """The newest messages that fit, in one of `FORMS`."""
    if form not in FORMS:
        abort(404, f"Messages can be saved as {', '.join(FORMS)}.")
    kind, write = FORMS[form]
    rows = find_all(console().projection, wanted_from(request.args), MOST)
    name = {"Content-Disposition": f'attachment; filename="messages.{form}"'}
    return Response(stream_with_context(write(rows)), mimetype=kind, headers=name)


def as_json(rows: Iterator[Row]) -> Iterator[str]:
    """A list of messages, each in the words of `smslab pbx wait --json`."""
    redacted = is_redacted()
    yield from _listed(document(message, redacted=redacted) for message in _whole(rows))


def as_csv(rows: Iterator[Row]) -> Iterator[str]:
    """One line a message. A text that a spreadsheet would run as a formula begins with an apostrophe."""
    yield _line(COLUMNS)
    for row in rows:
        shown = dict(row) | {name: shown_number(row[name]) for name in ("from_number", "recipient")}
        shown["text"] = shown_text(row["text"])
        yield _line([_harmless(shown[name]) for name in COLUMNS])


def as_har(rows: Iterator[Row]) -> Iterator[str]:
    """Every exchange that was kept. The key was not."""
    redacted = is_redacted()
    start, end = json.dumps(har.document("smslab console", ())).split("[]")
    yield start
    yield from _listed(_entries(_whole(rows), redacted=redacted))
    yield end


FORMS: Final[Mapping[str, tuple[str, Callable[[Iterator[Row]], Iterator[str]]]]] = MappingProxyType(
    {"json": ("application/json", as_json), "csv": ("text/csv", as_csv), "har": ("application/json", as_har)}
)


def _whole(rows: Iterator[Row]) -> Iterator[Message]:
    while batch := list(islice(rows, AT_ONCE)):
        yield from messages(console(), batch)


def _entries(found: Iterator[Message], *, redacted: bool) -> Iterator[object]:
    for message in found:
        if one := as_exchange(message.attempt):
            entry = har.entry(one)
            yield scrubbed_all(entry, message.attempt) if redacted else entry


def _listed(values: Iterator[object]) -> Iterator[str]:
    mark = "["
    for value in values:
        yield mark + json.dumps(value, ensure_ascii=False)
        mark = ",\n"
    yield "[]" if mark == "[" else "]"


def _line(cells: object) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)  # type: ignore[arg-type]  # any row of cells
    return line.getvalue()


def _harmless(cell: object) -> object:
    formula = isinstance(cell, str) and cell[:1] in {"=", "+", "-", "@", "\t", "\r"}
    return f"'{cell}" if formula and not str(cell)[1:].isdecimal() else cell
