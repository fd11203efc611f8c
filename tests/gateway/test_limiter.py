"""The rate limit: exact per key, both endpoints together; strangers are counted by address, customers never."""

from time import monotonic

import pytest

from contracts import spec
from gateway.administration import change_integration, issue_key

VERIFY, SEND = (route.path for route in spec.routes())


@pytest.fixture
def slow(desk):
    """A desk whose key may be used five times a second."""
    change_integration(desk.gateway.database, "Lab", {"rate": 5})
    return desk


def test_exactly_so_many_requests_pass(slow, refused):
    """Within a second as many requests are accepted as the integration may send; the next is 10006."""
    answers = [slow.send() for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert "5 requests per second" in refused(answers[-1], 429, "10006")
    assert answers[-1].headers["Retry-After"] == "1"


def test_both_endpoints_share_the_limit(slow):
    """Verify counts like send."""
    key = {"Authorization": f"Bearer {slow.key}"}
    statuses = [slow.client.get(VERIFY, headers=key).status_code for _ in range(3)]
    assert statuses + [slow.send().status_code for _ in range(3)] == [200] * 5 + [429]


def test_a_malformed_message_counts_too(slow):
    """The limit comes before the body is read, so nonsense uses it up like anything else."""
    assert [slow.send(b"x").status_code for _ in range(6)] == [400] * 5 + [429]


def test_each_key_has_its_own_limit(slow):
    """A second key of the same integration is not held up by the first."""
    second = issue_key(slow.gateway.database, "Lab")
    assert [slow.send().status_code for _ in range(6)][-1] == 429
    assert slow.send(key=second).status_code == 200


def test_after_a_second_requests_pass_again(slow):
    """The window moves: nobody is locked out for longer than a second by requests that were refused."""
    while slow.send().status_code == 200:
        pass
    end = monotonic() + 3
    while slow.send().status_code == 429:
        assert monotonic() < end


def test_wrong_keys_are_limited_by_address(desks, refused):
    """Guessing keys is 10006 after so many tries a second, and the key's owner at the same address is not held up."""
    desk = desks(invalid_keys_per_second=3)
    answers = [desk.send(key="ysk_" + "x" * 43) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    refused(answers[-1], 429, "10006")
    assert desk.send().status_code == 200


def test_an_address_cannot_be_made_up(desks):
    """Who guesses keys is known by the socket, not by what a header says."""
    desk, tried = desks(invalid_keys_per_second=3), []
    for number in range(5):
        forged = {"X-Forwarded-For": f"10.0.0.{number}", "Forwarded": f"for=10.0.0.{number}", "X-Real-Ip": "10.1.1.1"}
        tried.append(desk.client.post(SEND, headers=forged).status_code)
    assert tried == [401] * 3 + [429] * 2
