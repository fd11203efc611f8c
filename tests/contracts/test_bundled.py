"""The bundled gateway, a process with its carrier, judged as anybody's CI would judge it; and mutants of it."""

import json
import subprocess
import sys

import pytest

from contracts.exits import Exit
from simulator.handover import hand_over
from simulator.lab import running_lab

# One mutant per kind of defect; `smslab contract mutants` without names judges them all.
SAMPLE = (
    "wrapped_in_detail",
    "key_compared_by_its_beginning",
    "first_header_wins",
    "digits_of_any_script",
    "crash_on_depth",
    "chunked_cut",
    "service_unavailable_as_503",
    "sent_twice",
)


@pytest.fixture(scope="module")
def contract(tmp_path_factory):
    """Run `smslab contract COMMAND --target ...` on a lab of its own, as a process."""
    with running_lab(tmp_path_factory.mktemp("judged"), rate=5000) as lab:
        file = hand_over(lab)

        def run(name, *options):
            command = [sys.executable, "-m", "simulator", "contract", name, "--target", str(file), *options]
            return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

        yield run


def test_the_bundled_gateway_keeps_every_rule_and_shows_every_answer(contract):
    """Strict, all engines, every cell of the contract reached: exit 0."""
    done = contract("verify", "--strict", "--require-all", "--examples", "20")
    assert (done.returncode, done.stderr) == (Exit.FINE, ""), done.stdout
    assert "Conforms" in done.stdout


def test_a_wrong_key_is_exit_3_and_one_sentence(contract, tmp_path):
    """The run that is green with other tools: here it could not test."""
    (tmp_path / "key").write_text("ysk_wrong")
    done = contract("verify", "--quick", "--key-file", str(tmp_path / "key"))
    assert done.returncode == Exit.COULD_NOT_TEST
    assert done.stdout.startswith("Could not test: verify: 401/10004: it refuses the key")


def test_each_sampled_mutant_is_killed_by_its_own_rule(contract):
    """A finding of another rule would be luck: only the rule that a mutant breaks kills it."""
    done = contract("mutants", "--json", *SAMPLE)
    found = json.loads(done.stdout)
    assert (done.returncode, found["survivors"], found["killed"]) == (Exit.FINE, [], len(SAMPLE))
    assert {engine for engine, count in found["by_engine"].items() if count} >= {"cases", "raw", "provoke"}


def test_a_mutant_that_does_not_exist_is_a_usage_error(contract):
    """A misspelt name is told before anything is judged."""
    done = contract("mutants", "code_a_nmuber")
    assert done.returncode == Exit.USAGE
    assert "There is no mutant code_a_nmuber." in done.stderr
