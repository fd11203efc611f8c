"""The event log: one JSON line per step of an order, on standard output. Keys never, numbers masked, texts hashed."""

import hashlib
import sys
from collections.abc import Mapping
from typing import Any, TextIO

import structlog


def open_log(context: Mapping[str, object] = {}, stream: TextIO | None = None) -> Any:  # noqa: ANN401  structlog's loggers are dynamic
    """A logger whose every call is one line, written at once. `context` goes into each of them."""
    return structlog.wrap_logger(
        structlog.WriteLogger(stream or sys.stdout),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    ).bind(**context)


def masked(number: str) -> str:
    """`+639171234567` as `+6391*****67`: enough to recognise one's own test number, not enough to call it."""
    return f"{number[:5]}{'*' * max(0, len(number) - 7)}{number[-2:]}"


def fingerprint(text: str) -> str:
    """A text as its length and the start of its SHA-256."""
    return f"{len(text)}:{hashlib.sha256(text.encode()).hexdigest()[:12]}"
