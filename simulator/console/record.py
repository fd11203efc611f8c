"""A message as other programs get it: the words of `smslab pbx wait --json`, put together from index and ledger.

The index has everything but the exchange, which stays in the PBX's ledger and is read from there by its number.
"""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from simulator.console.page import Console
from simulator.console.redaction import masked, veiled
from simulator.console.sources import Table
from simulator.ledger.carrier import Delivery, Handover
from simulator.ledger.pbx import Attempt
from simulator.ledger.watch import Message

EXCHANGES: Final = "SELECT number, exchange FROM closed"
STEPS: Final = """
SELECT order_id, at, source, kind, data, content FROM steps
WHERE order_id IN (SELECT value FROM json_each(?)) ORDER BY at, id
"""


def messages(console: Console, rows: Sequence[sqlite3.Row]) -> list[Message]:
    """The messages of some rows, in their order, with everything both ledgers say of them."""
    exchanges = _exchanges(console, [row["attempt"] for row in rows if row["attempt"]])
    steps = steps_of(console, [row["order_id"] for row in rows if row["order_id"]])
    return [_message(row, exchanges.get(row["attempt"], {}), steps.get(row["order_id"], ())) for row in rows]


def steps_of(console: Console, orders: Iterable[str]) -> Mapping[str, list[sqlite3.Row]]:
    """What happened to some orders, each in the order of time."""
    found: dict[str, list[sqlite3.Row]] = defaultdict(list)
    for step in console.projection.rows(STEPS, (json.dumps(list(orders)),)):
        found[step["order_id"]].append(step)
    return found


def document(message: Message, *, redacted: bool) -> dict[str, Any]:
    """The message as JSON; redacted: without its numbers and its text."""
    found = message.as_document()
    return scrubbed_all(found, message.attempt) if redacted else found


def scrubbed(text: str, attempt: Attempt) -> str:
    """Any text about an attempt with its numbers masked and its message veiled, as it is or as JSON has it.

    What is shorter than four characters is veiled only where it stands alone: it is in every other word too.
    """
    hidden = {attempt.text: veiled(attempt.text)}
    hidden |= {number: masked(number) for number in (attempt.to, attempt.from_number)}
    for secret in sorted(filter(None, hidden), key=len, reverse=True):
        if text == secret:
            return hidden[secret]
        for form in (json.dumps(secret), json.dumps(secret, ensure_ascii=False), f'"{secret}"'):
            text = text.replace(form, f'"{hidden[secret]}"')
            text = text.replace(form[1:-1], hidden[secret]) if len(secret) > 3 else text
    return text


def scrubbed_all(value: Any, attempt: Attempt) -> Any:  # noqa: ANN401 - JSON
    """Every string in a JSON value, scrubbed; names stay."""
    if isinstance(value, str):
        return scrubbed(value, attempt)
    if isinstance(value, Mapping):
        return {name: scrubbed_all(one, attempt) for name, one in value.items()}
    return [scrubbed_all(one, attempt) for one in value] if isinstance(value, list | tuple) else value


def _exchanges(console: Console, numbers: Sequence[int]) -> Mapping[int, dict[str, Any]]:
    ledger = Table(console.lab.pbx_ledger, EXCHANGES, "number")
    return {number: json.loads(exchange) for number, exchange in ledger.those(numbers)}


def _message(row: sqlite3.Row, exchange: dict[str, Any], steps: Iterable[sqlite3.Row]) -> Message:
    attempt = Attempt(
        row["attempt"] or 0, row["run"], row["from_number"], row["recipient"], row["text"], row["started_at"],
        row["finished_at"], row["status"], row["code"], row["order_id"], exchange,
    )  # fmt: skip
    deliveries, receipts = [], []
    for step in steps:
        told = json.loads(step["data"])
        if step["source"] == "carrier":
            to, _, text = step["content"].partition("\n")
            last = (told["from"], to, text, told["encoding"], told["segments"], step["at"])
            deliveries.append(Delivery(told["seq"], told["id"], told["key"], *last))
        elif step["source"] == "postman":
            first = (told["number"], told["receipt_id"], told["message_id"])
            receipts.append(Handover(*first, step["kind"], step["at"], told["answer"]))
    return Message(attempt, tuple(sorted(deliveries)), tuple(sorted(receipts)))  # as the carrier counted them
