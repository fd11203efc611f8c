"""Machine-made mutants of the bundled gateway as they are kept and printed."""

import json

import pytest

from contracts.mutants import machine
from tests.mutation.__main__ import equivalents

FOUND = {
    "tool": "mutmut 3",
    "made": "2026-11-22",
    "modules": {
        "body": {"mutants": 9, "killed": 6, "equivalent": 2},
        "send": {"mutants": 4, "killed": 4, "equivalent": 0},
    },
    "survivors": [{"mutant": "body.parse 7", "change": "return None"}],
    "equivalent": [
        {"mutant": "body.parse 1", "change": "a", "because": "of this"},
        {"mutant": "body.parse 3", "change": "b", "because": "of this"},
    ],
    "untried": 0,
    "gone": [],
}


def test_nothing_of_the_kept_summary_is_left_unjudged():
    """Every mutant was tried; each is killed or listed with its reason, and no reason is left over."""
    kept = machine.load()
    total = machine.totals(kept)
    assert (kept["survivors"], kept["untried"], kept["gone"]) == ([], 0, [])
    assert total["mutants"] == total["killed"] + total["equivalent"] > 600
    assert {row["because"] for row in kept["equivalent"]} == set(equivalents().values())


def test_a_summary_is_told_by_module_and_by_name():
    """Counts by module, survivors with their change, equivalents by name under their reason, and one line in all."""
    said = machine.as_text(FOUND)
    assert "SURVIVED body.parse 7: return None" in said
    assert "equivalent, because of this: body.parse 1, body.parse 3" in said
    assert said.endswith(
        "mutmut 3 on the bundled gateway, 2026-11-22: 10 of 13 killed by its own tests, 2 equivalent; "
        "survivors: body.parse 7"
    )


def test_the_command_prints_it_beside_the_kill_matrix(smslab_contract, minimal, target_file, tmp_path):
    """One line of the kept summary; all of it, and in the JSON, of the file that is given."""
    file = tmp_path / "machine.json"
    file.write_text(json.dumps(FOUND))
    plain, _ = smslab_contract("mutants", "code_a_number", "--target", target_file(minimal))
    assert plain.stdout.endswith(f"survivors: none\n{machine.headline(machine.load())}\n")
    given, _ = smslab_contract("mutants", "code_a_number", "--target", target_file(minimal), "--machine", file)
    assert given.stdout.endswith(f"{machine.as_text(FOUND)}\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"modules": {}}'])
def test_what_is_no_summary_is_a_usage_error(smslab_contract, minimal, target_file, tmp_path, text):
    """Told before anything is judged."""
    file = tmp_path / "machine.json"
    file.write_text(text)
    done, _ = smslab_contract("mutants", "--target", target_file(minimal), "--machine", file)
    assert done.exit_code == 2
    assert "machine.json is no summary of `make mutants`." in done.stderr
