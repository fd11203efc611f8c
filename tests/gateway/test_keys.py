"""API keys: shown once, kept as a digest, several alive at a time, gone within a second of being revoked."""

import re
import socket
from pathlib import Path
from statistics import median
from time import perf_counter
from urllib.parse import urlsplit

import pytest
from sqlalchemy import event, make_url

from contracts import spec
from gateway.administration import Mistake, issue_key, list_keys, revoke_key
from gateway.contract import Refusal
from gateway.keys import digest, new_key

SEND = spec.route("sendmessage").path
MALFORMED = {
    "nothing": "",
    "only the scheme": "Bearer",
    "the scheme and a blank": "Bearer ",
    "another scheme": "Basic {key}",
    "no scheme": "{key}",
    "base64 padding": "Bearer {key}=",
    "a parameter": "Bearer a=b",
    "two keys": "Bearer {key}, Bearer {key}",
    "two headers joined": "Bearer {key},Bearer x",
    "a blank behind": "Bearer {key} ",
    "a line end behind": "Bearer {key}\n",
    "a tab": "Bearer\t{key}",
    "non-ASCII": "Bearer ké",
    "non-ASCII in the scheme": "Béarer {key}",
    "digits of another script": "Bearer ysk_" + "٣" * 43,
    "NUL": "Bearer {key}\0",
    "8 kB": "Bearer " + "k" * 8192,
    "a Merchant API token": "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtZXJjaGFudCJ9.c2lnbmF0dXJl",
    "SQL": "Bearer ' OR 1=1 --",
    "the digest": "Bearer {digest}",
}


def status(desk, key):
    """What a send with this key is answered with."""
    return desk.send(key=key).status_code


def test_a_key_is_long_random_and_plain():
    """`ysk_` and 43 of 0-9A-Za-z, no two alike: no `=` or other sign that a header could trip over."""
    keys = {new_key() for _ in range(500)}
    assert len(keys) == 500
    assert all(re.fullmatch(r"ysk_[0-9A-Za-z]{43}", key) for key in keys)


def test_a_dump_of_the_database_holds_no_key(desk):
    """Only digests are stored, and a digest does not open the door."""
    assert status(desk, desk.key) == 200
    path = Path(make_url(desk.gateway.settings.database_url).database)
    dump = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert digest(desk.key).encode() in dump
    assert desk.key.encode() not in dump
    assert status(desk, f"ysk_{digest(desk.key)[:43]}") == 401


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_header_is_401_and_never_500(desk, refused, case):
    """Whatever stands in the header, the answer is 10004."""
    header = MALFORMED[case].format(key=desk.key, digest=digest(desk.key))
    response = desk.client.post(SEND, json={}, environ_overrides={"HTTP_AUTHORIZATION": header})
    refused(response, 401, "10004")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_the_schemes_case_does_not_matter(desk, scheme):
    """RFC 9110: the scheme is case-insensitive, and more than one blank may follow."""
    headers = {"Authorization": f"{scheme} {desk.key}"}
    assert desk.client.post(SEND, json=spec.page_example(), headers=headers).status_code == 200


def test_the_keys_case_does_matter(desk):
    """A key in the other case is another key."""
    assert status(desk, "ysk_" + desk.key[4:].swapcase()) == 401


def test_a_second_key_lets_a_pbx_change_over(desk):
    """Both keys work until the first is revoked; then only the second does."""
    second = issue_key(desk.gateway.database, "Lab")
    assert (status(desk, desk.key), status(desk, second)) == (200, 200)
    revoke_key(desk.gateway.database, 1)
    desk.clock.now += 1
    assert (status(desk, desk.key), status(desk, second)) == (401, 200)


def test_a_revoked_key_is_refused_a_second_later(desk):
    """Revocation is in force within one second, also for a key that is in constant use."""
    assert status(desk, desk.key) == 200
    revoke_key(desk.gateway.database, 1)
    for _ in range(10):
        desk.clock.now += 0.1
        last = status(desk, desk.key)
    assert last == 401


def test_a_clock_that_jumps_back_does_not_keep_a_revoked_key_alive(desk):
    """What was looked up in the future is not trusted."""
    assert status(desk, desk.key) == 200
    desk.clock.now -= 3600
    revoke_key(desk.gateway.database, 1)
    desk.clock.now += 1
    assert status(desk, desk.key) == 401


