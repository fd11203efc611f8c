"""Delivery receipts: signed, repeatable, and never able to turn an order's status back."""

import hashlib
import hmac
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.body import bad, parse, read_body
from gateway.contract import NOT_AUTHENTICATED, Refusal
from gateway.gateway import Gateway
from gateway.schema import orders, receipts

# SMPP's words, by how far along they are. Among final ones the first to come stays.
RANK = {"ACCEPTD": 1, "ENROUTE": 2, "UNKNOWN": 3, "DELIVRD": 4, "UNDELIV": 4, "EXPIRED": 4, "REJECTD": 4, "DELETED": 4,
        "READ": 5}  # fmt: skip


def take_receipt(environ: dict[str, Any], gateway: Gateway) -> None:
    """Apply one receipt. 10004 unless its signature (HMAC-SHA256 over the raw body) is right and it is recent.

    A receipt that came before, one for an order of somebody else's, and one that says less than is known are all
    taken and change nothing: the carrier must not go on repeating them.
    """
    body = read_body(environ)
    _check_signature(environ.get("HTTP_X_SIGNATURE_256", ""), body, gateway.settings.receipt_secret)
    receipt = parse(body)
    names = ("receipt_id", "order_id", "message_status")
    if not all(isinstance(receipt.get(name), str) and len(receipt[name]) <= 64 for name in names):
        raise bad("A receipt needs receipt_id, order_id and message_status")
    if receipt["message_status"] not in RANK:
        raise bad("message_status is none of SMPP's")
    sent_at, now, window = receipt.get("sent_at"), gateway.clock(), gateway.settings.receipt_window
    if not isinstance(sent_at, int | float) or not now - window <= sent_at <= now + window:
        raise Refusal(NOT_AUTHENTICATED, "The receipt is too old")
    if _apply(gateway, receipt, round(now * 1000)):
        gateway.log.info("receipt", order=receipt["order_id"], status=receipt["message_status"])


def _check_signature(given: str, body: bytes, secret: str) -> None:
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if not secret or not hmac.compare_digest(given.encode(), expected.encode()):
        raise Refusal(NOT_AUTHENTICATED, "The receipt's signature is missing or wrong")


def _apply(gateway: Gateway, receipt: dict[str, Any], now: int) -> bool:
    """Whether the receipt is new and moved its order's status forward."""
    with gateway.database.write() as connection:
        insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
        row = {
            "id": receipt["receipt_id"],
            "order_id": receipt["order_id"][:23],
            "message_status": receipt["message_status"],
            "received_at": now,
        }
        if not connection.execute(insert(receipts).values(row).on_conflict_do_nothing()).rowcount:
            return False
        mine = orders.c.id == receipt["order_id"]
        known = connection.scalar(select(orders.c.message_status).where(mine).with_for_update())
        if RANK[receipt["message_status"]] <= RANK.get(known or "", 0):
            return False
        moved = update(orders).where(mine).values(message_status=receipt["message_status"])
        return bool(connection.execute(moved).rowcount)
