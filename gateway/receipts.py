"""Delivery receipts: signed, repeatable, and never able to turn an order's status back."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, case, insert, select, update

from gateway.baton import Baton, Fate, Row
from gateway.body import bad, parse, read_body
from gateway.contract import NOT_AUTHENTICATED, UNAVAILABLE, Refusal
from gateway.database import Database
from gateway.events import EventLog
from gateway.schema import orders, receipts
from gateway.settings import Settings

# SMPP's words, by how far along they are. Among final ones the first to come stays.
RANK = {"ACCEPTD": 1, "ENROUTE": 2, "UNKNOWN": 3, "DELIVRD": 4, "UNDELIV": 4, "EXPIRED": 4, "REJECTD": 4, "DELETED": 4,
        "READ": 5}  # fmt: skip


class Receipt(NamedTuple):
    """What the carrier says of an order, as a row of the table."""

    id: str
    order_id: str
    message_status: str
    received_at: int


def read_receipt(environ: dict[str, Any], settings: Settings, now: float) -> Receipt:
    """The receipt in a request. 10004 unless its signature (HMAC-SHA256 over the raw body) is right and it is recent.

    A receipt that came before, one for an order nobody knows, and one that says less than is known are all taken and
    change nothing: the carrier must not go on repeating them.
    """
    body = read_body(environ)
    _check_signature(environ.get("HTTP_X_SIGNATURE_256", ""), body, settings.receipt_secret)
    receipt = parse(body)
    names = ("receipt_id", "order_id", "message_status")
    if not all(isinstance(receipt.get(name), str) and len(receipt[name]) <= 64 for name in names):
        raise bad("A receipt needs receipt_id, order_id and message_status")
    if receipt["message_status"] not in RANK:
        raise bad("message_status is none of SMPP's")
    sent_at, window = receipt.get("sent_at"), settings.receipt_window
    if not isinstance(sent_at, int | float) or not now - window <= sent_at <= now + window:
        raise Refusal(NOT_AUTHENTICATED, "The receipt is too old")
    return Receipt(receipt["receipt_id"], receipt["order_id"][:23], receipt["message_status"], round(now * 1000))


def _check_signature(given: str, body: bytes, secret: str) -> None:
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refusal(NOT_AUTHENTICATED, "The receipt's signature is missing or wrong")


class Receipts:
    """Applies receipts, many in one transaction: they come as often as messages go."""

    def __init__(self, database: Database, log: EventLog, patience: float) -> None:
        self._database = database
        self._log = log
        self._baton = Baton(self._write, patience=patience)

    def apply(self, receipt: Receipt) -> None:
        """Move the order's status forward if the receipt is new; 10007 if it could not be written."""
        if self._baton.submit(receipt) is not Fate.COMMITTED:
            raise Refusal(UNAVAILABLE, "The receipt could not be stored")

    def _write(self, batch: Sequence[Row]) -> list[Fate]:
        try:
            with self._database.write() as connection:
                new = _unseen(connection, [Receipt(*row) for row in batch])
                if new:
                    connection.execute(insert(receipts), [one._asdict() for one in new])
                    connection.execute(_MOVE, [_move(one) for one in new])
        except Exception:  # noqa: BLE001  whoever waits for the batch must get an answer
            self._log.exception("receipts could not be stored")
            return [Fate.REFUSED] * len(batch)
        self._log.many({"order": one.order_id, "status": one.message_status, "event": "receipt"} for one in new)
        return [Fate.COMMITTED] * len(batch)


def _unseen(connection: Connection, batch: list[Receipt]) -> list[Receipt]:
    """Those that did not come before, each once."""
    known = set(connection.scalars(select(receipts.c.id).where(receipts.c.id.in_([one.id for one in batch]))))
    return list({one.id: one for one in reversed(batch) if one.id not in known}.values())[::-1]


def _move(receipt: Receipt) -> dict[str, object]:
    return {"order": receipt.order_id, "status": receipt.message_status, "rank": RANK[receipt.message_status]}


_MOVE = (
    update(orders)
    .where(orders.c.id == bindparam("order"))
    .where(case(RANK, value=orders.c.message_status, else_=0) < bindparam("rank"))
    .values(message_status=bindparam("status"))
)
