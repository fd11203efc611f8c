"""Whole runs: real Locust processes against a small provider."""

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


def test_a_wrong_envelope_is_found(provider, easy, tmp_path):
    """A provider whose 429 is not an envelope fails, with the judge's rule in the sentence."""
    provider.quota, provider.broken = 10, b"slow down"
    result = against(provider, easy, "--directory", tmp_path / "run")
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
