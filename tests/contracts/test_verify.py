"""A whole run: a provider that follows the page passes, a provider that cannot be tested is no pass."""

import socket
import threading
import time

import pytest

from contracts.exits import Exit
from contracts.serving import serving


def test_a_provider_that_does_only_what_the_page_says_passes(minimal, target_at, judged):
    """Without strict nothing is held against a provider that the page does not ask for."""
    verdict, provider = judged(target_at(minimal), examples=10)
    assert verdict.failing == []
    assert verdict.exit == Exit.FINE
    assert {one.rule for one in verdict.broken} >= {"YS-VER-02", "YS-HTTP-01", "YS-AUTH-06"}
    assert len(provider.exchanges) > 300


def test_strict_holds_our_decisions_against_it(minimal, target_at, judged):
    """With strict the broken `should` rules fail the provider."""
    verdict, _ = judged(target_at(minimal), strict=True)
    assert verdict.exit == Exit.WRONG


@pytest.mark.parametrize(("key", "sentence"), [("wrongKey", "401/10004"), ("blockedKeyAbc123", "403/10005")])
def test_a_key_that_does_not_work_tests_nothing(minimal, target_at, judged, key, sentence):
    """A run with a wrong key is no pass: it could not test."""
    verdict, provider = judged(target_at(minimal, key=key))
    assert verdict.exit == Exit.COULD_NOT_TEST
    assert sentence in verdict.could_not
    assert len(provider.exchanges) < 5


def _html(_environ, start_response):
    start_response("200 OK", [("Content-Type", "text/html")])
    return [b"<html>Welcome</html>"]


def test_a_web_page_is_no_provider(target_at, judged):
    """A host that answers every request with a page is wrong, and found so at once."""
    with serving(_html) as url:
        verdict, provider = judged(target_at(url))
    assert verdict.exit == Exit.WRONG
    assert {one.rule for one in verdict.failing} == {"YS-OK-02", "YS-OK-04"}
    assert len(provider.exchanges) <= 3


def test_constant_throttling_tests_nothing(minimal_app, target_at, judged):
    """A provider that only answers 429 is waited for as it asks, then given up."""
    waited = []
    with serving(minimal_app(per_second=0)) as url:
        verdict, _ = judged(target_at(url), sleep=waited.append)
    assert waited == [1.0, 1.0, 1.0]
    assert verdict.exit == Exit.COULD_NOT_TEST
    assert "429/10006" in verdict.could_not


def _deaf(server, *, hang):
    """Accept connections; either keep them without a word or close them at once."""
    kept = []
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            break
        if hang:
            kept.append(connection)
        else:
            connection.close()
    for connection in kept:
        connection.close()


@pytest.mark.parametrize(("hang", "sentence"), [(True, "no answer within 0.3 s"), (False, "closed without an answer")])
def test_silence_ends_within_its_deadline(target_at, judged, hang, sentence):
    """A provider that hangs, or closes each connection, cannot be tested, and that is known quickly."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_deaf, args=(server,), kwargs={"hang": hang}, daemon=True).start()
        start = time.monotonic()
        verdict, _ = judged(target_at(f"http://127.0.0.1:{server.getsockname()[1]}", timeout=0.3))
        server.shutdown(socket.SHUT_RDWR)
    assert verdict.exit == Exit.COULD_NOT_TEST
    assert sentence in verdict.could_not
    assert time.monotonic() - start < 3


def test_a_dead_port_tests_nothing(target_at, judged):
    """Nobody listening is no pass."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    verdict, _ = judged(target_at(f"http://127.0.0.1:{port}"))
    assert verdict.exit == Exit.COULD_NOT_TEST
    assert "connection refused" in verdict.could_not


@pytest.mark.parametrize("budget", [2, 3, 25])
def test_the_budget_of_real_messages_is_never_exceeded(minimal, target_at, judged, budget):
    """Generated and written requests together cost at most what the target allows, and the rest is named."""
    verdict, provider = judged(target_at(minimal, max_accepted=budget), examples=5)
    assert provider.spent <= budget
    assert any("budget" in line for line in verdict.untested)


def test_without_a_verify_url_only_messages_are_judged(minimal, target_at, judged):
    """Newer firmware has no verify URL; then nothing is asked there and the matrix says why."""
    verdict, provider = judged(target_at(minimal, verify_url=None), examples=5)
    assert verdict.exit == Exit.FINE
    assert not any(one.call.operation == "verify" for one in provider.exchanges)


def test_a_provider_that_falls_silent_ends_the_run(minimal_app, target_at, judged):
    """When good requests are no longer answered the run stops, and says that it could not test."""
    answer, heard = minimal_app(), []

    def falls_silent(environ, start):
        heard.append(environ["PATH_INFO"])
        if len(heard) > 20:
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        return answer(environ, start)

    with serving(falls_silent) as url:
        verdict, provider = judged(target_at(url))
    assert verdict.exit == Exit.COULD_NOT_TEST
    assert "good requests are answered with closed without an answer" in verdict.could_not
    assert len(provider.exchanges) < 25
