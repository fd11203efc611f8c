"""Whole runs against real gateways and carriers: the bundled lab, a staging system, one process and several."""

import json
import os
import subprocess
import sys

from simulator.lab import free_port

BOTH = """
name = "both"
key_rate = 60
polite = 0.2
[thresholds]
late_ms = 3000
[[phases]]
name = "calm"
curve = [[1, 20, 20]]
[[phases]]
name = "burst"
curve = [[1.5, 300, 300]]
codes = ["10006"]
least = 100
[[phases]]
name = "after"
curve = [[1, 20, 20]]
[[phases]]
name = "outage"
curve = [[2, 50, 50]]
fault = {kind = "outage", params = {}}
codes = ["10007", "10006"]
[[phases]]
name = "recovery"
curve = [[3, 20, 20]]
"""


def test_the_bundled_lab_holds(smslab_load, tmp_path):
    """The bundled gateway is driven into 429 and into 500; every answer is right, and the ledgers balance."""
    (tmp_path / "both.toml").write_text(BOTH)
    result = smslab_load("run", tmp_path / "both.toml", "--directory", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    verdict = json.loads(result.output)
    outcomes = verdict["figures"]["total"]["outcomes"]
    assert outcomes["429/10006"] >= 100
    assert outcomes["500/10007"] >= 20
    assert {check["name"] for check in verdict["checks"]} >= {"ledger", "backlog drained", "envelopes"}
    assert sum(row["refused"] for row in verdict["figures"]["series"]) > 0
    assert verdict["figures"]["memory"][-1][1] > 10


def test_a_staging_system_with_a_fake_carrier_is_balanced_too(smslab_load, lab, easy, tmp_path):
    """A target file that names its carrier gets faults and the ledger; its budget is kept to the message."""
    (tmp_path / "key").write_text(lab.key)
    (tmp_path / "staging.toml").write_text(
        f'send_url = "{lab.send_url}"\nkey_file = "key"\nto = "+639171234567"\nmax_accepted = 31\n'
        f'[carrier]\nurl = "{lab.carrier_url}"\n'
    )
    arguments = ("run", easy, "--target", tmp_path / "staging.toml", "--json")
    result = smslab_load(*arguments, "--directory", tmp_path / "run", environ={})
    assert result.exit_code == 4, result.output
    verdict = json.loads(result.output)
    assert [check["name"] for check in verdict["checks"] if check["passed"] is None] == ["budget"]
    assert "69 messages were not sent" in result.output
    assert verdict["figures"]["total"]["outcomes"] == {"200": 31}
    assert "Of 31 sent: 31 delivered once" in result.output


def test_a_master_and_two_workers_come_to_the_verdict_of_one_process(smslab_load, lab, easy, tmp_path):
    """Started by hand on their own, workers get the plan from the master; messages, ledger, verdict are the same."""
    target = ("--send-url", lab.send_url, "--to", "+639171234567", "--json")
    port = str(free_port())
    environ = os.environ | {"YEASTAR_API_KEY": lab.key}
    smslab = [sys.executable, "-m", "simulator", "load", "run"]
    worker = [*smslab, easy, *target, "--", "--worker", "--master-port", port]
    workers = [subprocess.Popen(worker, env=environ) for _ in range(2)]
    extra = ("--", "--master", "--master-bind-port", port, "--expect-workers", "2")
    apart = smslab_load("run", easy, *target, "--seed", "2", *where(tmp_path / "a"), *extra, environ=environ)
    assert [process.wait(20) for process in workers] == [0, 0]
    together = smslab_load("run", easy, *target, "--seed", "2", *where(tmp_path / "b"), environ=environ)
    one, two = (json.loads(result.output) for result in (together, apart))
    assert two["figures"]["generator"]["processes"] == 2
    assert one["figures"]["total"]["outcomes"] == two["figures"]["total"]["outcomes"] == {"200": 100}
    assert [check["name"] for check in one["checks"]] == [check["name"] for check in two["checks"]]
    assert one["exit_code"] == two["exit_code"] == 4


def where(directory):
    """The option that names the run's directory."""
    return ("--directory", str(directory))
