"""`wait` and `expect` over HTTP: the words and answers of the command line."""

from concurrent.futures import ThreadPoolExecutor, wait

import pytest


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ({"to": "+1"}, 404, "No such message was tried within 0 s."),
        ({"state": "nowhere"}, 400, "'nowhere' is no state"),
        ({"timeout": "soon"}, 400, "timeout is a number"),
        ({"timeout": "61"}, 400, "no wait is longer than 60 s"),
        ({"after": "-1"}, 400, "after is a number"),
        ({"state": "refused"}, 409, "Attempt 1 is not refused after 0 s."),
        ({"after": "1"}, 404, "No such message"),
        ({"text": "ell", "run": "manual"}, 200, None),
        ({"text": "elk"}, 404, "No such message"),
    ],
)
def test_wait_says_what_is_missing(query, status, error, bench):
    """Each way not to be answered has its status and one sentence."""
    bench.sends("A")
    bench.takes("A")
    bench.rows()

    answer = bench.client.get("/api/wait", query_string={"timeout": "0"} | query)

    assert answer.status_code == status
    assert error is None or error in answer.json["error"]


def test_expect_says_what_is_odd(bench):
    """A duplicate that was not expected is 409, with the numbers and the message."""
    bench.sends("A")
    bench.takes("A")
    bench.takes("A", window=0)
    bench.rows()

    answer = bench.client.get("/api/expect", query_string={"count": 1, "dup": 0, "timeout": 0})

    assert (answer.status_code, answer.json["unmet"]) == (409, ["duplicates: 1, not 0"])
    assert [one["order_id"] for one in answer.json["odd"]] == ["A"]
    assert bench.client.get("/api/expect").status_code == 400


@pytest.mark.parametrize("path", ["/api/wait?timeout=30", "/api/expect?count=1&timeout=30"])
def test_a_question_waits_for_its_answer(path, bench):
    """What is not so yet is waited for, and answered as soon as it is."""
    bench.sends("A")
    bench.rows()
    with ThreadPoolExecutor(1) as asking:
        answer = asking.submit(bench.client.get, path)
        assert wait([answer], timeout=0.5).not_done
        bench.takes("A")
        bench.rows()

        assert answer.result().status_code == 200
