"""A PBX verifies and sends, and its ledger says what really happened."""

import json
import time

import pytest
import respx
from respx.handlers import WSGIHandler

from contracts import spec
from simulator.pbx.call import open_client
from simulator.pbx.engine import Engine
from simulator.pbx.habits import Habits
from simulator.pbx.live import play
from simulator.pbx.outcome import categories
from simulator.pbx.pbx import Pbx, Stranger
from simulator.pbx.plan import Shot


@pytest.fixture
def client():
    """An httpx client as the PBX opens it."""
    with open_client() as opened:
        yield opened


def test_page_example_is_sent_and_written_down(provider, target, ledger, client):
    """The page's example leaves as the page shows it and is recorded as sent with the provider's id."""
    page = spec.page_example()
    result = Pbx(target, ledger, client, lambda: 5.0).send(page["to"], page["text"])
    assert (result.delivery_status, result.send_error, result.order_id) == (1, None, "ID1")
    assert provider.received == [page]
    environ, _ = provider.seen[0]
    assert environ["HTTP_AUTHORIZATION"] == "Bearer ysk_test"
    assert environ["CONTENT_TYPE"] == "application/json"
    (attempt,) = ledger.attempts()
    assert (attempt.accepted, attempt.status, attempt.started_at) == (True, 200, 5.0)
    assert json.loads(attempt.exchange["request"]["body"]) == page
    assert "ysk_test" not in json.dumps(attempt.exchange)


def test_clock_of_the_pbx_may_be_off(target, ledger, client):
    """With a clock offset everything that the PBX writes down is off by so much; the exchange is not."""
    result = Pbx(target, ledger, client, lambda: 5000.0, habits=Habits(clock_offset=-3600.0)).send("+639171234567", "x")
    (attempt,) = ledger.attempts()
    assert (attempt.started_at, attempt.finished_at) == (1400.0, 1400.0)
    assert 0 < result.seconds < 30


@pytest.mark.parametrize("row", spec.error_rows(), ids=lambda row: row.code)
def test_each_code_becomes_a_category_of_event_30032(provider, target, ledger, client, row):
    """A refusal is recorded as failed, with Yeastar's category and the provider's own words."""
    provider.script = [row.code]
    result = Pbx(target, ledger, client).send("+639171234567", "x")
    assert (result.delivery_status, result.status, result.code) == (2, row.status, row.code)
    assert result.send_error == categories()[row.code]
    assert result.send_error_msg == f"why {row.code}"
    assert result.findings == ()
    assert [a.code for a in ledger.attempts()] == [row.code]


@pytest.mark.parametrize(
    ("media_urls", "sent"), [("absent", {}), ("null", {"media_urls": None}), ("list", {"media_urls": []})]
)
def test_empty_media_is_said_as_the_habit_has_it(provider, target, ledger, client, media_urls, sent):
    """Without files `media_urls` is absent, null or empty: unknown, so a setting."""
    Pbx(target, ledger, client, habits=Habits(media_urls=media_urls)).send("+639171234567", "x")
    assert {name: value for name, value in provider.received[0].items() if name == "media_urls"} == sent


def test_real_wsgi_provider_behind_respx(provider, target_at, ledger, client):
    """The same PBX against a WSGI application without a socket: verify, then send."""
    far = target_at("https://provider.test")
    with respx.mock(base_url="https://provider.test") as router:
        router.route().mock(side_effect=WSGIHandler(provider))
        pbx = Pbx(far, ledger, client)
        assert pbx.verify("abc").verified
        assert pbx.send(far.to_number, "hello").order_id == "ID1"


def test_nobody_unasked_is_written_to(target_at, ledger, client):
    """Off loopback only the target's number and named receivers are written to; others never leave."""
    pbx = Pbx(target_at("https://provider.test"), ledger, client)
    with pytest.raises(Stranger, match="nothing was sent"):
        pbx.send("+639180000000", "x")
    assert list(ledger.attempts()) == []


@pytest.mark.parametrize("challenge", [None, "7f3c9a", "a b&c=ü"])
def test_verify_in_both_forms(target, ledger, client, challenge):
    """Verification succeeds with the challenge echoed exactly, and without any challenge."""
    result = Pbx(target, ledger, client).verify(challenge)
    assert (result.verified, result.requirement, result.status) == (True, "", 200)


@pytest.mark.parametrize(
    ("answer", "requirement"),
    [
        (b"401 X\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0", "rejects the API key"),
        (b"204 X", "with 200, not 204"),
        (b'200 X\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n"abc"', "exactly the challenge"),
        (b"200 X\r\nContent-Type: text/html\r\nContent-Length: 3\r\n\r\nabc", "as text/plain"),
    ],
)
def test_failed_verification_names_the_requirement(talker, target_at, ledger, client, answer, requirement):
    """A channel that fails verification says which requirement failed."""
    head = b"HTTP/1.1 " + answer + (b"" if b"\r\n\r\n" in answer else b"\r\n\r\n")
    url = talker(lambda connection, _: connection.sendall(head))
    result = Pbx(target_at(url), ledger, client).verify("abc")
    assert not result.verified
    assert requirement in result.requirement


