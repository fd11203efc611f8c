"""The way of a submission through the carrier: read it, let the faults have it, take it, answer.

HTTP routes are in `app.py`; what is remembered is in the ledger; every misbehaviour is a fault.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple

from flask import Response

from simulator.carrier.board import Board
from simulator.carrier.fault import Call, Fault, Refusal, Strike
from simulator.carrier.lifecycle import Profile
from simulator.carrier.magic import MagicFaults
from simulator.carrier.postman import Postman
from simulator.carrier.wire import answer
from simulator.ledger.carrier import CarrierLedger, Message, Taken

BATCH = 100
TEXTS = ("from", "to", "text", "encoding")
CHANGED = Refusal(422, "This key was used for another message.")


@dataclass
class Desk:
    """One carrier at work. `clock` gives epoch seconds, `sleep` waits, `rng` draws whatever is drawn."""

    ledger: CarrierLedger
    board: Board
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    rng: Random
    window: float
    profile: Profile
    postman: Postman | None = None
    magic: MagicFaults = field(default_factory=MagicFaults)

    def submit(self, body: bytes, key: str | None) -> Response:
        """Answer one call of `POST /v1/messages`: 200, or what its faults make of it, or 400."""
        messages, batch, wrong = read(body, key)
        call = Call(messages, self.clock(), self.window, self.rng, self.sleep, self.board.arm)
        strikes = self._strikes(call)
        for fault, strike in strikes:
            if early := fault.arrive(strike):
                return early
        response = answer(400, {"error": wrong}) if wrong else self._take(call, batch, strikes)
        for fault, strike in strikes:
            response = fault.answer(strike, response)
        return response

    def _strikes(self, call: Call) -> list[tuple[Fault, Strike]]:
        struck = [*self.magic.struck(call.messages), *self.board.strike(call.messages, call.now)]
        return [(fault, Strike(call, hit)) for fault, hit in struck]

    def _take(self, call: Call, batch: bool, strikes: Sequence[tuple[Fault, Strike]]) -> Response:
        wanted = [message for index, message in enumerate(call.messages) if index not in call.refusals]
        taken = iter(self.ledger.take(wanted, self.clock(), call.window) if wanted else [])
        results: list[Taken | Refusal] = [
            call.refusals.get(index) or next(taken) for index in range(len(call.messages))
        ]
        if self.postman:
            self._report(results, strikes)
        if not wanted and len({refusal.status for refusal in call.refusals.values()}) == 1:
            return _refused(call.refusals[0])
        if batch:
            rows = zip(call.messages, results, strict=True)
            return answer(200, {"results": [_result(message, result) for message, result in rows]})
        row = _result(call.messages[0], results[0])
        return answer(row.pop("status"), row)

    def _report(self, results: Sequence[Taken | Refusal], strikes: Sequence[tuple[Fault, Strike]]) -> None:
        for index, result in enumerate(results):
            if isinstance(result, Taken) and result.delivery and result.new:
                receipts = self.profile.plan(result.delivery, self.rng)
                for fault, strike in strikes:
                    if index in strike.hit:
                        receipts = fault.receipts(receipts)
                if receipts and self.postman:
                    self.postman.post(receipts)


class Submission(NamedTuple):
    """What a body said: messages, alone or as a batch, or (without messages) what is wrong with it."""

    messages: list[Message]
    batch: bool = False
    wrong: str | None = None


def read(body: bytes, key: str | None) -> Submission:
    """The submission in a body; `key` is the header's, for a message alone."""
    try:
        document = json.loads(body)
        rows = document.get("messages", [{**document, "key": key}])
        if not isinstance(rows, list) or not 1 <= len(rows) <= BATCH:
            return Submission([], wrong=f"A batch is a list of 1 to {BATCH} messages.")
        return Submission([_message(row) for row in rows], "messages" in document)
    except UnicodeEncodeError:
        return Submission([], wrong="A text holds half a character.")
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, RecursionError):
        return Submission([], wrong="The body is not a JSON object.")
    except ValueError as error:
        return Submission([], wrong=str(error))


def _message(row: dict[str, Any]) -> Message:
    key, segments = row.get("key"), row.get("segments")
    if not all(isinstance(row.get(name), str) for name in TEXTS):
        raise ValueError(f"A message has the texts {', '.join(TEXTS)}.")
    if type(segments) is not int or not 1 <= segments <= BATCH * BATCH:
        raise ValueError("The segments of a message are a whole number from 1.")
    if key is not None and not (isinstance(key, str) and 1 <= len(key) <= 255):
        raise ValueError("A key is a text of 1 to 255 characters.")
    "".join((key or "", *(row[name] for name in TEXTS))).encode()
    return Message(key, row["from"], row["to"], row["text"], row["encoding"], segments)


def _result(message: Message, result: Taken | Refusal) -> dict[str, Any]:
    if isinstance(result, Taken):
        if result.delivery:
            return {"key": message.key, "status": 200, "id": result.delivery.id}
        result = CHANGED
    pause = {} if result.retry_after is None else {"retry_after": result.retry_after}
    return {"key": message.key, "status": result.status, "error": result.error, **pause}


def _refused(refusal: Refusal) -> Response:
    response = answer(refusal.status, {"error": refusal.error}, refusal.retry_after)
    if refusal.body is not None:
        response.set_data(refusal.body)
        response.content_type = "text/plain; charset=utf-8"
    if 300 <= refusal.status < 400:
        response.headers["Location"] = "/v1/elsewhere"
    return response
