"""Faults of time, judgement and the answer: what a caller meets, and what the ledger holds."""

import pytest

PLAIN = {"from": "FUTURESMS", "to": "+639170000001", "text": "hi", "encoding": "GSM-7", "segments": 1}
TWO = ({**PLAIN, "key": "A"}, {**PLAIN, "key": "B", "to": "+447400000001"})


def test_nothing_changes_nothing_but_counts(carrier):
    """The control: messages are taken, hits are counted."""
    carrier.break_it("nothing")
    assert carrier.statuses(*TWO) == [200, 200]
    assert carrier.client.get("/faults").json["faults"][0]["hits"] == 2


def test_a_refusal_of_all_messages_refuses_the_call(carrier):
    """With status, Retry-After and the raw body as given; nothing is taken."""
    carrier.break_it("refuse", status=429, retry_after=1.5, body="<html>")
    for answer in (carrier.send("A"), carrier.batch(*TWO)):
        assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "2", "<html>")
    assert carrier.taken() == []


def test_a_refusal_of_some_messages_is_said_in_their_place(carrier):
    """In a batch the others are taken, and the wait is exact."""
    carrier.break_it("refuse", {"prefix": "+44"}, status=500, retry_after=1.5)
    results = carrier.batch(*TWO).json["results"]
    assert [result["status"] for result in results] == [200, 500]
    assert results[1]["retry_after"] == 1.5
    assert carrier.taken() == ["A"]


def test_a_redirect_names_a_place_where_nothing_is(carrier):
    """A caller who follows a 307 finds 404, which a test can see."""
    carrier.break_it("refuse", status=307)
    answer = carrier.send("A")
    assert (answer.status_code, answer.headers["Location"]) == (307, "/v1/elsewhere")
    assert carrier.client.post(answer.headers["Location"]).status_code == 404


def test_flaky_refuses_each_message_so_many_times(carrier):
    """Every key is counted on its own, and taken afterwards."""
    carrier.break_it("flaky", times=2)
    assert [carrier.send("A").status_code for _ in range(4)] == [503, 503, 200, 200]
    assert [carrier.send("B").status_code for _ in range(3)] == [503, 503, 200]


def test_throttle_is_a_quota_with_an_honest_retry_after(carrier):
    """10 a second: ten are taken, the eleventh is told when to come back, and then is taken."""
    carrier.break_it("throttle", per_second=10)
    results = carrier.batch(*(carrier.message(f"K{n}") for n in range(12))).json["results"]
    assert [result["status"] for result in results] == [200] * 10 + [429] * 2
    carrier.clock.now += results[10]["retry_after"]
    assert carrier.statuses(carrier.message("K10"), carrier.message("K11")) == [200, 429]
    refused = carrier.send("K11")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")


def test_a_quota_of_nothing_takes_nothing(carrier):
    """per_second 0 does not divide by it."""
    carrier.break_it("throttle", per_second=0)
    assert [carrier.send(key).status_code for key in "AB"] == [429, 429]


def test_an_outage_ends_by_itself(carrier):
    """503 for whatever comes, readable or not, for its seconds; then the carrier is well."""
    carrier.break_it("outage", seconds=5)
    assert carrier.send("A").status_code == 503
    assert carrier.client.post("/v1/messages", data=b"{").status_code == 503
    carrier.clock.now += 5
    assert carrier.send("A").status_code == 200


def test_a_trip_takes_the_message_and_then_goes_down(carrier):
    """The tripping message is taken; the next meets the outage until it ends."""
    carrier.break_it("trip", {"first": 1}, seconds=5)
    assert [carrier.send(key).status_code for key in "AB"] == [200, 503]
    carrier.clock.now += 5
    assert carrier.send("B").status_code == 200


@pytest.mark.parametrize(
    ("params", "low", "high"),
    [
        ({"seconds": 2}, 2, 2),
        ({"seconds": 1, "until": 3, "shape": "uniform"}, 1, 3),
        ({"seconds": 1, "sigma": 0.1, "shape": "lognormal"}, 0.5, 2),
    ],
)
def test_latency_delays_the_answer_once_per_call(carrier, params, low, high):
    """However many messages, one wait, within its shape; the messages were taken before it."""
    carrier.break_it("latency", **params)
    began = carrier.clock.now
    assert carrier.statuses(*TWO) == [200, 200]
    (slept,) = carrier.clock.slept
    assert low <= slept <= high
    assert {one.at for one in carrier.ledger.deliveries()} == {began}


def test_latency_can_ramp_up(carrier):
    """From nothing to `seconds` during `until` seconds after the first call."""
    carrier.break_it("latency", shape="ramp", seconds=4, until=8)
    waits = []
    for pause in (0, 2, 100):
        carrier.clock.now += pause
        carrier.send()
        waits.append(carrier.clock.slept[-1])
    assert waits == [0, 1, 4]


def test_a_late_accept_is_taken_after_the_wait(carrier):
    """The wait comes before the taking: a caller who gave up is charged all the same."""
    carrier.break_it("late-accept", seconds=30)
    began = carrier.clock.now
    carrier.send("A")
    assert [one.at for one in carrier.ledger.deliveries()] == [began + 30]


def test_dedup_expiry_makes_a_repeat_a_second_message(carrier):
    """As when the window ends before the retries do; a shorter memory, not a lost one."""
    carrier.break_it("dedup-expiry", seconds=10)
    for pause in (0, 5, 6):
        carrier.clock.now += pause
        carrier.send("A")
    assert carrier.taken() == ["A", "A"]


@pytest.mark.parametrize(
    ("form", "body", "kind"),
    [
        ("html", b"<!doctype html>", "text/html"),
        ("empty", b"", "application/json"),
        ("truncated", b'{"', "application/json"),
    ],
)
def test_garble_answers_200_with_nonsense_after_taking(carrier, form, body, kind):
    """The message is in the ledger, the answer is not one."""
    carrier.break_it("garble", form=form)
    answer = carrier.send("A")
    assert (answer.status_code, answer.mimetype) == (200, kind)
    assert answer.data.startswith(body)
    assert answer.get_json(silent=True) is None
    assert carrier.taken() == ["A"]


def test_a_wrong_id_is_nobodys(carrier):
    """Neither the ids nor the keys in the answer exist."""
    carrier.break_it("garble", form="wrong-id")
    rows = [carrier.send("A").json, *carrier.batch(*TWO).json["results"]]
    assert {row["id"] for row in rows} == {"SIM999999999999"}
    assert not {row["key"] for row in rows} & {"A", "B"}
