"""Whole runs: real Locust processes, against a small provider and against the bundled lab."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from load.cli import load
from load.plan import Plan
from load.profiles import named
from load.record import read
from load.run import LOCUSTFILE
from simulator.lab import free_port

KEY = {"YEASTAR_API_KEY": "a-key-that-nobody-may-see"}


def smslab_load(*arguments, environ=KEY):
    """Run `smslab load ...` in this process; Locust is a process of its own all the same."""
    return CliRunner().invoke(load, [str(argument) for argument in arguments], env=environ)


EASY = """
name = "easy"
[thresholds]
late_ms = 3000
[[phases]]
name = "steady"
curve = [[2, 50, 50]]
"""


@pytest.fixture
def easy(tmp_path):
    """A profile that says nothing of speed: the machine that runs the tests may be busy."""
    (tmp_path / "easy.toml").write_text(EASY)
    return str(tmp_path / "easy.toml")


def against(provider, *arguments):
    """`load run` aimed at the small provider, with the verdict as JSON."""
    urls = ("--send-url", f"{provider.url}/send", "--verify-url", f"{provider.url}/verify")
    return smslab_load("run", *arguments, *urls, "--json")


def test_the_profiles_are_listed():
    """A person sees every profile with its length and purpose; a program gets them whole."""
    listed = smslab_load("profiles")
    assert listed.exit_code == 0
    assert all(name in listed.output for name in ("smoke", "burst", "go-live"))
    lines = smslab_load("profiles", "--json").output.splitlines()
    assert json.loads(lines[0])["name"] == "smoke"


def test_a_good_provider_holds_as_far_as_it_can_be_seen(provider, easy, tmp_path):
    """Without a carrier ledger the verdict is 4, and says what is missing; every message went out as planned."""
    result = against(provider, easy, "--peak", 100, "--directory", tmp_path / "run")
    assert result.exit_code == 4, result.output
    verdict = json.loads(result.output)
    assert [check["name"] for check in verdict["checks"] if check["passed"] is None] == ["ledger"]
    assert len(provider.taken) == 198
    assert len({body["text"] for body in provider.taken}) == 198
    assert verdict["figures"]["total"]["requests"] == 200


def test_a_wrong_envelope_is_found(provider, tmp_path):
    """A provider whose 429 is not an envelope fails, with the judge's rule in the sentence."""
    provider.quota, provider.broken = 10, b"slow down"
    result = against(provider, "burst", "--seconds", 4, "--peak", 60, "--directory", tmp_path)
    assert result.exit_code == 1, result.output
    check = json.loads(result.output)["checks"][0]
    assert (check["name"], check["passed"]) == ("envelopes", False)
    assert "YS-" in check["sentence"]


def test_a_provider_that_is_down_is_not_a_verdict(tmp_path):
    """Nobody there: the run is void, exit code 3."""
    result = smslab_load(
        *("run", "smoke", "--seconds", 1, "--directory", tmp_path, "--json"),
        *("--send-url", "http://127.0.0.1:9/send"),
    )
    assert result.exit_code == 3, result.output
    assert "never answered" in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "no-such"], "no profile 'no-such'"),
        (["run", "smoke", "--send-url", "https://sms.example/send", "--to", "+639171234567"], "i-own-this"),
        (
            ["run", "smoke", "--send-url", "https://sms.example/x", "--to", "+63917", "--i-own-this-target"],
            "max_accepted",
        ),
    ],
)
def test_wrong_use_is_one_sentence(arguments, said):
    """A command that cannot be carried out says why, without a traceback: exit code 2."""
    result = smslab_load(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_key_is_nowhere_in_what_a_run_leaves_behind(provider, tmp_path):
    """Records, reports and logs of a run do not hold the key."""
    against(provider, "smoke", "--seconds", 1, "--directory", tmp_path)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) >= 3
    assert not [text for text in kept if KEY["YEASTAR_API_KEY"].encode() in text]


def locust(plan, *arguments):
    """Plain Locust, as a person would start it, with the plan in the environment."""
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--only-summary", *arguments]
    environ = os.environ | plan.to_env()
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def plan_against(provider, directory=None, *, seconds=2, peak=50):
    """A smoke plan against the small provider."""
    profile = named("smoke").scaled(peak, seconds)
    return Plan(f"{provider.url}/send", "k", profile, "+630000000001", directory=directory)


def test_plain_locust_works_with_its_own_page_and_report(provider, tmp_path):
    """`locust -f load/locustfile.py` serves its page, plays the profile, writes its HTML report, and exits 0."""
    port = str(free_port())
    page = ("--autostart", "--autoquit", "1", "--web-host", "127.0.0.1", "--web-port", port)
    process = locust(plan_against(provider), *page, "--html", str(tmp_path / "own.html"))
    until(lambda: provider.taken)
    stats = httpx.get(f"http://127.0.0.1:{port}/stats/requests", trust_env=False).json()
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 0, output
    assert "sendmessage 200" in output
    assert stats["state"] == "running"
    assert "sendmessage 200" in (tmp_path / "own.html").read_text()
    assert len(provider.taken) == 100


def test_two_workers_are_one_run(provider, tmp_path):
    """A master and two workers send each message once and leave the records one process would have left."""
    process = locust(plan_against(provider, tmp_path), "--headless", "--processes", "2")
    output = process.communicate(timeout=30)[0]
    assert process.returncode == 0, output
    records = read(tmp_path / "records.jsonl")
    assert sorted(request.n for request in records.requests) == list(range(100))
    assert records.event("start")["processes"] == len(list(records.of_kind("share"))) == 2
    assert len(provider.taken) == 100


def until(condition, seconds=15):
    """Wait for a condition, up to a deadline."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_load_within_a_second_and_still_gives_a_verdict(number, provider, tmp_path):
    """After Ctrl-C or SIGTERM nothing more reaches the provider, the records are judged, nothing is left running."""
    command = [sys.executable, "-m", "simulator", "load", "run", "steady", "--directory", str(tmp_path)]
    with subprocess.Popen(
        [*command, "--send-url", f"{provider.url}/send", "--json"],
        env=os.environ | KEY,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        until(lambda: len(provider.taken) > 20)
        process.send_signal(number)
        pressed = time.monotonic()
        until(lambda: not Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(), seconds=3)
        assert time.monotonic() - pressed < 2
        reached = len(provider.taken)
        verdict = json.loads(process.communicate(timeout=20)[0])
    assert process.returncode == 3
    assert verdict["void"] == ["The run was stopped before its end."]
    assert len(provider.taken) == reached <= verdict["figures"]["total"]["requests"]
    assert read(tmp_path / "records.jsonl").event("end")


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


def test_the_bundled_lab_holds(tmp_path):
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


def test_a_staging_system_with_a_fake_carrier_is_balanced_too(lab, easy, tmp_path):
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


def test_a_master_and_two_workers_come_to_the_verdict_of_one_process(lab, easy, tmp_path):
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
