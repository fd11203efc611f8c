"""The gateway's reading of one request, without a server: what is read of the stream, and what each refusal says.

A PBX's administrator sees the details in a log and nothing else of us: each stands here, word for word.
"""

import io
import json

import pytest

from contracts import spec
from gateway.body import MAX_DEPTH, Message, read_body, read_message
from gateway.contract import INVALID_PARAMETER, Refusal

LIMIT = spec.limits().body_bytes
PAGE = spec.page_example()
PLAIN = json.dumps(PAGE).encode()


class Stream:
    """A body that arrives in pieces of at most so many bytes, as servers hand them over; it breaks when told to."""

    def __init__(self, data, piece=LIMIT * 2, fault=None):
        self._data, self._piece, self._fault, self.asked = io.BytesIO(data), piece, fault, []

    def read(self, size):
        """At most `size` bytes."""
        if self._fault:
            raise self._fault
        assert size > 0
        self.asked.append(size)
        return self._data.read(min(size, self._piece))

    def again(self):
        """The same from its beginning."""
        return Stream(self._data.getvalue(), self._piece, self._fault)


def environ(data=PLAIN, kind="application/json", piece=LIMIT * 2, fault=None, **more):
    """A request as WSGI tells of it: with a Content-Length, unless `more` says that it is chunked."""
    length = {} if "HTTP_TRANSFER_ENCODING" in more else {"CONTENT_LENGTH": str(len(data))}
    return {"wsgi.input": Stream(data, piece, fault), "CONTENT_TYPE": kind} | length | more


def chunked(data=PLAIN, **more):
    """The same in chunks: nobody says how long it is."""
    return environ(data, HTTP_TRANSFER_ENCODING="chunked", **more)


def message(**changes):
    """The body of the page's example with these fields changed."""
    return environ(json.dumps(PAGE | changes).encode())


def member(value):
    """The body of the page's example with an unknown member of this text."""
    return environ(PLAIN[:-1] + b', "x": ' + value.encode() + b"}")


