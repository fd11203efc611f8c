"""The event log: one JSON line per step of an order, on standard output. Keys never, numbers masked, texts hashed.

Logging never fails a request: an order that is on disk has been accepted, whether or not it could be logged.
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple, TextIO

import structlog


class Accepted(NamedTuple):
    """What is logged of an accepted order, before masking."""

    order: str
    integration: int
    key: int
    to: str
    text: str
    segments: int


class Lines:
    """Where lines end up. A full disk or a closed pipe is nobody's error here."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, text: str) -> None:
        """Write one line, or several joined by line ends, at once."""
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return

    info = warning = error = msg


class EventLog:
    """The log of one process. `context` goes into each line."""

    def __init__(self, context: Mapping[str, object], stream: TextIO) -> None:
        self._lines = Lines(stream)
        self._common = "".join(f", {json.dumps(name)}: {json.dumps(value)}" for name, value in context.items())
        bound = structlog.wrap_logger(
            self._lines,
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            wrapper_class=structlog.BoundLogger,
        ).bind(**context)
        self.info, self.warning, self.error = bound.info, bound.warning, bound.error

    def exception(self, event: str) -> None:
        """Log the exception being handled, with its traceback, in one line."""
        self.error(event, exc_info=True)

    def accepted(self, orders: Iterable[Accepted]) -> None:
        """The lines of a batch in one write: this is the only event that comes thousands of times a second.

        Nothing in it needs escaping, so it is not escaped.
        """
        at = _now()
        lines = [
            f'{{"order": "{one.order}", "integration": {one.integration}, "key": {one.key}, "to": "{masked(one.to)}", '
            f'"text": "{fingerprint(one.text)}", "segments": {one.segments}, "event": "accepted", "at": "{at}"'
            f"{self._common}}}"
            for one in orders
        ]
        if lines:
            self._lines.msg("\n".join(lines))

    def many(self, events: Iterable[Mapping[str, object]]) -> None:
        """Several lines, each with its own "event", in one write: an attempt has up to a hundred.

        The events are flat. They are encoded at once, with line ends between all parts: JSON has none inside a string,
        so one between two objects begins a line and every other one is a blank.
        """
        text = json.dumps(list(events), separators=(",\n", ": "))[1:-2]
        ending = f', "at": "{_now()}"{self._common}}}'
        if text:
            self._lines.msg(text.replace("},\n{", f"{ending}\n{{").replace(",\n", ", ") + ending)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def open_log(context: Mapping[str, object] = {}, stream: TextIO | None = None) -> EventLog:
    """A log on standard output, or on `stream`."""
    return EventLog(context, stream or sys.stdout)


def masked(number: str) -> str:
    """`+639171234567` as `+6391******67`: enough to know one's own test number again, not enough to call it."""
    return f"{number[:5]}{'*' * max(0, len(number) - 7)}{number[-2:]}"


def fingerprint(text: str) -> str:
    """A text as its length and the start of its SHA-256."""
    return f"{len(text)}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
