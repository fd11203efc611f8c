"""The console as a process: started by a command, fed while it serves, stopped without a trace."""

import subprocess
from threading import Event

import httpx
import psutil
import pytest
from click.testing import CliRunner

from simulator.console.cli import console
from simulator.lab import CONSOLE, SMSLAB, Lab, free_port, running_lab
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.world import until


@pytest.fixture
def directory(tmp_path):
    """A directory with a target file, as for a provider that is only a URL."""
    (tmp_path / "key").write_text("ysk_x")
    (tmp_path / "lab.toml").write_text('send_url = "http://127.0.0.1:9/send"\nkey_file = "key"\n')
    return tmp_path


def test_a_console_starts_follows_and_stops(directory):
    """What is written beside the target file appears within a second or two; afterwards nothing is left running."""
    lab = Lab(directory, 0, 0, {}, console_port=free_port())
    lab.start(CONSOLE, "--lab", str(directory / "lab.toml"))
    family = [psutil.Process(lab.pid(CONSOLE)), *psutil.Process(lab.pid(CONSOLE)).children(recursive=True)]
    listening = {line.laddr.ip for one in family for line in one.net_connections() if line.status == "LISTEN"}
    with PbxLedger(directory / "pbx.sqlite") as ledger:
        ledger.open("manual", "+1", "+639171234567", "seen while it runs", 1.0)

    for _ in until(Event(), 10):
        page = httpx.get(lab.console_url, trust_env=False)
        if "seen while it runs" in page.text:
            break
    lab.end(CONSOLE)

    assert "seen while it runs" in page.text
    assert page.headers["server"] == "Yeastar SMS Lab console (simulator)"
    assert listening == {"127.0.0.1"}
    assert not psutil.wait_procs(family, timeout=5)[1]
    assert "Traceback" not in (directory / "console.log").read_text()


def test_a_lab_with_a_console_is_stopped_as_one(tmp_path):
    """Gateway, carrier and console are parts of a lab, and all end with it."""
    with running_lab(tmp_path) as lab:
        lab.console_port = free_port()
        (tmp_path / "key").write_text(lab.key)
        (tmp_path / "lab.toml").write_text(f'send_url = "{lab.send_url}"\nkey_file = "key"\n')
        lab.start(CONSOLE, "--lab", str(tmp_path / "lab.toml"))
        parts = dict(lab.processes)

    assert {name: part.poll() for name, part in parts.items()}.keys() == {"carrier", "gateway", "console"}
    assert all(part.poll() is not None for part in parts.values())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--host", "192.0.2.7"), "needs a token (--token-file)"),
        (("--lab", "nowhere.toml"), "does not exist"),
        (("--port", "0"), "not in the range"),
    ],
)
def test_what_cannot_be_started_is_said(options, sentence, directory):
    """A console that would stand open, or has nothing to show, does not start: one sentence, exit code 2."""
    result = CliRunner().invoke(console, ["--lab", str(directory / "lab.toml"), *options], env={"COLUMNS": "200"})

    assert result.exit_code == 2
    assert sentence in result.output


def test_a_busy_port_is_said(directory):
    """A port that somebody has is one sentence too, and the key is in none of what is printed."""
    port = str(free_port())
    first = subprocess.Popen(
        [*SMSLAB, "console", "--lab", "lab.toml", "--port", port], cwd=directory, stdout=subprocess.PIPE, text=True
    )
    try:
        for _ in until(Event(), 20):
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False)
                break
            except httpx.HTTPError:
                continue
        second = subprocess.run(
            [*SMSLAB, "console", "--lab", "lab.toml", "--port", port],
            cwd=directory, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        first.terminate()
        said, _ = first.communicate(timeout=20)

    assert second.returncode == 2
    assert "Address already in use" in second.stderr
    assert "Traceback" not in second.stderr
    assert "ysk_x" not in said + second.stdout + second.stderr
