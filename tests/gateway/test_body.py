"""What a body may be: one plain JSON object in UTF-8 of at most 32 KiB, however it is sent.

Unknown fields are ignored; whatever a lenient parser would let through is refused with 10002.
"""

import json
import socket
from urllib.parse import urlsplit

import pytest

from contracts import spec

SEND = spec.route("sendmessage").path
LIMIT = spec.limits().body_bytes
PLAIN = json.dumps(spec.page_example()).encode()
REFUSED = {
    "empty": b"",
    "a list": b"[]",
    "a string": b'"x"',
    "null": b"null",
    "trailing garbage": PLAIN + b"x",
    "two documents": PLAIN + PLAIN,
    "a comment": b"/**/" + PLAIN,
    "a byte order mark": b"\xef\xbb\xbf" + PLAIN,
    "UTF-16": PLAIN.decode().encode("utf-16"),
    "UTF-16 without a mark": PLAIN.decode().encode("utf-16-le"),
    "Latin-1": PLAIN[:-1] + ', "x": "é"}'.encode("latin-1"),
    "an overlong encoding": PLAIN[:-1] + b', "x": "\xc0\xaf"}',
    "a surrogate in UTF-8": PLAIN[:-1] + b', "x": "\xed\xa0\x80"}',
    "a raw line end in a string": PLAIN[:-1] + b', "x": "\n"}',
    "deep lists": PLAIN[:-1] + b', "x": ' + b"[" * 15_000 + b"]" * 15_000 + b"}",
    "deep objects": PLAIN[:-1] + b', "x": ' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "unclosed lists": b"[" * 30_000,
    "lists just deep enough": PLAIN[:-1] + b', "x": ' + b"[" * 64 + b"]" * 64 + b"}",
}
IN_A_FIELD = [
    *["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 4301, '{"a": 1, "a": 1}', r'[[{"a": "\ud83d"}]]'],
    *[r'"\ud800"', r'"\u0000"', r'"\udc00\ud800"', r'{"\u0000": 1}'],
]
WRONG_TYPES = [
    *[{name: value} for name in ("from", "to") for value in (None, 5, True, [], {}, ["+639171234567"])],
    *[{"text": value} for value in (5, False, [], {}, ["hi"])],
    *[{"media_urls": value} for value in ("", "https://example.com", 0, False, {}, [1], [None], [["x"]])],
]


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_one_plain_object_is_refused(desk, refused, case):
    """Anything but one JSON object in plain UTF-8 is 400 with 10002, and nothing is stored."""
    refused(desk.send(REFUSED[case]), 400, "10002")


@pytest.mark.parametrize("value", IN_A_FIELD)
def test_a_lenient_value_is_refused_even_in_an_unknown_field(desk, refused, value):
    """Numbers that are none, keys given twice, NUL and half a character are refused wherever they stand."""
    refused(desk.send(PLAIN[:-1] + b', "x": ' + value.encode() + b"}"), 400, "10002")


@pytest.mark.parametrize("fields", WRONG_TYPES, ids=str)
def test_a_field_of_another_type_is_refused(desk, refused, fields):
    """A known field of a type that the page does not give it is 10002."""
    refused(desk.send(**fields), 400, "10002")


@pytest.mark.parametrize("name", ["from", "to"])
def test_a_number_left_out_is_refused(desk, refused, name):
    """`from` and `to` must be there."""
    body = spec.page_example()
    del body[name]
    assert name in refused(desk.send(json.dumps(body).encode()), 400, "10002")


def test_unknown_fields_are_ignored(desk):
    """A PBX of another version may send more; what a field of ours is called in other spelling is unknown too."""
    extra = {"version": "1.0", "From": 5, "TEXT": None, "x": [{"y": {"z": [1.5e300, -0.0, True, None]}}], "": ""}
    assert desk.send(**extra).status_code == 200


def test_nesting_is_allowed_to_a_fixed_depth(desk):
    """64 levels are read whatever the interpreter's stack; one more is among the refused bodies above."""
    assert desk.send(PLAIN[:-1] + b', "x": ' + b"[" * 63 + b"]" * 63 + b"}").status_code == 200


def test_white_space_around_the_object_is_json(desk):
    """JSON allows blanks and line ends around a document."""
    assert desk.send(b" \r\n\t" + PLAIN + b"\n\n").status_code == 200


def test_escapes_and_characters_mean_the_same(desk):
    """A character beyond the first plane may come as an escaped pair or in UTF-8."""
    for text in (b"\\ud83d\\ude00", "😀".encode()):
        assert desk.send(PLAIN.replace(b"Hello from Yeastar", text)).status_code == 200
    with desk.gateway.database.read() as connection:
        assert set(connection.exec_driver_sql("SELECT text FROM orders").scalars()) == {"😀"}


@pytest.mark.parametrize(("length", "status"), [(LIMIT, 200), (LIMIT + 1, 413)])
def test_the_limit_is_exact(desk, length, status):
    """A body of exactly the limit is read, one byte more is 413."""
    assert desk.send(PLAIN.ljust(length)).status_code == status


@pytest.mark.parametrize("declared", ["x", "-1", "+5", "1.0", "٣", "9" * 5000, "1_0"])
def test_a_length_that_is_no_number_is_refused(desk, refused, declared):
    """Content-Length is ASCII digits, or the request is refused without reading on."""
    response = desk.client.post(
        SEND,
        data=PLAIN,
        headers={"Authorization": f"Bearer {desk.key}"},
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": declared},
    )
    refused(response, 413 if declared.startswith("9") else 400, "10002")


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ('application/json; charset="UTF-8"', 200),
        ("application/json;charset=utf-16", 415),
        ("application/json;charset=latin1", 415),
        ("application/jsonp", 415),
        ("text/json", 415),
    ],
)
def test_the_media_type_is_json_in_utf_8(desk, content_type, status):
    """Parameters and case of the media type do not matter, another type or charset does."""
    key = {"Authorization": f"Bearer {desk.key}"}
    assert desk.client.post(SEND, data=PLAIN, headers=key, content_type=content_type).status_code == status


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_415(desk, refused, coding):
    """Nothing is unpacked, so nothing can explode."""
    headers = {"Authorization": f"Bearer {desk.key}", "Content-Encoding": coding}
    refused(desk.client.post(SEND, data=PLAIN, headers=headers, content_type="application/json"), 415, "10002")


