"""A carrier that is well: it takes messages once per key, answers each in its place, refuses what it cannot read."""

import json

import pytest

GOOD = {"from": "FUTURESMS", "to": "+639170000001", "text": "hi", "encoding": "GSM-7", "segments": 1}


def test_the_same_key_is_the_same_message(carrier):
    """A repeat inside the dedup window gets the first id and adds nothing to the ledger."""
    first, again = carrier.send("K1"), carrier.send("K1")
    assert (first.status_code, first.json["key"]) == (200, "K1")
    assert again.json["id"] == first.json["id"]
    assert carrier.taken() == ["K1"]


def test_a_key_used_for_something_else_is_refused(carrier):
    """The same key with another text is 422 and nothing is taken."""
    carrier.send("K1")
    assert carrier.send("K1", text="other").status_code == 422
    assert carrier.statuses({**GOOD, "key": "K1", "segments": 2}, {**GOOD, "key": "K2"}) == [422, 200]
    assert carrier.taken() == ["K1", "K2"]


def test_without_a_key_every_call_is_a_new_message(carrier):
    """Two calls, two messages."""
    assert carrier.send().json["id"] != carrier.send().json["id"]
    assert carrier.taken() == [None, None]


def test_a_key_is_forgotten_when_its_window_ends(carrier):
    """One second before the end it is the same message; after the end it is a second one."""
    carrier.send("K1")
    carrier.clock.now += 86_399
    carrier.send("K1")
    assert carrier.taken() == ["K1"]
    carrier.clock.now += 2
    carrier.send("K1")
    assert carrier.taken() == ["K1", "K1"]


def test_a_batch_answers_each_message_in_its_place(carrier):
    """100 messages, a key twice among them: results in the same order, the repeat with the same id."""
    messages = [{**GOOD, "key": f"K{n % 99}"} for n in range(100)]
    results = carrier.batch(*messages).json["results"]
    assert [result["key"] for result in results] == [one["key"] for one in messages]
    assert results[0]["id"] == results[99]["id"]
    assert len(carrier.taken()) == 99


WRONG = {
    "no JSON": b"{",
    "no object": b"[]",
    "deep": b"[" * 100_000,
    "invalid UTF-8": b'{"text": "\xff"}',
    "no messages": b'{"messages": []}',
    "messages of another kind": b'{"messages": {}}',
    "a message of another kind": b'{"messages": [1]}',
    "too many": json.dumps({"messages": [GOOD] * 101}).encode(),
    "no text": json.dumps({**GOOD, "text": None}).encode(),
    "no recipient": json.dumps({name: GOOD[name] for name in GOOD if name != "to"}).encode(),
    "segments as text": json.dumps({**GOOD, "segments": "1"}).encode(),
    "segments true": json.dumps({**GOOD, "segments": True}).encode(),
    "no segments": json.dumps({**GOOD, "segments": 0}).encode(),
    "half a character": json.dumps({**GOOD, "text": "\ud800"}).encode(),
    "a key of another kind": json.dumps({"messages": [{**GOOD, "key": 1}]}).encode(),
    "a long key": json.dumps({"messages": [{**GOOD, "key": "k" * 256}]}).encode(),
}


@pytest.mark.parametrize("body", WRONG.values(), ids=WRONG)
def test_what_cannot_be_read_is_refused_as_a_whole(carrier, body):
    """400 with one sentence, and nothing of the call is taken."""
    answer = carrier.client.post("/v1/messages", data=body)
    assert answer.status_code == 400
    assert answer.json["error"].endswith(".")
    assert carrier.taken() == []


def test_texts_arrive_byte_for_byte(carrier):
    """Emoji, NUL, line ends and combining characters are kept as they came."""
    text = "👩‍👩‍👧 \x00 \r\n e\u0301"
    carrier.send("K1", text=text)
    assert [one.text for one in carrier.ledger.deliveries()] == [text]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/healthz", 200), ("GET", "/messages", 200), ("GET", "/faults", 200), ("GET", "/v1/messages", 405),
     ("GET", "/nowhere", 404), ("POST", "/faults", 415), ("DELETE", "/faults/9", 404)],
)  # fmt: skip
def test_every_answer_says_simulator(carrier, method, path, status):
    """Whatever the status: JSON, with a Server header and a body that say what this is."""
    answer = carrier.client.open(path, method=method)
    assert (answer.status_code, answer.json["simulator"]) == (status, "fake carrier")
    assert "simulator" in answer.headers["Server"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
@pytest.mark.parametrize("path", ["/faults", "/reset", "/messages", "/healthz"])
def test_the_simulator_api_is_local_only(carrier, path, headers):
    """A foreign Host (DNS rebinding) or Origin (another page) is refused; submissions do not look at either."""
    assert carrier.client.post(path, headers=headers, json={}).status_code == 403
    assert carrier.client.post("/v1/messages", headers=headers, data=json.dumps(GOOD)).status_code == 200


def test_messages_are_listed_page_by_page(carrier):
    """`after` and `limit` walk through the ledger without a gap."""
    carrier.batch(*({**GOOD, "key": f"K{n}"} for n in range(5)))
    first = carrier.client.get("/messages?limit=2").json
    rest = carrier.client.get(f"/messages?after={first['last']}").json
    assert [row["key"] for row in first["messages"] + rest["messages"]] == ["K0", "K1", "K2", "K3", "K4"]
    assert first["messages"][0]["to"] == GOOD["to"]
