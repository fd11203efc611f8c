"""Faults of the line, on real sockets: what a caller sees, and what the ledger holds all the same."""

import gzip
import json
import socket
import struct

import httpx
import pytest

BODY = json.dumps({"from": "FUTURESMS", "to": "+639170000001", "text": "hi", "encoding": "GSM-7", "segments": 1})


def request(key, body=BODY):
    """The bytes of a submission."""
    head = f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def ask(address, key="A"):
    """Everything that comes back until the carrier closes the line."""
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request(key))
        return b"".join(iter(lambda: line.recv(65536), b""))


def more(line):
    """The next bytes; an end of the line where an answer was due is a failure, not a wait."""
    return line.recv(65536) or pytest.fail("the line was closed in the middle of an answer")


def one_answer(line):
    """The next answer on a kept connection: its head and its body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += more(line)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += more(line)
    return head, body


def test_a_connection_is_kept_for_the_next_call(carrier, address):
    """Two calls on one connection, the second in chunks; a third that promises too much is cut off."""
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request("A"))
        assert b"200 OK" in one_answer(line)[0]
        chunks = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
        line.sendall(f"POST /v1/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}".encode())
        assert b"200 OK" in one_answer(line)[0]
        line.sendall(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
        assert b"400 BAD REQUEST" in one_answer(line)[0]
        assert line.recv(1) == b""
    assert carrier.taken() == ["A", None]


@pytest.mark.parametrize(("when", "taken"), [("before", []), ("after", ["A"])])
def test_reset_cuts_before_or_after_taking(carrier, address, when, taken):
    """The caller sees a reset (RST), not an end; the ledger knows which it was."""
    carrier.break_it("reset", when=when)
    with pytest.raises(ConnectionResetError):
        ask(address)
    assert carrier.taken() == taken


@pytest.mark.parametrize(("kind", "taken"), [("lost-request", []), ("lost-reply", ["A"])])
def test_lost_closes_the_line_without_an_answer(carrier, address, kind, taken):
    """No byte comes back; a repeat after the fault gives one message, not two."""
    carrier.break_it(kind)
    assert ask(address) == b""
    assert carrier.taken() == taken
    carrier.client.post("/reset")
    assert carrier.send("A").status_code == 200
    assert carrier.taken() == ["A"]


def test_hang_says_nothing_until_it_ends(carrier, address):
    """Nothing is taken, nothing is said, then the line closes."""
    carrier.break_it("hang", seconds=0.2)
    assert ask(address) == b""
    assert carrier.taken() == []


def test_hang_ends_when_the_caller_leaves(carrier, address):
    """A caller who gives up does not leave a thread behind for the rest of the hang."""
    carrier.break_it("hang", {"first": 1}, seconds=300)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"http://{address[0]}:{address[1]}/v1/messages", content=BODY, timeout=0.2, trust_env=False)
    assert b"200 OK" in one_answer_to("B", address)


def one_answer_to(key, address):
    """The head of the answer to one call."""
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request(key))
        return one_answer(line)[0]


@pytest.mark.parametrize(("part", "at_once"), [("headers", b"H"), ("body", b"\r\n\r\n{")])
def test_dribble_sends_byte_by_byte(carrier, address, part, at_once):
    """Every read brings little, the whole is right; only the body is slow unless the headers are meant."""
    carrier.break_it("dribble", part=part, pause=0.001)
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request("A"))
        assert at_once in more(line) + line.recv(1)
        body = one_answer(line)[1] if part == "headers" else more(line)
        assert part == "body" or json.loads(body)["key"] == "A"


def test_duplicate_reply_leaves_an_answer_to_no_question(carrier, address):
    """Two whole answers on a line that stays open."""
    carrier.break_it("duplicate-reply", {"first": 1})
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request("A"))
        data = more(line)
        while data.count(b'"simulator"') < 2:
            data += more(line)
        first, second = data[: len(data) // 2], data[len(data) // 2 :]
        assert first == second
        line.sendall(request("B"))
        assert json.loads(one_answer(line)[1])["key"] == "B"


def test_short_promises_more_than_it_sends(carrier, address):
    """A client that trusts Content-Length notices; the message was taken."""
    carrier.break_it("garble", form="short")
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"http://{address[0]}:{address[1]}/v1/messages", content=BODY, trust_env=False)
    assert len(carrier.taken()) == 1


def test_a_gzip_bomb_is_small_on_the_line(carrier, address):
    """20 MB in about 20 kB, whether or not the caller can unpack."""
    carrier.break_it("gzip-bomb", megabytes=20)
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(request("A"))
        head, body = one_answer(line)
    assert b"Content-Encoding: gzip" in head
    assert len(body) < 25_000
    assert len(gzip.decompress(body)) == 20 * 1024 * 1024


def test_a_caller_who_leaves_in_the_middle_does_no_harm(carrier, address):
    """A reset while the body is on its way: the next call is answered."""
    with socket.create_connection(address) as line:
        line.sendall(request("A")[:-5])
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert b"200 OK" in one_answer_to("B", address)
    assert carrier.taken() == ["B"]


def test_without_a_socket_a_cut_is_an_error(carrier):
    """Called as WSGI in one process, a fault of the line fails as a cut line would."""
    carrier.break_it("lost-reply")
    with pytest.raises(ConnectionAbortedError):
        carrier.send("A")
    assert carrier.taken() == ["A"]


@pytest.mark.parametrize("noise", [b"\x16\x03\x01 tls?\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"])
def test_what_is_not_http_gets_an_answer_all_the_same(address, noise):
    """JSON, from the simulator, and the line is closed."""
    with socket.create_connection(address, timeout=5) as line:
        line.sendall(noise)
        data = b"".join(iter(lambda: line.recv(65536), b""))
    assert json.loads(data[data.index(b"{") :])["simulator"] == "fake carrier"
