"""The rules in a provider's own pytest."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from contracts import rules, spec

KEY = "minimalKeyAbc123"
OWN = """
def test_mine(smslab_rule, smslab_run):
    assert not [one for one in smslab_run.verdict.failing if one.rule == smslab_rule]
"""


@pytest.fixture
def provider_pytest(minimal, tmp_path):
    """Run pytest with the plugin in a directory of a provider's own."""
    verify, send = (minimal + route.path for route in spec.routes())
    (tmp_path / "target.toml").write_text(f'send_url = "{send}"\nverify_url = "{verify}"\nmax_accepted = 200\n')

    def run(*options, tests=""):
        (tmp_path / "test_mine.py").write_text(tests)
        command = [sys.executable, "-m", "pytest", "-p", "contracts.plugin", "-q", "-p", "no:cacheprovider", *options]
        environ = {**os.environ, "YEASTAR_API_KEY": KEY, "PYTHONPATH": str(Path(rules.__file__).parents[1])}
        environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # only this plugin is the matter here
        return subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)

    return run


def test_there_is_a_test_per_rule(provider_pytest):
    """Kept rules pass, rules that nothing tested are skipped, and the provider passes."""
    done = provider_pytest("--smslab-target", "target.toml")
    assert done.returncode == 0, done.stdout
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|skipped)", done.stdout)}
    assert sum(counts.values()) == len(rules.rules())
    assert counts["passed"] > 50


def test_a_broken_rule_fails_with_its_sentence_and_a_curl_line(provider_pytest):
    """Under strict the minimal provider fails its `should` rules, each told with what repeats it."""
    done = provider_pytest("--smslab-target", "target.toml", "--smslab-strict")
    assert done.returncode == 1
    assert "401 carries WWW-Authenticate: Bearer." in done.stdout
    assert "curl -sS" in done.stdout
    assert KEY not in done.stdout


def test_fixtures_serve_tests_of_ones_own(provider_pytest):
    """`smslab_rule` and `smslab_run` make one test per rule of a test that is written once."""
    done = provider_pytest("--smslab-target", "target.toml", "test_mine.py", "-k", "test_mine", tests=OWN)
    assert done.returncode == 0, done.stdout
    assert f"{len(rules.rules())} passed" in done.stdout


def test_without_a_target_the_fixture_says_what_is_missing(provider_pytest):
    """Nothing is judged by accident: without the option a test that needs a run is an error."""
    done = provider_pytest("test_mine.py", tests=OWN)
    assert done.returncode != 0
    assert "Give --smslab-target FILE" in done.stdout + done.stderr
