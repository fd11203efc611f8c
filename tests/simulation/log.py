"""The event log of a simulated world: a line of the trace each, and what the promise needs of it."""

import sqlite3
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

EXPECTED = (sqlite3.Error, SQLAlchemyError)  # what a disk that fails does to a step


class Log:
    """Has the methods of `gateway.events.EventLog`. `accidents` are exceptions that no fault of the world explains."""

    def __init__(self, tell: Callable[..., None]) -> None:
        self.indeterminate: list[str] = []  # two processes can draw one id, and neither order be learned of
        self.accidents: list[str] = []
        self._tell = tell

    def info(self, event: str, **fields: Any) -> None:
        """One line of the trace."""
        self._tell(event, **fields)

    warning = info

    def accepted(self, orders: Iterable[Any]) -> None:
        """A line for each order of a batch."""
        for order in orders:
            self._tell("accepted", order=order.order)

    def many(self, events: Iterable[Mapping[str, Any]]) -> None:
        """A line for each event."""
        for event in events:
            self._tell(**event)

    def error(self, event: str, **fields: Any) -> None:
        """One line; an indeterminate order is remembered."""
        if event == "indeterminate":
            self.indeterminate.append(fields["order"])
        self._tell(event, **fields)

    def exception(self, event: str) -> None:
        """One line; an exception that is not the disk's doing is remembered."""
        fault = sys.exc_info()[1]
        if not isinstance(fault, EXPECTED):
            self.accidents.append(f"{event}: {fault!r}")
        self._tell(event, fault=repr(fault))
