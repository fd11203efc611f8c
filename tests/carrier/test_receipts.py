"""Receipts: planned by profile, bent by faults, signed, and repeated until they are taken."""

import hashlib
import hmac
import json
from collections import Counter
from random import Random
from threading import Event

import httpx
import pytest

from simulator.carrier.app import create_app
from simulator.carrier.faults import kinds
from simulator.carrier.lifecycle import PROFILES, Profile
from simulator.carrier.postman import TRIES, Postman
from simulator.ledger.carrier import Delivery

SECRET = "between the two of us"
TAKEN = Delivery(7, "SIM000000000007", "SDPS1", "FUTURESMS", "+639170000001", "hi", "GSM-7", 1, 100.0)


class Gateway:
    """The receiving end: answers with the statuses it was given, then 200, and keeps what came."""

    def __init__(self, *statuses):
        self.statuses, self.came, self.news = list(statuses), [], Event()

    def __call__(self, request):
        self.came.append(request)
        self.news.set()
        status = self.statuses.pop(0) if self.statuses else 200
        if status is None:
            raise httpx.ConnectError("nobody there")
        return httpx.Response(status)


@pytest.fixture
def open_postman(carrier):
    """A postman on the carrier's ledger and clock who delivers to the given gateway."""
    clients = []

    def open_to(gateway):
        clients.append(httpx.Client(transport=httpx.MockTransport(gateway)))
        return Postman("http://gateway/carrier/receipts", SECRET, carrier.ledger, clients[-1], carrier.clock)

    yield open_to
    for client in clients:
        client.close()


def test_a_receipt_is_signed_over_its_bytes(carrier, open_postman):
    """The body says whose message it is and when it was sent; the signature is HMAC-SHA256 of exactly these bytes."""
    gateway = Gateway()
    postman = open_postman(gateway)
    create_app(carrier.ledger, clock=carrier.clock, postman=postman).test_client().post(
        "/v1/messages", json=carrier.message(), headers={"Idempotency-Key": "SDPS1"}
    )
    assert not postman.hand_over()
    carrier.clock.now += 1
    assert postman.hand_over()
    (came,) = gateway.came
    body = json.loads(came.content)
    assert body == {
        "receipt_id": "SIM000000000001-DELIVRD",
        "order_id": "SDPS1",
        "message_id": "SIM000000000001",
        "message_status": "DELIVRD",
        "at": "2026-09-21T14:13:20.500Z",
        "sent_at": carrier.clock.now,
    }
    signature = hmac.new(SECRET.encode(), came.content, hashlib.sha256).hexdigest()
    assert came.headers["X-Signature-256"] == f"sha256={signature}"


def test_a_receipt_comes_again_until_it_is_taken(carrier, open_postman):
    """Refused, then nobody there, then taken: after 1 and 2 seconds, same id, a new time of sending each."""
    gateway = Gateway(500, None)
    postman = open_postman(gateway)
    postman.post(PROFILES["delivered"].plan(TAKEN, Random(1)))
    times = []
    for _ in range(3):
        assert postman.hand_over()
        times.append(json.loads(gateway.came[-1].content)["sent_at"] - carrier.clock.now)
        assert not postman.hand_over()
        carrier.clock.now += len(gateway.came)
    assert times == [0, 0, 0]
    assert len({json.loads(came.content)["receipt_id"] for came in gateway.came}) == 1
    assert [row["answer"] for row in carrier.ledger.rows("SELECT answer FROM receipts")] == [500, None, 200]


def test_a_receipt_nobody_takes_is_given_up(carrier, open_postman):
    """After its last try it does not come again."""
    gateway = Gateway(*[500] * 20)
    postman = open_postman(gateway)
    postman.post(PROFILES["delivered"].plan(TAKEN, Random(1)))
    for _ in range(20):
        postman.hand_over()
        carrier.clock.now += 1000
    assert len(gateway.came) == TRIES


def test_the_background_delivers_and_stops(open_postman):
    """Threads take what is due as it comes, without anybody calling."""
    gateway = Gateway()
    postman = open_postman(gateway)
    postman.start(2)
    postman.post(PROFILES["delivered"].plan(TAKEN, Random(1)))
    assert gateway.news.wait(5)
    postman.stop()


def test_a_profile_keeps_its_shares_and_delays():
    """1,000 messages: each status near its share, each delay inside its bounds, the same again from the same seed."""
    plans = [PROFILES["mixed"].plan(TAKEN, Random(seed)) for seed in range(1000)]
    assert all(plan[0].message_status == "ENROUTE" for plan in plans)
    counts = Counter(plan[-1].message_status for plan in plans)
    assert 860 < counts["DELIVRD"] < 940
    assert set(counts) == {"DELIVRD", "UNDELIV", "EXPIRED", "REJECTD"}
    assert all(101 <= plan[-1].due <= 105 for plan in plans)
    assert plans[3] == PROFILES["mixed"].plan(TAKEN, Random(3))


@pytest.mark.parametrize("delivery", [TAKEN, TAKEN._replace(key=None)])
def test_silence_is_a_profile_and_a_keyless_message_has_none(delivery):
    """Nothing is planned without shares, nor for a message that has no order."""
    assert PROFILES["none"].plan(delivery, Random(1)) == []
    assert bool(Profile({"DELIVRD": 1}).plan(delivery, Random(1))) == (delivery.key is not None)


@pytest.mark.parametrize(
    ("kind", "params", "words", "due"),
    [
        ("receipt-duplicate", {}, ["DELIVRD", "DELIVRD"], [100.5, 100.5]),
        ("receipt-late", {"seconds": 60}, ["DELIVRD"], [160.5]),
        ("receipt-reorder", {"seconds": 2}, ["DELIVRD", "ENROUTE"], [100.5, 102.5]),
        ("receipt-missing", {}, [], []),
        ("receipt-status", {"status": "REJECTD"}, ["REJECTD"], [100.5]),
        ("nothing", {}, ["DELIVRD"], [100.5]),
    ],
)
def test_faults_bend_the_receipts_of_a_message(kind, params, words, due):
    """Twice with one id, late about the same moment, an older one last, never, or another word."""
    bent = kinds()[kind](**params).receipts(PROFILES["delivered"].plan(TAKEN, Random(1)))
    assert [receipt.message_status for receipt in bent] == words
    assert [receipt.due for receipt in bent] == due
    assert len({receipt.receipt_id for receipt in bent}) == len(set(words))


def test_a_repeat_of_a_key_gets_no_second_receipt(carrier, open_postman):
    """Only what is newly taken is reported on."""
    gateway = Gateway()
    postman = open_postman(gateway)
    client = create_app(carrier.ledger, clock=carrier.clock, postman=postman).test_client()
    for _ in range(2):
        client.post("/v1/messages", json=carrier.message(), headers={"Idempotency-Key": "SDPS1"})
    carrier.clock.now += 1
    assert [postman.hand_over(), postman.hand_over()] == [True, False]
