"""verify: is this key good? Two forms, with a challenge that comes back as it was, and without."""

import httpx
import pytest

from contracts import spec
from gateway.administration import change_integration

VERIFY, MAX = spec.route("verify").path, spec.limits().challenge


def verify(desk, **query):
    """Ask with the desk's key."""
    return desk.client.get(VERIFY, query_string=query, headers={"Authorization": f"Bearer {desk.key}"})


@pytest.mark.parametrize(
    "challenge", ["x", "0", " ", "7f3c9a", "a b+c&d=e", "<script>", '{"a":1}', "é😀", "\r\nX-Evil: 1", "%41", "x" * MAX]
)
def test_a_challenge_comes_back_exactly(desk, challenge):
    """200, plain text in UTF-8 that no browser may take for anything else, and the body is the challenge."""
    answer = verify(desk, challenge=challenge)
    assert (answer.status_code, answer.text) == (200, challenge)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "X-Evil" not in answer.headers


def test_without_a_challenge_it_is_a_json_object(desk):
    """The plain form gets a small JSON object."""
    answer = verify(desk)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert isinstance(answer.json, dict)


@pytest.mark.parametrize("challenge", ["", "x" * (MAX + 1)])
def test_an_empty_or_endless_challenge_is_10002(desk, refused, challenge):
    """A challenge has 1 to 1024 characters."""
    assert "challenge" in refused(verify(desk, challenge=challenge), 400, "10002")


def test_other_parameters_are_ignored(desk):
    """A PBX may add what it likes to the URL."""
    assert verify(desk, challenge="x", version="1", t="0").text == "x"


def test_the_key_comes_before_the_challenge(desk, refused):
    """A stranger is told nothing about his challenge."""
    refused(desk.client.get(VERIFY, query_string={"challenge": ""}), 401, "10004")


def test_a_disabled_integration_is_told_so_when_the_channel_is_saved(desk, refused):
    """Verify and send agree on who may send."""
    change_integration(desk.gateway.database, "Lab", {"enabled": False})
    refused(verify(desk), 403, "10005")


def test_verify_stores_nothing(desk):
    """However often it is asked, there is no order."""
    assert verify(desk, challenge="x").status_code == 200
    with desk.gateway.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM orders").scalar() == 0


def test_over_real_sockets_too(lab, server):
    """Under either server the challenge is the whole body."""
    headers = {"Authorization": f"Bearer {lab.key}"}
    answer = httpx.get(f"{server}{VERIFY}", params={"challenge": "é 1"}, headers=headers, trust_env=False)
    assert (answer.status_code, answer.text) == (200, "é 1")