def test_a_post_without_a_body_is_400(desk, refused):
    """No body and no type at all is a missing body rather than a wrong type."""
    refused(desk.client.post(SEND, headers={"Authorization": f"Bearer {desk.key}"}), 400, "10002")


def exchange(url, key, head, *chunks):
    """Send the bytes of a request, and everything that comes back until the server closes."""
    address = urlsplit(url)
    lines = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
    with socket.create_connection((address.hostname, address.port), timeout=8) as line:
        line.sendall(f"{lines}Authorization: Bearer {key}\r\n{head}\r\n\r\n".encode())
        answer = b""
        try:
            for chunk in chunks:
                line.sendall(chunk)
            while part := line.recv(65536):
                answer += part
        except ConnectionError:  # a server may refuse and close before it has read everything
            pass
    return answer


def chunk(data):
    """One chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


CHUNKED = {
    "in one": ([PLAIN], 200),
    "in bytes": ([PLAIN[i : i + 1] for i in range(len(PLAIN))], 200),
    "up to the limit": ([PLAIN, b" " * (LIMIT - len(PLAIN))], 200),
    "one byte over the limit": ([PLAIN, b" " * (LIMIT - len(PLAIN) + 1)], 413),
    "good up to the limit, then junk": ([PLAIN.ljust(LIMIT), b"junk" * 1000], 413),
    "nothing in it": ([], 400),
}


@pytest.mark.parametrize("case", CHUNKED)
def test_a_chunked_body_is_read_whole_or_refused(lab, server, case):
    """A chunked body is never cut short without a word: the limit is as exact as for any other."""
    parts, status = CHUNKED[case]
    answer = exchange(server, lab.key, "Transfer-Encoding: chunked", *map(chunk, parts), b"0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 %d " % status)


@pytest.mark.parametrize("broken", [b"zz\r\nhello\r\n0\r\n\r\n", b"5\r\nhel", b"-5\r\nhello\r\n0\r\n\r\n"])
def test_broken_chunks_are_no_message(lab, server, broken):
    """A chunked body that breaks off or is malformed is refused by server or gateway; it is never accepted."""
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=8) as line:
        head = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lab.key}\r\n"
        line.sendall(f"{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + broken)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_fewer_bytes_than_declared_are_no_message(lab, server):
    """A body that ends before its Content-Length is refused or the line is closed; it is never accepted."""
    address = urlsplit(server)
    with socket.create_connection((address.hostname, address.port), timeout=8) as line:
        head = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lab.key}\r\nContent-Length: 5000\r\n"
        line.sendall(f"{head}Content-Type: application/json\r\n\r\n".encode() + PLAIN)
        line.shutdown(socket.SHUT_WR)
        answer = line.recv(65536)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4")


def test_length_and_chunks_together_make_at_most_one_request(lab, server):
    """Content-Length beside chunks is answered once: nothing is smuggled behind it."""
    smuggled = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = exchange(server, lab.key, "Content-Length: 4\r\nTransfer-Encoding: chunked", b"0\r\n\r\n", smuggled)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert b" 200 " not in answer
