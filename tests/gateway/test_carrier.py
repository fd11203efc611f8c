"""The gateway's client against a hostile carrier: every call ends in time, in little memory, with one outcome each.

The deadline here is `DEADLINE` seconds; whatever the carrier does, a call is over a second later.
"""

import json
import socket
import tracemalloc
from time import monotonic

import pytest

from contracts.serving import serving
from gateway.carrier import REFUSED, REPLY_CAP, RETRY, SUBMITTED, Carrier, open_client
from tests.gateway.delivery import FakeCarrier, listening, parcels

DEADLINE = 0.6
ODD = {
    "not JSON": b"<html>",
    "null": b"null",
    "a list": b"[]",
    "no results": b"{}",
    "results of another kind": b'{"results": 5}',
    "results of strings": b'{"results": ["K0"]}',
    "results of null": b'{"results": [null]}',
    "one result less": b'{"results": []}',
    "no status": b'{"results": [{"key": "K0", "id": "a"}]}',
    "a status without end": b'{"results": [{"key": "K0", "id": "a", "status": Infinity}]}',
    "a status in words": b'{"results": [{"key": "K0", "id": "a", "status": "fine"}]}',
    "no id": b'{"results": [{"key": "K0", "status": 200}]}',
    "an empty id": b'{"results": [{"key": "K0", "status": 200, "id": ""}]}',
    "an id of numbers": b'{"results": [{"key": "K0", "status": 200, "id": 5}]}',
    "an endless id": b'{"results": [{"key": "K0", "status": 200, "id": "%s"}]}' % (b"x" * 65),
    "half a character as id": rb'{"results": [{"key": "K0", "status": 200, "id": "\ud800"}]}',
    "NUL in the id": rb'{"results": [{"key": "K0", "status": 200, "id": "a\u0000"}]}',
    "a list as key": b'{"results": [{"key": [], "status": 200, "id": "a"}]}',
    "a depth bomb": b"[" * 200_000,
    "bytes": b"\xff\xfe\x00",
}


@pytest.fixture
def fake(tmp_path):
    """A carrier with a ledger."""
    carrier = FakeCarrier(tmp_path)
    with carrier.ledger:
        yield carrier


def submit(url, messages, *, single=False, client=None):
    """One call with a client of its own, which must be over in time: its outcomes by kind, and the call."""
    with client or open_client(DEADLINE) as opened:
        started = monotonic()
        call = Carrier(opened, url, DEADLINE, single=single).submit(messages)
        assert monotonic() - started < DEADLINE + 1
    assert len(call.outcomes) == len(messages)
    return [outcome.kind for outcome in call.outcomes], call