TOO_LONG = "The body is longer than 32768 bytes"
NOT_JSON_TYPE = "Content-Type must be application/json in UTF-8"
HALF = "The body holds a NUL or half of a surrogate pair"
LENIENT = "The body is not JSON: a key is given twice or a number is out of range"
REFUSED = {
    "no from": (environ(b'{"to": "+639171234567"}'), 400, "from is required and must be a string"),
    "no to": (environ(b'{"from": "+639171234567"}'), 400, "to is required and must be a string"),
    "a number for text": (message(text=5), 400, "text must be a string"),
    "a string for media": (message(media_urls="x"), 400, "media_urls must be an array of strings"),
    "another type": (environ(kind="text/plain"), 415, NOT_JSON_TYPE),
    "another charset": (environ(kind="application/json; charset=latin1"), 415, NOT_JSON_TYPE),
    "a charset with two values": (environ(kind="application/json; charset=latin1=utf-8"), 415, NOT_JSON_TYPE),
    "a charset not quite right": (environ(kind='application/json; charset="utf-16"'), 415, NOT_JSON_TYPE),
    "no type, though something": (environ(kind=""), 415, NOT_JSON_TYPE),
    "compressed": (environ(HTTP_CONTENT_ENCODING="gzip"), 415, "The body must not be compressed"),
    "compressed and strange": (environ(kind="", HTTP_CONTENT_ENCODING="gzip"), 415, NOT_JSON_TYPE),
    "nothing at all": (environ(b"", kind=""), 400, "The request needs a JSON body"),
    "nothing, of no length": ({"wsgi.input": Stream(b"")}, 400, "The request needs a JSON body"),
    "a byte too many": (environ(PLAIN.ljust(LIMIT + 1)), 413, TOO_LONG),
    "a byte too many in chunks": (chunked(PLAIN.ljust(LIMIT + 1)), 413, TOO_LONG),
    "an endless length": (environ(CONTENT_LENGTH="9" * 5000), 413, TOO_LONG),
    "a length in words": (environ(CONTENT_LENGTH="ten"), 400, "Content-Length must be a number"),
    "fewer than declared": (environ(CONTENT_LENGTH="900"), 400, "The body is shorter than its Content-Length"),
    "broken chunks": (chunked(fault=OSError("broken")), 400, "The body could not be read"),
    "Latin-1": (environ('"é"'.encode("latin-1")), 400, "The body is not UTF-8"),
    "no JSON": (environ(b"{} {}"), 400, "The body is not JSON: Extra data at character 3"),
    "an empty body": (environ(b""), 400, "The body is not JSON: Expecting value at character 0"),
    "a key twice": (member('{"a": 1, "a": 1}'), 400, LENIENT),
    "NaN": (member("NaN"), 400, LENIENT),
    "1e999": (member("1e999"), 400, LENIENT),
    "a list": (environ(b"[]"), 400, "The body must be a JSON object"),
    "deeper than allowed": (member("[" * MAX_DEPTH + "]" * MAX_DEPTH), 400, "The body is nested too deeply"),
    "deeper than the stack": (environ(b"[" * 30_000), 400, "The body is nested too deeply"),
    "NUL": (member(r'"\u0000"'), 400, HALF),
    "the last half": (member(r'"\udfff"'), 400, HALF),
    "a half beside other things": (member(r'["\ud800", {"a": "b"}, ["c"], "d"]'), 400, HALF),
    "a half before other things": (member(r'[["c"], {"a": "b"}, "\ud800"], "y": ["z", "z"], "w": {"v": 1}'), 400, HALF),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_told_in_a_sentence(case):
    """Status, row and detail of each fault of a body."""
    asked, status, detail = REFUSED[case]
    with pytest.raises(Refusal) as fault:
        read_message(asked | {"wsgi.input": asked["wsgi.input"].again()})
    assert (fault.value.status, fault.value.row, fault.value.detail) == (status, INVALID_PARAMETER, detail)
    assert str(fault.value) == f"10002 {detail}"


@pytest.mark.parametrize("asked", [environ, chunked])
@pytest.mark.parametrize("length", [len(PLAIN), LIMIT])
def test_a_body_in_pieces_is_read_whole(asked, length):
    """However few bytes a server hands over at a time, every one arrives, in order."""
    assert read_body(asked(PLAIN.ljust(length), piece=7)) == PLAIN.ljust(length)


def test_not_a_byte_more_than_declared_is_read():
    """What follows on the connection is somebody else's request."""
    asked = environ(PLAIN + b"POST", CONTENT_LENGTH=str(len(PLAIN)), piece=100)
    assert read_body(asked) == PLAIN
    assert asked["wsgi.input"].asked == list(range(len(PLAIN), 0, -100))


def test_an_endless_body_is_read_a_byte_beyond_the_limit():
    """Nobody fills the memory by sending on."""
    asked = chunked(b" " * LIMIT * 4, piece=LIMIT)
    with pytest.raises(Refusal):
        read_body(asked)
    assert sum(asked["wsgi.input"].asked) == LIMIT + 2  # the last byte was asked for twice


def test_a_body_of_no_declared_length_is_empty():
    """Neither Content-Length nor chunks: there is no body."""
    assert read_body({"wsgi.input": Stream(PLAIN)}) == b""


@pytest.mark.parametrize(
    "value",
    ["[" * 63 + "]" * 63, "[[]," + "[" * 62 + "]" * 62 + "]", '"' + "[{" * 100 + '"', "[" + "[]," * 100 + "[]]"],
)
def test_depth_alone_counts(value):
    """64 levels with the object itself are read; brackets in a string or side by side are no levels."""
    assert read_message(member(value)) == Message(PAGE["from"], PAGE["to"], PAGE["text"], [])


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        'application/json ;charset="UTF-8"; a=b',
    ],
)
@pytest.mark.parametrize("coding", [{}, {"HTTP_CONTENT_ENCODING": "identity"}, {"HTTP_CONTENT_ENCODING": "Identity"}])
def test_json_in_utf_8_is_read_however_it_is_declared(kind, coding):
    """Neither the case of a type nor a parameter that changes nothing is a fault."""
    assert read_message(environ(kind=kind, **coding)).text == PAGE["text"]
