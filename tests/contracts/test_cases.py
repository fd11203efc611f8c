"""The tables of requests are what they say: named once, tied to rules, and right by the oracle."""

import json
from dataclasses import replace

import pytest

from contracts import oracle, rules, wire
from contracts.cases import KEY_HEADER
from contracts.mutants.hunt import catalogue
from contracts.verify import TABLES
from contracts.wire import Call

KEYS = {"YEASTAR_API_KEY": "Abc1", "OTHER": "zz"}
# Rules that no written case carries, because something else puts them to the test.
ELSEWHERE = {
    "judge": {"YS-OK", "YS-ENV", "YS-LEAK", "YS-VER", "YS-AUTH-06", "YS-ROB", "YS-RATE-02", "YS-DOWN-02"},
    "engines": {"YS-PERM", "YS-RATE", "YS-DOWN", "YS-INV", "YS-DOC"},
}


@pytest.fixture(scope="module")
def table(target_at):
    """Every written case, for a target that is not there."""
    target = target_at("http://127.0.0.1:1")
    return [case for tables in TABLES.values() for make in tables for case in make(target)]


def test_names_are_given_once_and_rules_exist(table):
    """A finding can be traced: its case has one name, its rule is in rules.yaml."""
    names = [case.name for case in table]
    assert len(names) == len(set(names)) > 250
    assert {rule for case in table for rule in case.expect} <= set(rules.rules())
    assert all(case.says for case in table)


def test_every_rule_is_put_to_the_test(table):
    """Each rule is carried by a case, by the judge of every answer, or by an engine."""
    prefixes = tuple(ELSEWHERE["judge"] | ELSEWHERE["engines"])
    carried = {rule for case in table for rule in case.expect}
    assert [rule for rule in rules.rules() if rule not in carried and not rule.startswith(prefixes)] == []


def test_the_oracle_agrees_with_every_written_case(table):
    """Two descriptions of the contract, written apart, allow at least one answer in common for each request."""
    apart = []
    for case in table:
        call = case.call
        known = (
            call.operation
            and call.framing == "length"
            and not call.head
            and "Content-Encoding" not in dict(call.headers)
        )
        key = [value for name, value in call.headers if name == "Authorization"]
        if not known or len(key) > 1 or "charset" in str(call.headers) or "-NUM-04" in str(case.expect):
            continue
        written = {outcome for rule, outcomes in case.expect.items() for outcome in outcomes}
        modelled = {outcome for outcomes in oracle.expected(call).values() for outcome in outcomes}
        if modelled and not {one[:3] for one in written} & {one[:3] for one in modelled}:
            apart.append((case.name, written, modelled))
    # RFC 9110 lets a scheme be written in any case; the oracle only knows the form that the contract prints.
    assert [name for name, *_ in apart] == ["key-lower-scheme"]


def test_json_of_the_suites_is_what_its_family_says(table):
    """Every `n` is refused by a strict parser, the `y` message is taken, and lenient ones only by Python's."""
    for case in table:
        if case.name.startswith("json-n-"):
            with pytest.raises((json.JSONDecodeError, UnicodeDecodeError)):
                json.loads(case.call.body)
        elif case.name.startswith("json-lenient-"):
            assert json.loads(case.call.body)
            assert oracle.message(case.call.body) is None
        elif case.name == "json-y":
            assert len(oracle.message(case.call.body)["x"]) > 35


def test_every_mutant_breaks_a_rule_that_is_tested(table):
    """No mutant waits for a rule that nothing puts to the test."""
    prefixes = tuple(ELSEWHERE["judge"] | ELSEWHERE["engines"])
    carried = {rule for case in table for rule in case.expect}
    assert all(one.breaks in carried or one.breaks.startswith(prefixes) for one in catalogue().values())


@pytest.mark.parametrize(
    ("header", "sent", "shown"),
    [
        (KEY_HEADER, "Bearer Abc1", '"${YEASTAR_API_KEY}"'),
        ("Bearer ${YEASTAR_API_KEY%?}", "Bearer Abc", '"${YEASTAR_API_KEY%?}"'),
        ("Bearer ${YEASTAR_API_KEY#?}", "Bearer bc1", '"${YEASTAR_API_KEY#?}"'),
        ("Bearer ${YEASTAR_API_KEY~~}", "Bearer aBC1", '"${YEASTAR_API_KEY~~}"'),
        ("Bearer ${UNKNOWN}", "Bearer ${UNKNOWN}", '"${UNKNOWN}"'),
    ],
)
def test_keys_are_put_in_on_the_way_out_only(header, sent, shown):
    """The bytes have the key, the line for the shell has its variable."""
    call = Call("verify", "GET", "http://127.0.0.1:1/v?a=b", (("Authorization", header),))
    assert f"Authorization: {sent}\r\n".encode() in wire.encoded(call, KEYS)
    assert shown in wire.curl(call)
    assert "Abc1" not in wire.curl(call)


def test_framing_is_as_asked_for():
    """Length, chunks, a promise that is not kept, and bytes that are no HTTP any more."""
    call = Call("sendmessage", "POST", "http://127.0.0.1:1/s", (), b"x" * 5000)
    assert b"Content-Length: 5000\r\n" in wire.encoded(call, {})
    chunked = wire.encoded(replace(call, framing="chunked"), {})
    assert chunked.endswith(b"0\r\n\r\n")
    assert b"\r\n1000\r\n" in chunked
    promise = wire.encoded(replace(call, framing="promise"), {})
    assert promise.endswith(b"Content-Length: 5000\r\nConnection: close\r\n\r\n")
    assert wire.encoded(replace(call, head="HI {path}\r\n\r\n", body=b""), {}) == b"HI /s\r\n\r\n"
    assert wire.curl(replace(call, framing="promise")).startswith("# raw bytes")
