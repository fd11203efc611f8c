"""`smslab carrier` as a process and as commands: it starts, is broken and mended from outside, and stops cleanly."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from simulator.carrier.cli import carrier
from simulator.ledger.carrier import CarrierLedger

SMSLAB = [sys.executable, "-c", "from simulator.cli import main; main()", "carrier"]
MESSAGE = {"from": "FUTURESMS", "to": "+639170000001", "text": "hi", "encoding": "GSM-7", "segments": 1}


@contextmanager
def served(directory, *options, **environ):
    """A carrier process on a free port; gives the process and its URL, which it prints when it listens."""
    process = subprocess.Popen(
        [*SMSLAB, "serve", "--port", "0", "--ledger", str(directory / "carrier.sqlite"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environ},
    )
    with process:
        try:
            yield process, next(word for word in process.stdout.readline().split() if "://" in word).rstrip(",")
        finally:
            process.kill()


def run(url, *words, **environ):
    """One command against the carrier at `url`."""
    return CliRunner(env={"SMSLAB_CARRIER_URL": url, **environ}).invoke(carrier, [str(word) for word in words])


def test_what_was_answered_survives_kill_nine(tmp_path):
    """Every message answered 200 is in the ledger after kill -9, and its key is still known after a restart."""
    batch = {"messages": [{**MESSAGE, "key": f"K{n}"} for n in range(100)]}
    with served(tmp_path) as (process, url):
        first = httpx.post(f"{url}/v1/messages", json=batch, trust_env=False).json()["results"]
        process.kill()
        process.wait()
    with CarrierLedger(tmp_path / "carrier.sqlite") as ledger:
        assert [delivery.key for delivery in ledger.deliveries()] == [f"K{n}" for n in range(100)]
    with served(tmp_path) as (process, url):
        again = httpx.post(f"{url}/v1/messages", json=batch, trust_env=False).json()["results"]
    assert again == first


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly(tmp_path, stop):
    """SIGTERM and Ctrl-C end it with exit 0 and without a word on stderr, kept connections or not."""
    with served(tmp_path) as (process, url), httpx.Client(base_url=url, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)
    assert (process.returncode, errors) == (0, "")


def test_a_busy_port_is_one_sentence(tmp_path):
    """Exit 2, and the sentence names host and port."""
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        result = run("", "serve", "--port", port, "--ledger", tmp_path / "carrier.sqlite")
    assert result.exit_code == 2
    assert f"Cannot listen on 127.0.0.1 port {port}: Address already in use." in result.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--receipts-url", "http://127.0.0.1:1/"], "SMSLAB_RECEIPT_SECRET"),
        (["--receipts-url", "gateway"], "Receipts cannot go to 'gateway'"),
        (["--receipt-profile", "sunny"], "No receipt profile 'sunny': delivered, mixed"),
        (["--receipt-profile", "PROFILE"], "'share'"),
        (["--schedule", "SCHEDULE"], "No fault is called 'flood'"),
        (["--port", "99999999"], "Cannot listen"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(tmp_path, options, words):
    """Exit 2, no traceback, and nothing is left listening."""
    (tmp_path / "PROFILE").write_text("share: {}")
    (tmp_path / "SCHEDULE").write_text("kind: flood")
    files = [str(tmp_path / option) if Path(tmp_path / option).is_file() else option for option in options]
    result = run(
        "",
        "serve",
        "--port",
        "0",
        "--ledger",
        tmp_path / "carrier.sqlite",
        *files,
        SMSLAB_RECEIPT_SECRET="" if "127" in options[1] else "x",
    )
    assert result.exit_code == 2
    assert words in result.stderr


def test_it_can_be_broken_and_mended_from_the_command_line(tmp_path):
    """add, list, clear, reset and messages, for people and as JSON."""
    schedule = tmp_path / "phases.yaml"
    schedule.write_text("phases:\n- seconds: 5\n  faults:\n  - kind: outage\n")
    with served(tmp_path, "--seed", "7") as (_, url):
        added = run(url, "fault", "add", "refuse", "status=500", "--scope", "to=+639170000001", "--ttl", "60", "--json")
        assert json.loads(added.stdout)["scope"] == {"to": "+639170000001"}
        assert httpx.post(f"{url}/v1/messages", json=MESSAGE, trust_env=False).status_code == 500
        assert "hit once" in run(url, "fault", "list").stdout
        assert run(url, "fault", "clear", "1").stdout == "Cleared: 1.\n"
        assert httpx.post(f"{url}/v1/messages", json=MESSAGE, trust_env=False).status_code == 200
        assert json.loads(run(url, "messages", "--json").stdout)["to"] == "+639170000001"
        assert "+639170000001" in run(url, "messages").stdout
        assert "┃" in run(url, "messages", FORCE_COLOR="1").stdout
        assert "phase 1" in run(url, "fault", "add", "--schedule", schedule).stdout
        assert run(url, "reset").stdout == "Cleared: 1.\n"
        assert json.loads(run(url, "fault", "list", "--json").stdout)["faults"] == []


@pytest.mark.parametrize(
    ("url", "words", "code", "sentence"),
    [
        ("http://127.0.0.1:1", ["reset"], 3, "No fake carrier answers at http://127.0.0.1:1."),
        ("http://192.0.2.1", ["reset"], 2, "not this machine"),
        ("http://127.0.0.1:1", ["fault", "add"], 2, "Give a kind of fault or a --schedule."),
        ("http://127.0.0.1:1", ["fault", "add", "refuse", "503"], 2, "'503' is not name=value."),
        ("http://127.0.0.1:1", ["fault", "add", "refuse", "body=["], 2, "cannot be read"),
    ],
)
def test_commands_fail_with_one_sentence(url, words, code, sentence):
    """Exit 2 for what was asked wrong, 3 when nobody answers; never a traceback."""
    result = run(url, *words)
    assert result.exit_code == code
    assert sentence in result.stderr


def test_a_wrong_fault_is_a_usage_error(tmp_path):
    """The carrier's own sentence, exit 2."""
    with served(tmp_path) as (_, url):
        result = run(url, "fault", "add", "flood")
    assert result.exit_code == 2
    assert "No fault is called 'flood'" in result.stderr


def test_receipts_leave_the_process(tmp_path):
    """With a URL and a secret the process hands receipts over by itself."""
    with socket.create_server(("127.0.0.1", 0)) as gateway:
        gateway.settimeout(10)
        target = f"http://127.0.0.1:{gateway.getsockname()[1]}/carrier/receipts"
        options = ["--receipts-url", target, "--receipt-profile", "delivered"]
        with served(tmp_path, *options, SMSLAB_RECEIPT_SECRET="secret") as (_, url):
            httpx.post(f"{url}/v1/messages", json=MESSAGE, headers={"Idempotency-Key": "K"}, trust_env=False)
            line, _ = gateway.accept()
            with line:
                line.settimeout(10)
                data = line.recv(65536)
                line.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert data.startswith(b"POST /carrier/receipts HTTP/1.1")
    assert b"sha256=" in data
