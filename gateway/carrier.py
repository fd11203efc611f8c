"""Submits messages to the carrier over HTTP and says what became of each. Everything the carrier says is suspect.

httpx's timeouts are per read, not a deadline: a carrier that dribbles a byte every half second would hold a call for
ever. So the socket is cut when the attempt's time is up, and no more than `REPLY_CAP` bytes are read.
"""

import json
import math
import socket
from collections.abc import Sequence
from contextlib import suppress
from time import monotonic
from typing import Any, NamedTuple

import httpx

from gateway.deadline import DEADLINES

REPLY_CAP = 256 * 1024  # bytes; a hundred results take about 12,000
TEMPORARY = {408, 425, 429}  # statuses below 500 that ask for another try
MISPLACED = {401, 404, 405, 407}  # of a whole call: our key or address is wrong, which is no message's fault
SUBMITTED, RETRY, REFUSED = "submitted", "retry", "refused"


class Parcel(NamedTuple):
    """A message as the carrier gets it. `key` is the order id and the carrier's idempotency key."""

    key: str
    sender: str
    to: str
    text: str
    encoding: str
    segments: int

    def fields(self) -> dict[str, object]:
        """The message's JSON, without the key."""
        return {
            "from": self.sender,
            "to": self.to,
            "text": self.text,
            "encoding": self.encoding,
            "segments": self.segments,
        }


class Outcome(NamedTuple):
    """What became of one message: submitted (with the carrier's id), refused for good, or to be tried again."""

    kind: str
    carrier_id: str | None = None
    reason: str | None = None
    retry_after: float | None = None  # seconds the carrier asked for


class Call(NamedTuple):
    """One attempt: an outcome per message, and whether the carrier showed signs of life."""

    outcomes: list[Outcome]
    alive: bool


class Garbled(Exception):
    """The carrier answered something that is no answer."""


class Carrier:
    """One caller's connection to the carrier. `deadline` is the wall-clock limit of an attempt in seconds."""

    def __init__(self, client: httpx.Client, url: str, deadline: float, *, single: bool = False) -> None:
        self._client = client
        self._url = f"{url.rstrip('/')}/v1/messages"
        self._deadline = deadline
        self._single = single
        self._socket: socket.socket | None = None

    def submit(self, parcels: Sequence[Parcel]) -> Call:
        """Offer the messages once. Never raises for anything the carrier or the network does."""
        return self._submit(parcels, monotonic() + self._deadline)

    def _submit(self, parcels: Sequence[Parcel], end: float) -> Call:
        try:
            response, body = self._post(parcels, end - monotonic())
            if response.status_code == 200:
                return _read_results(body, parcels, single=self._single)
            return self._refused(response, parcels, end)
        except (httpx.HTTPError, httpx.InvalidURL, Garbled, OSError) as fault:
            return Call([Outcome(RETRY, reason=f"{type(fault).__name__}: {fault}")] * len(parcels), alive=False)

    def _refused(self, response: httpx.Response, parcels: Sequence[Parcel], end: float) -> Call:
        status = response.status_code
        reason = f"HTTP {status}"
        if is_temporary(status) or status in MISPLACED:
            outcome = Outcome(RETRY, reason=reason, retry_after=_seconds(response.headers.get("Retry-After")))
            return Call([outcome] * len(parcels), alive=status in TEMPORARY)
        if len(parcels) == 1:
            return Call([Outcome(REFUSED, reason=reason)], alive=True)
        # One bad message must not take the others with it: offer them alone, as far as this attempt's time goes.
        outcomes = [
            self._submit([parcel], end).outcomes[0] if monotonic() < end else Outcome(RETRY, reason="no time left")
            for parcel in parcels
        ]
        return Call(outcomes, alive=True)

    def _post(self, parcels: Sequence[Parcel], seconds: float) -> tuple[httpx.Response, bytes]:
        headers = {"Accept-Encoding": "identity", "Content-Type": "application/json"}
        if self._single:
            headers["Idempotency-Key"] = parcels[0].key
            document: dict[str, Any] = parcels[0].fields()
        else:
            document = {"messages": [{"key": parcel.key, **parcel.fields()} for parcel in parcels]}
        body = bytearray()
        with (
            DEADLINES.within(seconds, self._cut),
            self._client.stream(
                "POST",
                self._url,
                content=json.dumps(document),
                headers=headers,
                extensions={"trace": self._trace},
            ) as response,
        ):
            for part in response.iter_raw():
                body += part
                if len(body) > REPLY_CAP:
                    message = f"a reply of more than {REPLY_CAP} bytes"
                    raise Garbled(message)
        return response, bytes(body)

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        """Keeps hold of the socket, which httpx shows nowhere else before the headers have come."""
        if event in {"connection.connect_tcp.complete", "connection.start_tls.complete"}:
            self._socket = info["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


def open_client(deadline: float, key: str = "") -> httpx.Client:
    """An httpx client that obeys nobody's proxy, follows no redirect and keeps one connection."""
    return httpx.Client(
        timeout=httpx.Timeout(deadline),
        limits=httpx.Limits(max_connections=1),
        follow_redirects=False,
        trust_env=False,
        headers={"Authorization": f"Bearer {key}"} if key else None,
    )


def _read_results(body: bytes, parcels: Sequence[Parcel], *, single: bool) -> Call:
    """The outcomes in a 200, or Garbled unless each message of the call is answered under its own key."""
    try:
        document = json.loads(body)
        results = [{"status": 200, **document}] if single else document["results"]
        by_key = {result["key"]: result for result in results}
        outcomes = [_outcome(by_key[parcel.key]) for parcel in parcels]
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as fault:
        message = f"an answer that cannot be read ({type(fault).__name__})"
        raise Garbled(message) from None
    return Call(outcomes, alive=any(outcome.kind != RETRY or outcome.retry_after for outcome in outcomes))


def is_temporary(status: int) -> bool:
    """Whether another try makes sense: server errors, a few 4xx, and whatever is no answer at all (a redirect)."""
    return status >= 500 or status in TEMPORARY or status < 400


def _outcome(result: dict[str, Any]) -> Outcome:
    status, carrier_id = int(result["status"]), result.get("id")
    if status == 200:
        if not isinstance(carrier_id, str) or not (0 < len(carrier_id) <= 64 and carrier_id.isprintable()):
            raise ValueError
        return Outcome(SUBMITTED, carrier_id=carrier_id)
    said = str(result.get("error", ""))[:200].encode("unicode_escape").decode()  # PostgreSQL stores no NUL
    reason = f"{status} {said}".rstrip()
    if is_temporary(status):
        return Outcome(RETRY, reason=reason, retry_after=_seconds(result.get("retry_after")))
    return Outcome(REFUSED, reason=reason)


def _seconds(value: object) -> float | None:
    """A Retry-After in seconds, at most an hour of it; None for anything else, dates included."""
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    return min(max(seconds, 0.0), 3600.0) if math.isfinite(seconds) else None
