"""Every answer that is no success is the Yeastar envelope, whichever door it leaves by.

The envelope: `{"errors": [{"code", "title", "detail"}]}`, exactly one error, strings only, `application/json`. Code
and title are a row of the contract's table, the detail is a sentence that is not empty and shows nothing of the inside.
401 carries `WWW-Authenticate`, 429 and 500 `Retry-After`, 405 `Allow`. 404, 405, 413 and 415 keep their HTTP status
and carry 10002. On the two paths the key is checked before anything else, so a stranger learns nothing from them.
"""

import socket
from urllib.parse import urlsplit

import httpx
import pytest

from contracts import spec

VERIFY, SEND = (route.path for route in spec.routes())


def test_the_view_refuses_with_the_envelope(desk, refused):
    """A refusal raised while the message is checked is an envelope."""
    refused(desk.send(to="+1"), 400, "10001")


@pytest.mark.parametrize(
    "path",
    ["/", "/admin", "/api/v1/integration/yeastar/sms", SEND + "/", SEND.upper(), "/static/x", "/%00", "/é"],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_404_and_never_a_redirect(desk, refused, method, path):
    """A path that is not exactly one of ours is 404, also one slash away from one of ours."""
    refused(desk.client.open(path, method=method), 404, "10002")


@pytest.mark.parametrize("path", [SEND.replace("/sms", "//sms"), "//evil.example/%2f.."])
def test_two_slashes_are_no_redirect(desk, refused, path):
    """A doubled slash is another path, not a hint to go elsewhere."""
    refused(desk.client.post("/", environ_overrides={"PATH_INFO": path}), 404, "10002")


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        *[(method, SEND, "POST") for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW")],
        *[(method, VERIFY, "GET, HEAD") for method in ("POST", "PUT", "DELETE", "OPTIONS")],
    ],
)
def test_another_method_is_405_with_allow(desk, refused, method, path, allow):
    """With a good key a method that the path does not take is 405, and `Allow` names those it takes."""
    key = {"Authorization": f"Bearer {desk.key}"}
    response = desk.client.open(path, method=method, headers=key)
    refused(response, 405, "10002")
    assert response.headers["Allow"] == allow


@pytest.mark.parametrize("path", [SEND, VERIFY])
def test_on_the_two_paths_a_stranger_meets_401_whatever_the_method(desk, refused, path):
    """Without a key the method is not looked at."""
    response = desk.client.delete(path)
    refused(response, 401, "10004")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_on_a_path_of_operations_another_method_is_405(desk, refused):
    """Paths that need no key say 405 to everybody."""
    refused(desk.client.post("/healthz"), 405, "10002")


def test_head_asks_what_get_asks_and_has_no_body(desk):
    """HEAD on verify has GET's status and no body; on sendmessage it is a method that is not allowed."""
    key = {"Authorization": f"Bearer {desk.key}"}
    answers = [desk.client.head(path, headers=key) for path in (VERIFY, SEND)]
    assert [(answer.status_code, answer.data) for answer in answers] == [(200, b""), (405, b"")]
    assert desk.client.head(VERIFY).status_code == 401


def test_too_long_a_body_is_413(desk, refused):
    """One byte more than the contract's limit is 413."""
    refused(desk.send(b" " * (spec.limits().body_bytes + 1)), 413, "10002")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/x+json", ""])
def test_another_media_type_is_415(desk, refused, content_type):
    """A body that is not declared as JSON is 415."""
    key = {"Authorization": f"Bearer {desk.key}"}
    response = desk.client.post(SEND, data=b"{}", headers=key, content_type=content_type)
    refused(response, 415, "10002")


def test_broken_json_is_400(desk, refused):
    """A body that is not JSON is 400, and the detail says where it breaks."""
    assert "character 8" in refused(desk.send(b'{"from":'), 400, "10002")


def test_an_unexpected_exception_is_500_and_is_logged_with_its_cause(desk, refused):
    """A fault of our own is 10007 to the client and a traceback to the log, never the other way round."""
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE keys")
    detail = refused(desk.send(), 500, "10007")
    assert "keys" not in detail
    assert "no such table" in desk.log.getvalue()


def test_an_exception_while_a_refusal_is_made_is_an_envelope_too(desk, refused):
    """When the store breaks while a wrong method's key is looked up, the answer is still an envelope."""
    with desk.gateway.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE keys")
    key = {"Authorization": f"Bearer {desk.key}"}
    refused(desk.client.delete(SEND, headers=key), 500, "10007")


def test_nothing_of_the_request_comes_back_in_a_header(desk, refused):
    """Line ends and names in a request never reach a header of the answer."""
    response = desk.send(**{"from": "+1\r\nX-Evil: 1", "to": "\r\nX-Evil: 1"})
    refused(response, 400, "10001")
    assert "X-Evil" not in response.headers


CURL = {
    "no key": ({}, b"{}", 401, "10004"),
    "wrong key": ({"Authorization": "Bearer x"}, b"{}", 401, "10004"),
    "non-ASCII key": ({"Authorization": "Bearer ké".encode("latin-1")}, b"{}", 401, "10004"),
    "garbage": (None, b"\x00\xff", 400, "10002"),
    "1 MB": (None, b" " * 1_000_000, 413, "10002"),
    "1 MB in chunks": (None, [b" " * 10_000] * 100, 413, "10002"),
    "a good message, then junk in chunks": (None, [b'{"from":"+630000000001"}', b" " * 40_000], 413, "10002"),
    "form": (None, {"from": "+630000000001"}, 415, "10002"),
}


@pytest.mark.parametrize("case", CURL)
def test_as_a_new_user_would_meet_it_over_real_sockets(lab, server, refused, case):
    """What curl would show a newcomer is an envelope under either server, and the process still answers after it."""
    headers, body, status, code = CURL[case]
    given = {"Authorization": f"Bearer {lab.key}", "Content-Type": "application/json"} if headers is None else headers
    if isinstance(body, dict):
        sent = {"data": body}
        given.pop("Content-Type")
    else:
        sent = {"content": iter(body) if isinstance(body, list) else body}
    refused(httpx.post(server + SEND, headers=given, trust_env=False, **sent), status, code)
    assert httpx.get(server + "/healthz", trust_env=False).status_code == 200


def test_what_is_no_http_does_not_stop_the_server(server):
    """A line of noise ends that connection and nothing else."""
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=5) as line:
        line.sendall(b"\x16\x03\x01 noise\r\n\r\n")
        line.recv(1000)
    assert httpx.get(server + "/healthz", trust_env=False).status_code == 200