def answering(status, body, headers=()):
    """A carrier that says the same to everybody."""

    def app(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{status} x", [("Content-Length", str(len(body))), *headers])
        return [body]

    return serving(app)


@pytest.mark.parametrize(("single", "count"), [(True, 1), (False, 1), (False, 100)])
def test_messages_are_submitted_under_their_keys(fake, single, count):
    """Alone or as a batch, each message is in the ledger once, under the order's id, and has the carrier's id."""
    with listening(fake.app) as url:
        kinds, call = submit(url, parcels(count), single=single)
        submit(url, parcels(count), single=single)
    assert (kinds, call.alive) == ([SUBMITTED] * count, True)
    assert fake.taken() == [f"K{number}" for number in range(count)]
    assert len({outcome.carrier_id for outcome in call.outcomes}) == count


@pytest.mark.parametrize(
    ("kind", "params"),
    [
        *[("dribble", {"pause": 0.1, "part": part}) for part in ("headers", "body")],
        *[("garble", {"form": form}) for form in ("html", "empty", "truncated", "short", "wrong-id")],
        *[("refuse", {"status": status}) for status in (301, 302, 307, 408, 429, 500, 503, 599)],
        *[("reset", {"when": when}) for when in ("before", "after")],
        *[(kind, {}) for kind in ("lost-request", "lost-reply", "hang", "outage")],
        ("gzip-bomb", {"megabytes": 50}),
        ("latency", {"seconds": 30}),
    ],
)
@pytest.mark.parametrize("single", [True, False])
def test_whatever_is_no_clear_answer_is_tried_again(fake, kind, params, single):
    """No fault of the line or of the answer counts as submitted or refused, and none holds the caller."""
    fake.break_it(kind, **params)
    with listening(fake.app) as url:
        kinds, _ = submit(url, parcels(1 if single else 3), single=single)
        assert set(kinds) == {RETRY}
        fake.mend()
        assert set(submit(url, parcels(1 if single else 3), single=single)[0]) == {SUBMITTED}
    assert len(fake.taken()) == len(kinds)


@pytest.mark.parametrize("case", ODD)
def test_an_odd_200_is_no_submission(case):
    """A 200 that does not name each message with an id of its own is tried again, never believed."""
    with answering(200, ODD[case]) as url:
        kinds, call = submit(url, parcels())
    assert (kinds, call.alive) == ([RETRY], False)


@pytest.mark.parametrize("status", [400, 403, 410, 422])
def test_a_refusal_is_final(fake, status):
    """Another 4xx is the carrier's last word on that message."""
    fake.break_it("refuse", status=status)
    with listening(fake.app) as url:
        assert submit(url, parcels())[0] == [REFUSED]


@pytest.mark.parametrize(
    ("said", "seconds"), [("7", 7), ("0", 0), ("1e9", 3600), ("-5", 0), ("soon", None), ("nan", None)]
)
def test_retry_after_is_heeded_within_reason(said, seconds):
    """Seconds are taken as they are up to an hour; anything else is as if it were not there."""
    with answering(429, b"{}", [("Retry-After", said)]) as url:
        _, call = submit(url, parcels(2))
    assert [outcome.retry_after for outcome in call.outcomes] == [seconds] * 2
    assert call.alive


def test_what_the_carrier_says_is_kept_in_plain_characters():
    """No reason can hold what PostgreSQL would not store, or what would play tricks on a terminal."""
    result = {"key": "K0", "status": 422, "error": "no\0t\x1b[2J\n\ud800é"}
    with answering(200, json.dumps({"results": [result]}).encode()) as url:
        _, call = submit(url, parcels())
    assert call.outcomes[0].reason == r"422 no\x00t\x1b[2J\n\ud800\xe9"


def test_one_bad_message_in_a_batch_fails_alone(fake):
    """Per-message results are taken one by one."""
    fake.break_it("refuse", scope={"to": "+639170000666"}, status=400)
    with listening(fake.app) as url:
        kinds, _ = submit(url, [*parcels(2), parcels(3, to="+639170000666")[2]])
    assert kinds == [SUBMITTED, SUBMITTED, REFUSED]


def picky(environ, start_response):
    """A carrier that refuses a whole batch for one bad message, as some do."""
    body = json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    texts = {message["key"]: message["text"] for message in body["messages"]}
    good = "bad" not in texts.values()
    start_response("200 OK" if good else "400 Bad Request", [])
    return [json.dumps({"results": [{"key": key, "status": 200, "id": f"C{key}"} for key in texts]}).encode()]


def test_a_batch_refused_as_a_whole_is_offered_one_by_one():
    """One bad message does not take the others with it."""
    with serving(picky) as url:
        kinds, _ = submit(url, [*parcels(3), parcels(4, text="bad")[3]])
    assert kinds == [SUBMITTED] * 3 + [REFUSED]


def stalling(environ, start_response):
    """A carrier that refuses a batch at once and lets each message alone wait."""
    count = len(json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))["messages"])
    start_response("400 Bad Request" if count > 1 else "200 OK", [("Content-Length", "9")])
    if count > 1:
        yield b"no thanks"
        return
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        nobody.settimeout(DEADLINE * 3)
        try:
            nobody.accept()
        except TimeoutError:
            yield b"too late."


def test_offering_one_by_one_keeps_to_the_same_deadline():
    """A hundred messages offered alone may not take a hundred deadlines: the lease would be over."""
    with serving(stalling) as url:
        kinds, _ = submit(url, parcels(100))
    assert kinds == [RETRY] * 100


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://nowhere.invalid", "ftp://127.0.0.1", "http://[", "nonsense", "", "http://:0"]
)
def test_a_wrong_address_is_tried_again(url):
    """A carrier that cannot be reached is down, whatever the reason; nothing is raised."""
    kinds, call = submit(url, parcels(2))
    assert (kinds, call.alive) == ([RETRY] * 2, False)


@pytest.mark.parametrize(("kind", "params"), [("gzip-bomb", {"megabytes": 300}), ("nothing", {})])
def test_a_reply_takes_little_memory(fake, kind, params):
    """A bomb of 300 MB is not unpacked: what a call holds at most is a few times the cap on a reply."""
    fake.break_it(kind, **params)
    with listening(fake.app) as url:
        submit(url, parcels())  # the bomb is packed once, before anything is measured
        # The carrier and what earlier tests left running share this process: the least of three is the client's own.
        assert min(peak_of(lambda: submit(url, parcels())) for _ in range(3)) < 8 * REPLY_CAP


def peak_of(act):
    """The most memory that was allocated at any time while acting, in bytes."""
    tracemalloc.start()
    act()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_an_endless_reply_is_cut():
    """More than the cap is not read, however fast it comes."""
    with answering(200, b" " * (REPLY_CAP + 1)) as url:
        kinds, call = submit(url, parcels())
    assert kinds == [RETRY]
    assert "bytes" in call.outcomes[0].reason


def test_no_proxy_of_the_environment_is_obeyed(fake):
    """The client is built without the environment's proxies and without anybody's stored passwords."""
    client = open_client(DEADLINE, "secret")
    assert client.trust_env is False
    assert client.follow_redirects is False
    assert client.headers["Authorization"] == "Bearer secret"
    with listening(fake.app) as url:
        assert submit(url, parcels(), client=client)[0] == [SUBMITTED]


@pytest.mark.parametrize("status", [401, 404, 405, 407])
def test_a_wrong_key_or_address_costs_no_order(status):
    """What only our own set-up can cause is tried again, and counts as a carrier that is down."""
    with answering(status, b"{}") as url:
        kinds, call = submit(url, parcels(2))
    assert (kinds, call.alive) == ([RETRY] * 2, False)
