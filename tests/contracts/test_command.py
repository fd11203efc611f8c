"""`smslab contract` as people and pipelines use it."""

import json

import pytest

from contracts import rules, spec
from contracts.serving import serving

KEY = "minimalKeyAbc123"


@pytest.fixture
def options(minimal):
    """The options that name the minimal provider."""
    verify, send = (minimal + route.path for route in spec.routes())
    return ["--send-url", send, "--verify-url", verify, "--max-accepted", "300"]


def test_the_report_for_a_person_fits_a_screen(smslab_contract, options):
    """Verdict, matrix and a line per broken rule: at most 50 lines even for a provider with many."""
    done, _ = smslab_contract("verify", *options, "--quick")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert len(lines) < 50
    assert lines[0].startswith("verify      200✓")
    assert any(line.startswith("Conforms: ") for line in lines)


def test_strict_fails_and_shows_how_to_repeat(smslab_contract, options):
    """What counts is shown with a curl line, and the key in it is a variable."""
    done, _ = smslab_contract("verify", *options, "--quick", "--strict")
    assert done.exit_code == 1
    assert "curl -sS" in done.stdout
    assert KEY not in done.stdout


def test_fuzz_sends_generated_requests_only(smslab_contract, options):
    """Every finding comes from the generator; what the budget kept back is named."""
    done, found = smslab_contract("fuzz", *options[:4], "--examples", "60", "--json")
    assert done.exit_code == 0
    assert {one["engine"] for one in found["findings"]} <= {"fuzz", "preflight"}
    assert any("kept back by the budget" in line for line in found["untested"])
    assert found["messages"]["used"] <= 25


def test_json_says_it_all(smslab_contract, options, tmp_path):
    """The JSON has verdict, matrix, findings; files of other kinds are written beside it."""
    done, found = smslab_contract("verify", *options, "--quick", "--json", "--report", f"har={tmp_path / 'r.har'}")
    assert found["exit"] == done.exit_code == 0
    assert {row["state"] for row in found["matrix"]} >= {"reached", "missed"}
    assert all(rules.rules()[one["rule"]].level != "must" for one in found["findings"])
    assert json.loads((tmp_path / "r.har").read_text())["log"]["version"] == "1.2"


def test_require_all_fails_for_what_was_not_reached(smslab_contract, options):
    """A conforming provider whose 10005 and 10007 nobody provoked is exit 4 under --require-all."""
    done, _ = smslab_contract("verify", *options, "--quick", "--require-all")
    assert done.exit_code == 4
    assert "cells of the contract were not reached" in done.stdout


@pytest.mark.parametrize("extra", [["--report", "pdf=x"], ["--report", "har"], ["--baseline", "/nowhere.toml"]])
def test_what_cannot_be_used_is_a_usage_error(smslab_contract, options, extra):
    """An unknown kind of report or an unreadable baseline is told before anything is sent."""
    done, _ = smslab_contract("verify", *options, *extra)
    assert done.exit_code == 2
    assert "Error: " in done.stderr


def test_rules_lists_every_rule(smslab_contract):
    """People get a table, programs get the rows with the line of the contract."""
    people, _ = smslab_contract("rules")
    programs, _ = smslab_contract("rules", "--json")
    rows = json.loads(programs.stdout)
    assert [row["id"] for row in rows] == list(rules.rules())
    assert all(row["line"] > 0 for row in rows)
    assert all(rule in people.stdout for rule in rules.rules())


def test_diff_of_a_provider_with_itself_is_empty(smslab_contract, minimal, target_file):
    """Ids and details are masked, so the same provider does not differ from itself."""
    target = target_file(minimal)
    done, found = smslab_contract("diff", "--a", target, "--b", target, "--json")
    assert (done.exit_code, found["differences"]) == (0, [])
    assert found["compared"] > 150


def test_diff_shows_the_parts_that_differ(smslab_contract, minimal, minimal_app, target_file):
    """Another title and another status are two differences of the same case."""
    app = minimal_app()

    @app.after_request
    def changed(response):
        if response.status_code == 401:
            response.status_code = 403
        return response

    with serving(app) as url:
        done, _ = smslab_contract("diff", "--a", target_file(minimal), "--b", target_file(url))
    assert done.exit_code == 1
    assert any(line.split()[:2] == ["key-wrong", "status"] for line in done.stdout.splitlines())


def test_diff_with_somebody_who_is_not_there_could_not_test(smslab_contract, minimal, target_file):
    """A provider that does not answer cannot be compared."""
    there, gone = target_file(minimal), target_file("http://127.0.0.1:1")
    done, _ = smslab_contract("diff", "--a", there, "--b", gone)
    assert done.exit_code == 3
    assert "connection refused" in done.stderr
