"""The PBX against the real gateway and the real fake carrier."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from simulator.ledger.balance import balance
from simulator.ledger.carrier import CarrierLedger
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx
from simulator.pbx.personas import PERSONAS

# What needs no gateway administration and is over in a few seconds; `smslab pbx run --all --lab` plays all.
QUICK = ["wrong-key", "media-refused", "unicode", "long-text", "double-click", "midnight-of-bad-input"]


@pytest.fixture
def run(lab, tmp_path):
    """`run(*words)` runs a pbx command against the lab and gives its exit code and JSON."""

    def runner(*words):
        urls = ["--send-url", lab.send_url, "--verify-url", lab.verify_url, "--ledger", str(tmp_path / "pbx.sqlite")]
        result = CliRunner().invoke(pbx, [words[0], *urls, "--json", *words[1:]], env={"YEASTAR_API_KEY": lab.key})
        assert "ysk_" not in result.output
        return result.exit_code, json.loads(result.stdout)

    return runner


@pytest.mark.parametrize("name", QUICK)
def test_ready_scenario_holds_for_the_bundled_gateway(run, lab, name):
    """What the scenario says holds for our own gateway and carrier."""
    code, (played,) = run("run", name, "--carrier-url", lab.carrier_url)
    assert [step for step in played["steps"] if step["complaints"]] == []
    assert (code, played["verdict"]) == (0, "FINE")


def test_every_persona_meets_a_gateway_that_keeps_to_the_contract(run, lab, tmp_path):
    """All kinds of senders at once: every answer is right, and no message is lost, doubled or invented."""
    mix = ",".join(PERSONAS)
    code, report = run("traffic", "--rate", "60", "--duration", "2", "--seed", "5", "--pbxs", "20", "--mix", mix)
    assert (code, report["findings"]) == (0, {})
    assert {"sent", "10001", "10002"} <= set(report["outcomes"])
    with PbxLedger(tmp_path / "pbx.sqlite") as ledger, CarrierLedger(lab.carrier_ledger) as carrier:
        account = balance(ledger.attempts(), carrier.deliveries())
    assert (account.duplicated, account.altered, account.refused_yet_delivered) == ((), (), ())


STORY = """
about: A second key works beside the first.
pbxs: {first: {}, second: {key: "${next}"}}
steps:
  - gateway: [key, issue, "${run}", --json]
    save: {next: key}
  - send: {}
  - pbx: second
    send: {}
  - wait_for: {within: 20, expect: {delivered: 2, balanced: true}}
"""


def test_lab_is_started_and_gone_afterwards(tmp_path):
    """`run --lab` brings gateway and carrier of its own, with an integration that the scenario administers."""
    (tmp_path / "story.yaml").write_text(STORY, encoding="utf-8")
    words = [sys.executable, "-m", "simulator", "pbx", "run", str(tmp_path / "story.yaml"), "--lab"]
    words += ["--ledger", str(tmp_path / "pbx.sqlite")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "FINE            story" in done.stdout
    assert "ysk_" not in done.stdout
