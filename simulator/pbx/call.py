"""One HTTP call as a PBX makes it over httpx: no redirects, a real deadline, a bounded answer, never a raise.

httpx's timeouts are per read, so a provider that dribbles would hold a call for ever; the socket is cut when
the time is up. What an answer means is not decided here.
"""

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from typing import Any

import httpx

from contracts.judge import Answer
from simulator.pbx.habits import Habits
from simulator.pbx.outcome import Failure, Reply


def open_client() -> httpx.Client:
    """A client for one caller: no proxies or netrc from the environment, one kept connection."""
    limits = httpx.Limits(max_connections=1)
    return httpx.Client(trust_env=False, follow_redirects=False, limits=limits, timeout=Habits().timeout)


class Caller:
    """One thread's way to the provider. Keep one per client: its connection is the one that gets cut."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._socket: socket.socket | None = None

    def call(self, request: httpx.Request, deadline: float, limit: int) -> Reply:
        """Send the request and read at most `limit` bytes of its answer within `deadline` seconds, all told."""
        started = time.monotonic()
        answer, failure = None, None
        try:
            with self._cut_after(deadline, request):
                answer = self._answer(request, limit)
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError) as error:
            failure = _failure(error, deadline, late=time.monotonic() - started >= deadline)
        except _TooLong:
            failure = Failure("exceeds_size_limit", f"The answer is longer than {limit} bytes.")
        return Reply(answer, failure, time.monotonic() - started)

    def _answer(self, request: httpx.Request, limit: int) -> Answer:
        body = bytearray()
        response = self.client.send(request, stream=True)
        try:
            for part in response.iter_raw():
                body += part
                if len(body) > limit:
                    raise _TooLong
        finally:
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, bytes(body))

    @contextmanager
    def _cut_after(self, deadline: float, request: httpx.Request) -> Iterator[None]:
        phases = dict.fromkeys(("connect", "read", "write", "pool"), deadline)
        request.extensions |= {"trace": self._trace, "timeout": phases}
        timer = Timer(deadline, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Keeps hold of the socket, which httpx shows nowhere else before the headers have come."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _TooLong(Exception):
    """More of an answer than anybody wants to read."""


def _failure(error: Exception, deadline: float, *, late: bool) -> Failure:
    if late or isinstance(error, httpx.TimeoutException):
        return Failure("exceeds_time_limit", f"No answer within {deadline:g} s.")
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return Failure("request_fail", f"TLS: {cause.reason or 'the certificate is not accepted'}.")
        if isinstance(cause, ConnectionRefusedError):
            return Failure("request_fail", "The provider refuses connections.")
        if isinstance(cause, socket.gaierror):
            return Failure("request_fail", "The provider's host name is unknown.")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx.ProtocolError):
        return Failure("request_fail", "The provider closed the connection or what it sent is not HTTP.")
    return Failure("request_fail", "The connection broke before an answer came.")
