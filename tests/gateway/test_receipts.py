"""Delivery receipts: believed only when signed and recent, and never able to turn an order's status back."""

import hashlib
import hmac
import json
from itertools import permutations

import pytest

SECRET = "shared with the carrier"
FINAL = ["DELIVRD", "UNDELIV", "EXPIRED", "REJECTD", "DELETED"]


@pytest.fixture
def desk(desks):
    """A desk that shares a secret with the carrier."""
    return desks(receipt_secret=SECRET)


def receipt(desk, order, status, number=1, **fields):
    """A receipt's fields, as the carrier sends them."""
    plain = {"receipt_id": f"R{number}", "order_id": order, "message_status": status, "sent_at": desk.clock.now}
    return plain | fields


def post(desk, fields, *, secret=SECRET, signature=None, body=None):
    """Hand a receipt over, signed over its raw bytes: the status of the answer."""
    raw = json.dumps(fields).encode() if body is None else body
    signed = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    headers = {"X-Signature-256": signed if signature is None else signature}
    return desk.client.post("/carrier/receipts", data=raw, headers=headers)


def status_of(desk):
    """The status of the one order."""
    with desk.gateway.database.read() as connection:
        return connection.exec_driver_sql("SELECT message_status FROM orders").scalar()


@pytest.fixture
def order(desk):
    """An accepted order's id."""
    return desk.send().json["data"]["id"]


@pytest.mark.parametrize("status", ["ACCEPTD", "ENROUTE", "UNKNOWN", *FINAL, "READ"])
def test_a_signed_receipt_moves_the_order(desk, order, status):
    """The order says what the network said, in SMPP's words."""
    assert post(desk, receipt(desk, order, status)).status_code == 204
    assert status_of(desk) == status


@pytest.mark.parametrize("order_of_arrival", list(permutations(["ACCEPTD", "ENROUTE", "DELIVRD"])))
def test_in_whatever_order_they_come_the_last_word_stays(desk, order, order_of_arrival):
    """Reordered receipts end where ordered ones do."""
    for number, status in enumerate(order_of_arrival):
        assert post(desk, receipt(desk, order, status, number)).status_code == 204
    assert status_of(desk) == "DELIVRD"


@pytest.mark.parametrize("later", [*FINAL, "ENROUTE", "UNKNOWN"])
def test_a_final_status_stays(desk, order, later):
    """Of two final words the first counts."""
    post(desk, receipt(desk, order, "UNDELIV", 1))
    assert post(desk, receipt(desk, order, later, 2)).status_code == 204
    assert status_of(desk) == "UNDELIV"


def test_a_repeated_receipt_changes_nothing_and_is_taken(desk, order):
    """The carrier repeats until it hears 2xx; the second time is recognised, and logged once."""
    for _ in range(3):
        assert post(desk, receipt(desk, order, "DELIVRD")).status_code == 204
    assert desk.log.getvalue().count('"event": "receipt"') == 1


def test_a_receipt_for_an_unknown_order_is_taken(desk, order):
    """It changes nothing, and the carrier need not repeat it."""
    assert post(desk, receipt(desk, "SDPS000000000000NOBODYS", "DELIVRD")).status_code == 204
    assert (status_of(desk), order[:4]) == (None, "SDPS")


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=" + "0" * 64, "é", "x" * 10_000])
def test_a_wrong_signature_is_401(desk, order, refused, signature):
    """Who does not know the secret reports nothing."""
    refused(post(desk, receipt(desk, order, "DELIVRD"), signature=signature), 401, "10004")
    assert status_of(desk) is None


def test_the_signature_is_over_the_raw_body(desk, order, refused):
    """The same JSON with one blank more has another signature."""
    raw = json.dumps(receipt(desk, order, "DELIVRD")).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
    refused(post(desk, None, body=raw + b" ", signature=signature), 401, "10004")
    assert post(desk, None, body=raw, signature=signature).status_code == 204


def test_without_a_secret_no_receipt_is_believed(desks, refused):
    """An empty secret is none: a signature made with it opens nothing."""
    desk = desks()
    refused(post(desk, receipt(desk, "x", "DELIVRD"), secret=""), 401, "10004")


@pytest.mark.parametrize(("age", "status"), [(299, 204), (300, 204), (301, 401), (-300, 204), (-301, 401)])
def test_an_old_receipt_is_a_replay(desk, order, age, status):
    """What was signed longer ago than the window, or that far in the future, is refused."""
    assert post(desk, receipt(desk, order, "DELIVRD", sent_at=desk.clock.now - age)).status_code == status


@pytest.mark.parametrize("sent_at", [None, "now", [], True, 10**400, -(10**400)])
def test_a_receipt_without_a_time_is_none(desk, order, refused, sent_at):
    """The window cannot be kept without it."""
    refused(post(desk, receipt(desk, order, "DELIVRD", sent_at=sent_at)), 401, "10004")


@pytest.mark.parametrize(
    "fields",
    [
        {"message_status": "delivered"},
        {"message_status": None},
        {"message_status": ["DELIVRD"]},
        {"receipt_id": None},
        {"receipt_id": "x" * 65},
        {"order_id": 5},
        {"order_id": "x" * 65},
    ],
    ids=str,
)
def test_a_malformed_receipt_is_400_even_when_signed(desk, order, refused, fields):
    """Missing ids and unknown words are 10002."""
    refused(post(desk, receipt(desk, order, "DELIVRD", **fields)), 400, "10002")
    assert status_of(desk) is None


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"receipt_id": "\\ud800"}', b" " * 40_000])
def test_a_body_that_is_no_object_is_refused_even_when_signed(desk, body):
    """The same strict reader as for messages."""
    assert post(desk, None, body=body).status_code in {400, 413}
