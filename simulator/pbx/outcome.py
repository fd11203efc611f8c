"""What the PBX writes down about a message, in the words of its event 30032 "Message Sending Result".

The categories are Yeastar's; which one stands for which answer is public for none of them, so the table here
is our reading (docs/unknowns.md). Codes and titles come from the contract, never from here.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from contracts import spec
from contracts.judge import Answer, Finding, error_code, judge_answer, order_id

SENDING, SENT, FAILED = 0, 1, 2  # delivery_status of event 30032

# One category per row of the contract's table, in its order. "No permission" has no category of its own.
_BY_ROW = (
    "invalid_phone_number",
    "invalid_param",
    "unsupport_media_type",
    "auth_fail",
    "send_fail",
    "too_many_request",
    "service_unavailable",
)
_BY_STATUS = {
    401: "auth_fail",
    404: "resource_not_found",
    405: "invalid_webhook_request",
    413: "exceeds_size_limit",
    415: "unsupport_media_type",
    429: "too_many_request",
    503: "service_unavailable",
}


class Failure(NamedTuple):
    """Why there is no answer: a category of event 30032 and a sentence without secrets."""

    send_error: str
    sentence: str


class Reply(NamedTuple):
    """What one request met: an answer or a failure, never both; the time it took in seconds."""

    answer: Answer | None
    failure: Failure | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """The record of one message: event 30032's three fields, and what they were derived from."""

    delivery_status: int
    send_error: str | None
    send_error_msg: str | None
    status: int | None
    code: str | None
    order_id: str | None
    seconds: float
    attempts: int = 1
    findings: tuple[Finding, ...] = ()

    @property
    def sent(self) -> bool:
        """The provider took the message and gave an id."""
        return self.delivery_status == SENT

    @property
    def name(self) -> str:
        """The outcome in one word, as live lines and counters show it."""
        return "sent" if self.sent else self.code or self.send_error or "unknown_error"

    def as_event(self) -> dict[str, Any]:
        """A JSON object with the names of event 30032 first."""
        return {
            "delivery_status": self.delivery_status,
            "send_error": self.send_error,
            "send_error_msg": self.send_error_msg,
            "status": self.status,
            "code": self.code,
            "id": self.order_id,
            "attempts": self.attempts,
            "seconds": round(self.seconds, 6),
            "findings": [finding._asdict() for finding in self.findings],
        }


def without(key: str, reply: Reply) -> Reply:
    """The reply with the key blotted out, in case the provider repeats it: what is kept or shown comes after this."""
    answer = reply.answer
    if answer is None or not key or not _shows(key, answer):
        return reply
    headers = {name: value.replace(key, "***") for name, value in answer.headers.items()}
    return reply._replace(answer=Answer(answer.status, headers, answer.body.replace(key.encode(), b"***")))


def _shows(key: str, answer: Answer) -> bool:
    return key.encode() in answer.body or any(key in value for value in answer.headers.values())


@cache
def categories() -> Mapping[str, str]:
    """The category of event 30032 for each code of the contract."""
    return {row.code: name for row, name in zip(spec.error_rows(), _BY_ROW, strict=True)}


def outcome(reply: Reply, success: tuple[int, ...] = (200,)) -> Outcome:
    """The record for an answer, or for its absence. `success` are the statuses the PBX takes as sent."""
    if reply.answer is None:
        failure = reply.failure or Failure("unknown_error", "no answer")
        return Outcome(FAILED, failure.send_error, failure.sentence, None, None, None, reply.seconds)
    answer = reply.answer
    found = judge_answer("sendmessage", "POST", answer)
    if answer.status in success and (identity := order_id(Answer(200, answer.headers, answer.body))):
        return Outcome(SENT, None, None, answer.status, None, identity, reply.seconds, findings=found)
    code = error_code(answer)
    category, words = _category(answer.status, code), _words(answer)
    return Outcome(FAILED, category, words, answer.status, code, None, reply.seconds, findings=found)


def _category(status: int, code: str | None) -> str:
    known = categories().get(code or "") or _BY_STATUS.get(status)
    if known:
        return known
    if 300 <= status < 500:
        return "request_fail"
    return "service_error" if status >= 500 else "unknown_error"


def _words(answer: Answer) -> str:
    """The provider's own words: the envelope's detail, or the beginning of whatever came instead."""
    match _json(answer.body):
        case {"errors": [{"detail": str(words)}, *_]} | {"errors": [{"title": str(words)}, *_]} if words.strip():
            return words
    if 200 <= answer.status < 300:
        return "The provider answered success without an id."
    if location := answer.headers.get("location"):
        return f"The provider redirects to {location[:200]}; a PBX does not follow."
    shown = " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return f"HTTP {answer.status} without the contract's envelope: {shown or 'an empty body'}"


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
