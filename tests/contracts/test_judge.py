"""One answer, judged: each way to be wrong breaks exactly the rule that forbids it."""

import json

import pytest

from contracts import rules, spec
from contracts.judge import Answer, Finding, error_code, judge_answer, order_id

JSON = {"content-type": "application/json"}
GOOD = {"code": "10002", "title": "Invalid parameter", "detail": "text must not be empty"}


def refusal(status=400, headers=JSON, **changes):
    """A correct 10002 with these differences."""
    error = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    return Answer(status, headers, json.dumps({"errors": [error]}).encode())


def accepted(data, status=200, headers=JSON):
    """An answer to an accepted message."""
    return Answer(status, headers, json.dumps(data).encode())


CASES = {
    "a correct refusal": (refusal(), set()),
    "a correct success": (accepted({"data": {"id": "A1"}}), set()),
    "a code as a number": (refusal(code=10002), {"YS-ENV-02"}),
    "a code of another table": (refusal(code="40300"), {"YS-ENV-02"}),
    "another code's title": (refusal(title="No permission"), {"YS-ENV-03"}),
    "another status": (refusal(status=403), {"YS-ENV-04"}),
    "a status nobody knows": (refusal(status=422), {"YS-ENV-04"}),
    "an empty detail": (refusal(detail=" "), {"YS-ENV-05"}),
    "no detail": (refusal(detail=...), {"YS-ENV-05"}),
    "a further member": (refusal(hint="x"), {"YS-ENV-06"}),
    "HTML declared": (refusal(headers={"content-type": "text/html"}), {"YS-ENV-07"}),
    "wrapped in detail": (Answer(400, JSON, b'{"detail":{"errors":[]}}'), {"YS-ENV-01"}),
    "two errors": (Answer(400, JSON, json.dumps({"errors": [GOOD, GOOD]}).encode()), {"YS-ENV-01"}),
    "a 405 page": (Answer(405, {"content-type": "text/html"}, b"<h1>405</h1>"), {"YS-HTTP-02"}),
    "401 without a challenge": (
        refusal(status=401, code="10004", title="Authentication failed"),
        {"YS-AUTH-06"},
    ),
    "429 without Retry-After": (refusal(status=429, code="10006", title="Too many requests"), {"YS-RATE-02"}),
    "500 without Retry-After": (
        refusal(status=500, code="10007", title="Service unavailable"),
        {"YS-DOWN-02"},
    ),
    "a number as id": (accepted({"data": {"id": 5}}), {"YS-OK-02"}),
    "a blank id": (accepted({"data": {"id": " "}}), {"YS-OK-02"}),
    "an id at the top": (accepted({"id": "A1"}), {"YS-OK-02"}),
    "more than an id": (accepted({"data": {"id": "A1", "cost": 1}}), {"YS-OK-03"}),
    "201": (accepted({"data": {"id": "A1"}}, status=201), {"YS-OK-01"}),
    "success as text": (accepted({"data": {"id": "A1"}}, headers={"content-type": "text/plain"}), {"YS-OK-04"}),
    "a traceback": (
        Answer(400, JSON, json.dumps({"errors": [GOOD | {"detail": "Traceback (most recent call last)"}]}).encode()),
        {"YS-LEAK-01"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_each_way_to_be_wrong_breaks_its_rule(name):
    """The judge names the rule that an answer breaks, and no other."""
    answer, broken = CASES[name]
    assert {finding.rule for finding in judge_answer("sendmessage", "POST", answer)} == broken


def test_every_row_of_the_table_is_right_in_its_envelope():
    """Each of the seven rows, written as the page writes it, breaks nothing."""
    headers = JSON | {"www-authenticate": "Bearer", "retry-after": "1"}
    for row in spec.error_rows():
        answer = refusal(row.status, headers, code=row.code, title=row.title)
        assert judge_answer("verify", "GET", answer) == ()
        assert error_code(answer) == row.code


def test_only_a_200_with_a_string_has_an_order_id():
    """The id of an accepted message is a non-blank string under data, and only with status 200."""
    assert order_id(accepted({"data": {"id": "A1"}})) == "A1"
    assert order_id(accepted({"data": {"id": "A1"}}, status=202)) is None
    assert order_id(Answer(200, JSON, b"\xff")) is None


def test_every_finding_names_a_rule_that_exists():
    """A finding's rule is one of rules.yaml, and every rule has its line in the contract."""
    found = {f.rule for answer, _ in CASES.values() for f in judge_answer("sendmessage", "POST", answer)}
    assert found <= set(rules.rules())
    assert all(rules.line(rule) > 0 for rule in rules.rules())
    assert Finding("YS-OK-01", "x").rule in rules.rules()
