"""One PBX with one channel: it verifies its key and sends messages, and writes each try down before it leaves.

How a call is made is in `call.py`, what an answer means in `outcome.py`, and what nobody knows of the real
PBX in `habits.py`.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from contracts.judge import Finding, judge_answer
from contracts.target import Target, is_loopback
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.call import Caller
from simulator.pbx.guard import refusal
from simulator.pbx.habits import Habits
from simulator.pbx.outcome import Outcome, Reply, outcome, without

Headers = tuple[tuple[str, str], ...]
LONGEST_WAIT = 60.0  # seconds; a Retry-After beyond it is not waited for


class Stranger(Exception):
    """The message is addressed to somebody who has not agreed to receive tests, or whom the guard excludes."""


class Verification(NamedTuple):
    """Whether the channel's key was confirmed, and if not, which requirement failed."""

    verified: bool
    requirement: str
    status: int | None
    seconds: float
    findings: tuple[Finding, ...] = ()


class Pbx:
    """Plays one PBX against `target`. Off loopback it sends to `target.to_number` and `receivers` only."""

    def __init__(
        self,
        target: Target,
        ledger: PbxLedger,
        client: httpx.Client,
        clock: Callable[[], float] = time.time,
        *,
        habits: Habits | None = None,
        run: str = "manual",
        receivers: frozenset[str] = frozenset(),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target, self.habits, self.run = target, habits or Habits(), run
        self._ledger, self._caller, self._clock, self._sleep = ledger, Caller(client), clock, sleep
        self._receivers = receivers | {target.to_number}

    def verify(self, challenge: str | None = None) -> Verification:
        """Ask the provider to confirm the key; with `challenge` it must come back as the whole body."""
        if self.target.verify_url is None:
            return Verification(False, "The channel has no authentication verification URL.", None, 0.0)
        url = self.target.verify_url
        if challenge is not None:
            url += ("&" if "?" in url else "?") + "challenge=" + quote(challenge, safe="")
        reply = self._call("GET", url)
        if reply.answer is None:
            return Verification(False, outcome(reply).send_error_msg or "", None, reply.seconds)
        missing = unmet(reply, challenge)
        found = judge_answer("verify", "GET", reply.answer)
        return Verification(not missing, missing, reply.answer.status, reply.seconds, found)

    def send(
        self, to: str, text: str | None, *, media_urls: Sequence[str] = (), from_number: str | None = None
    ) -> Outcome:
        """Send one message; every try is a line in the ledger. Raises `Stranger` before anything leaves."""
        return self.post(written(self.habits, from_number or self.target.from_number, to, text, media_urls))

    def post(self, payload: Mapping[str, Any], body: bytes | None = None) -> Outcome:
        """Send a JSON object as it is, right or wrong, with the PBX's retries; `body` leaves instead of it."""
        if not is_loopback(self.target.send_url) and payload.get("to") not in self._receivers:
            raise Stranger(f"{payload.get('to')} has not agreed to receive tests; nothing was sent.")
        body = json.dumps(payload).encode() if body is None else body
        if sentence := refusal(self.target.only_to, body):
            raise Stranger(sentence)
        tries = 0
        while True:
            tries += 1
            result, wait = self._try(payload, body, tries)
            if result.sent or tries > self.habits.retries or not again(self.habits, result):
                return replace(result, attempts=tries)
            self._sleep(wait)

    def _try(self, payload: Mapping[str, Any], body: bytes, number: int) -> tuple[Outcome, float]:
        line = self._ledger.open(self.run, *words(payload), self._now())
        reply = self._call("POST", self.target.send_url, body)
        result = outcome(reply, self.habits.success)
        headers = _headers(self.target, self.habits, body)
        exchange = seen(self.target.send_url, headers, body, reply, number) | {"event": result.as_event()}
        self._ledger.close(
            line, self._now(), status=result.status, code=result.code, order_id=result.order_id, exchange=exchange
        )
        return result, pause(self.habits, reply)

    def _now(self) -> float:
        """What this PBX takes for the time; what it measures and waits for does not depend on it."""
        return self._clock() + self.habits.clock_offset

    def _call(self, method: str, url: str, body: bytes | None = None) -> Reply:
        call = request(self.target, self.habits, method, url, body)
        return without(self.target.key, self._caller.call(call, self.habits.timeout, self.habits.answer_limit))


def written(
    habits: Habits,
    from_number: str,
    to: Any,  # noqa: ANN401 - bad input is sent on purpose
    text: Any,  # noqa: ANN401 - same
    media_urls: Sequence[str] = (),
) -> dict[str, Any]:
    """The JSON object of one message, with or without `media_urls` as the PBX's habits have it."""
    payload: dict[str, Any] = {"from": from_number, "to": to, "text": text}
    if media_urls or habits.media_urls != "absent":
        payload["media_urls"] = list(media_urls) or (None if habits.media_urls == "null" else [])
    return payload


def request(target: Target, habits: Habits, method: str, url: str, body: bytes | None = None) -> httpx.Request:
    """One call exactly as it leaves, with the key in it."""
    return httpx.Request(method, url, headers=_headers(target, habits, body), content=body)


def _headers(target: Target, habits: Habits, body: bytes | None) -> Headers:
    key = (("Authorization", f"Bearer {target.key}"), ("User-Agent", habits.user_agent))
    return key if body is None else (*key, ("Content-Type", "application/json"))


def words(payload: Mapping[str, Any]) -> tuple[str, str, str]:
    """Sender, recipient and text as the ledger has them: JSON where they are no strings."""
    sender, to, text = (payload.get(name) for name in ("from", "to", "text"))
    return _word(sender), _word(to), _word(text)


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def again(habits: Habits, result: Outcome) -> bool:
    """Whether a PBX with these habits tries a message again after such an outcome."""
    return habits.retry_timeouts if result.status is None else result.status in habits.retry_statuses


def pause(habits: Habits, reply: Reply) -> float:
    """How many seconds it waits before that."""
    asked = reply.answer.headers.get("retry-after", "") if reply.answer else ""
    if habits.honour_retry_after and asked.isascii() and asked.isdigit():
        return min(float(asked), LONGEST_WAIT)
    return habits.retry_wait


def seen(url: str, headers: Headers, body: bytes, reply: Reply, number: int) -> dict[str, Any]:
    """A message's exchange as the ledger keeps it: everything that crossed the wire except the key."""
    shown = {name: value for name, value in headers if name != "Authorization"}
    answer = reply.answer and {
        "status": reply.answer.status,
        "headers": dict(reply.answer.headers),
        "body": reply.answer.body.decode("utf-8", "replace")[:4096],
    }
    return {
        "request": {"method": "POST", "url": url, "headers": shown, "body": body.decode("utf-8", "replace")},
        "response": answer,
        "failure": reply.failure and reply.failure.sentence,
        "attempt": number,
        "seconds": round(reply.seconds, 6),
    }


def unmet(reply: Reply, challenge: str | None) -> str:
    """The first requirement of verification that the answer fails, as a sentence; empty if it meets all."""
    answer = reply.answer
    if answer is None:
        return "There is no answer."
    if answer.status in {401, 403}:
        return f"The provider rejects the API key (HTTP {answer.status})."
    if answer.status != 200:
        return f"The provider must answer verification with 200, not {answer.status}."
    if challenge is not None and answer.body.decode("utf-8", "replace") != challenge:
        return "The body must be exactly the challenge and nothing else."
    plain = answer.headers.get("content-type", "").startswith("text/plain")
    return "" if plain or challenge is None else "The challenge must come back as text/plain."