def test_a_key_issued_after_a_wrong_guess_works_at_once(desk):
    """Wrong keys are not remembered, so a new key never has to wait."""
    assert status(desk, "ysk_" + "0" * 43) == 401
    assert status(desk, issue_key(desk.gateway.database, "Lab")) == 200


def test_keys_are_listed_without_anything_to_use_them_by(desk):
    """The list says number, and when made and revoked; neither key nor digest."""
    assert [set(row) for row in list_keys(desk.gateway.database, "Lab")] == [{"id", "created_at", "revoked_at"}]


def test_a_key_is_revoked_once(desk):
    """A second revocation, or one of a key that never was, is a mistake that is said."""
    revoke_key(desk.gateway.database, 1)
    for number in (1, 99):
        with pytest.raises(Mistake, match=f"no live key {number}"):
            revoke_key(desk.gateway.database, number)


@pytest.mark.parametrize(
    "lines",
    [
        ["Authorization: Bearer {key}", "Authorization: Bearer x"],
        ["Authorization: Bearer x", "Authorization: Bearer {key}"],
        ["Authorization: Bearer {key}", "Authorization: Bearer {key}"],
        ["Authorization: Bearer " + "k" * 8192],
        ["Authorization: Bearer k\u00e9y"],
        ["X-Api-Key: {key}"],
    ],
)
def test_odd_headers_over_real_sockets_let_nobody_in(lab, server, lines):
    """Doubled, endless and non-ASCII headers are refused by gateway or server: 4xx, never 200 and never 500."""
    address = urlsplit(server)
    head = "\r\n".join([f"POST {SEND} HTTP/1.1", "Host: x", "Content-Length: 0", *lines, "", ""])
    with socket.create_connection((address.hostname, address.port), timeout=8) as line:
        line.sendall(head.format(key=lab.key).encode("latin-1"))
        assert line.recv(4096).startswith(b"HTTP/1.1 4")


@pytest.fixture
def wrong(desks):
    """A desk that may be tried as often as one likes, and wrong keys of every kind: `try_it(key)`."""
    desk = desks(invalid_keys_per_second=10**9)
    revoked = issue_key(desk.gateway.database, "Lab")
    revoke_key(desk.gateway.database, 2)
    first, last = ("A" if desk.key[at] != "A" else "B" for at in (4, -1))
    kinds = {
        "wrong in its first letter": f"ysk_{first}{desk.key[5:]}",
        "wrong in its last letter": f"{desk.key[:-1]}{last}",
        "unknown": new_key(),
        "revoked": revoked,
    }

    def try_it(key):
        with pytest.raises(Refusal, match="10004"):
            desk.gateway.keys.authenticate({"HTTP_AUTHORIZATION": f"Bearer {key}"})

    return desk, kinds, try_it


def test_every_wrong_key_is_the_same_work(wrong):
    """One look-up by digest, whatever is wrong: no letter of a key is ever compared, so there is nothing to time."""
    desk, kinds, try_it = wrong
    asked = []
    event.listen(desk.gateway.database.engine, "before_cursor_execute", lambda *about: asked.append(about[2:4]))
    for key in kinds.values():
        try_it(key)
    assert [parameters for _, parameters in asked] == [(digest(key),) for key in kinds.values()]
    assert len({statement for statement, _ in asked}) == 1
    # The digest of a key that is nearly right is as far from the right one as any other.
    near = digest(kinds["wrong in its last letter"])
    assert sum(a == b for a, b in zip(near, digest(desk.key), strict=True)) < 20


def test_the_time_of_a_refusal_does_not_tell_what_is_wrong(wrong):
    """Medians of five hundred tries of each kind, taken in turn, are within a factor of one and a half."""
    _, kinds, try_it = wrong
    took = {kind: [] for kind in kinds}
    for _ in range(500):
        for kind, key in kinds.items():
            started = perf_counter()
            try_it(key)
            took[kind].append(perf_counter() - started)
    medians = sorted(median(times) for times in took.values())
    assert medians[-1] < 1.5 * medians[0]