def test_channel_without_verify_url_says_so(target_at, provider, ledger, client):
    """Verifying without a verification URL is a sentence, not a crash."""
    pbx = Pbx(target_at(provider.url, verify_url=None), ledger, client)
    assert "no authentication verification URL" in pbx.verify().requirement


def _drip(connection, stopped):
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while not stopped.wait(0.02):
        connection.sendall(b"X-A: b\r\n")


def _hang(_, stopped):
    stopped.wait(5)


def _flood(connection, _):
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(16_000):
        connection.sendall(b"a" * 65536)


def _reset(connection, _):
    connection.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")


def _raw(data):
    return lambda connection, _: connection.sendall(data)


BAD = [
    (_hang, "exceeds_time_limit", "No answer within 0.3 s"),
    (_drip, "exceeds_time_limit", "No answer within 0.3 s"),
    (_flood, "exceeds_size_limit", "longer than 65536 bytes"),
    (_reset, "request_fail", "broke before"),
    (_raw(b"SSH-2.0-OpenSSH\r\n"), "request_fail", "not HTTP"),
    (_raw(b""), "request_fail", "closed the connection"),
    (_raw(b"HTTP/1.1 302 X\r\nLocation: http://127.0.0.2/x\r\nContent-Length: 0\r\n\r\n"), "request_fail", "redirects"),
    (_raw(b"HTTP/1.1 502 X\r\nContent-Length: 9\r\n\r\n<h1>no</h"), "service_error", "without the contract's"),
    (_raw(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}"), "unknown_error", "success without an id"),
]


@pytest.mark.parametrize(("talk", "send_error", "words"), BAD)
def test_misbehaving_provider_is_one_sentence(talker, target_at, ledger, client, talk, send_error, words):
    """Hanging, dripping, flooding, resetting, redirecting, HTML: a category, a sentence, a closed ledger line."""
    pbx = Pbx(target_at(talker(talk)), ledger, client, habits=Habits(timeout=0.3))
    started = time.monotonic()
    result = pbx.send("+639171234567", "x")
    assert time.monotonic() - started < 2
    assert (result.delivery_status, result.send_error) == (2, send_error)
    assert words in result.send_error_msg
    (attempt,) = ledger.attempts()
    assert attempt.finished_at is not None
    assert attempt.indeterminate == (result.status is None)


def test_key_is_kept_nowhere_even_if_the_provider_repeats_it(talker, target_at, ledger, client):
    """A provider that answers with the key in header and body does not get it into the ledger or the record."""
    body = b'{"errors":[{"code":"10005","title":"No permission","detail":"not with ysk_test"}]}'
    url = talker(_raw(b"HTTP/1.1 403 X\r\nX-Key: ysk_test\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)))
    result = Pbx(target_at(url), ledger, client).send("+639171234567", "x")
    play(Engine(target_at(url), ledger, "t"), [Shot(0, 0, 0, "office", "sendmessage", 0, "", "", "", b"{}")])
    assert result.send_error_msg == "not with ***"
    assert [a.exchange["response"]["headers"]["x-key"] for a in ledger.attempts()] == ["***"] * 2
    assert "ysk_test" not in repr([result, *ledger.attempts()])


def test_tls_that_is_none_is_one_sentence(provider, target_at, ledger, client):
    """Https to a port that speaks plain HTTP is said to be a TLS problem, by both ways to send."""
    far = target_at(provider.url.replace("http:", "https:"))
    result = Pbx(far, ledger, client).send("+639171234567", "x")
    play(Engine(far, ledger, "t"), [Shot(0, 0, 0, "office", "sendmessage", 0, "", "", "", b"{}")])
    assert result.send_error_msg.startswith("TLS: ")
    assert all(a.exchange["failure"].startswith("TLS: ") for a in ledger.attempts())


def test_unreachable_provider_is_one_sentence(target_at, ledger, client):
    """A provider that is not there is a sentence and an indeterminate line."""
    result = Pbx(target_at("http://127.0.0.1:9"), ledger, client).send("+639171234567", "x")
    assert result.send_error_msg == "The provider refuses connections."


@pytest.mark.parametrize(
    ("habits", "script", "tries", "waits"),
    [
        (Habits(), ["10006"], 1, []),
        (Habits(retries=2), ["10006", "10007"], 3, [1.0, 1.0]),
        (Habits(retries=1, honour_retry_after=False, retry_wait=7.0), ["10006", "10007"], 2, [7.0]),
        (Habits(retries=2), ["10001"], 1, []),
    ],
)
def test_retry_is_a_habit(provider, target, ledger, client, habits, script, tries, waits):
    """Retries on 429 and 500 happen as often and after as long as the habits say, each with its ledger line."""
    provider.script, slept = list(script), []
    result = Pbx(target, ledger, client, habits=habits, sleep=slept.append).send("+639171234567", "x")
    assert (result.attempts, slept) == (tries, waits)
    assert len(list(ledger.attempts())) == tries
    assert [a.exchange["attempt"] for a in ledger.attempts()] == list(range(1, tries + 1))
