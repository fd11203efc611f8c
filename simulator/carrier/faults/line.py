"""Faults of the line: the connection misbehaves, before or after the messages were taken.

They begin once the request was read: a connection refused earlier could not be scoped, and would shut out the
one who wants to clear the fault.
"""

from dataclasses import dataclass
from typing import Literal

from flask import Response

from simulator.carrier.fault import Fault, Strike
from simulator.carrier.wire import Wire, raw_response


@dataclass
class Reset(Fault):
    """The connection is reset (RST) `before` or `after` the messages were taken."""

    when: Literal["before", "after"] = "before"

    def arrive(self, strike: Strike) -> Response | None:  # noqa: ARG002 - a hook
        return Wire([], "reset") if self.when == "before" else None

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        return Wire([], "reset") if self.when == "after" else response


@dataclass
class LostRequest(Fault):
    """The request never arrives: nothing is taken, the connection closes without an answer."""

    def arrive(self, strike: Strike) -> Response:  # noqa: ARG002 - a hook
        return Wire([], "close")


@dataclass
class LostReply(Fault):
    """The messages are taken, the answer never arrives: the connection closes without it."""

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        return Wire([], "close")


@dataclass
class Hang(Fault):
    """Nothing is taken and nothing is said for `seconds`, or until the caller leaves; then the line closes."""

    seconds: float = 300.0

    def arrive(self, strike: Strike) -> Response:  # noqa: ARG002 - a hook
        return Wire([self.seconds], "close")


@dataclass
class Dribble(Fault):
    """The right answer, a byte every `pause` seconds, in its `headers` (all of it) or only in its `body`."""

    pause: float = 0.5
    part: Literal["headers", "body"] = "body"

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        data = raw_response(response)
        start = 0 if self.part == "headers" else data.index(b"\r\n\r\n") + 4
        drops = [step for byte in data[start:] for step in (self.pause or 0.001, bytes([byte]))]
        return Wire([data[:start], *drops], "keep")


@dataclass
class DuplicateReply(Fault):
    """The answer is sent twice on one connection; who reuses it finds an answer to no question."""

    def answer(self, strike: Strike, response: Response) -> Response:  # noqa: ARG002 - a hook
        return Wire([raw_response(response) * 2], "keep")
