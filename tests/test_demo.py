"""The demo as a stranger sees it: everything holds, the report is kept, and Ctrl-C leaves nothing running."""

import json
import os
import signal
import socket
import subprocess
from pathlib import Path

import psutil
import pytest

from simulator.lab import SMSLAB, free_port, running_lab
from tests.servers.conftest import until


@pytest.fixture
def started(tmp_path: Path):
    """Start a command in an empty folder; whatever is left of it is ended."""
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*SMSLAB, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


def descendants(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Everything the command has started."""
    return psutil.Process(process.pid).children(recursive=True)


def test_the_demo_holds(started, tmp_path):
    """Every step is ok, and what was printed is kept as a page and as JSON."""
    demo = started("demo", "--directory", "kept")
    printed, complaints = demo.communicate(timeout=240)

    report = json.loads((tmp_path / "kept" / "report.json").read_text())
    assert (demo.returncode, report["ok"], complaints) == (0, True, ""), printed
    assert [step["name"] for step in report["steps"]] == [
        *("start", "verify", "send", "contract", "reconcile", "load burst", "load outage")
    ]
    assert "7 of 7 codes" in printed
    assert "Everything held." in (tmp_path / "kept" / "report.html").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("command", ["demo", "up"])
def test_stopping_leaves_nothing_running(command, number, started):
    """Ctrl-C or SIGTERM in the middle ends the command and everything it has started."""
    options = ("--port", "--carrier-port", "--console-port") if command == "up" else ()
    process = started(command, *(word for option in options for word in (option, str(free_port()))))
    until(lambda: len(descendants(process)) >= 3)
    children = descendants(process)

    process.send_signal(number)
    _, complaints = process.communicate(timeout=60)

    assert "Traceback" not in complaints
    assert not psutil.wait_procs(children, timeout=5)[1]


def test_a_second_lab_on_a_busy_port_says_so(started):
    """`smslab up` on a port that is taken ends with one sentence and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = started("up", "--no-console", "--port", str(taken.getsockname()[1]))
        _, complaints = process.communicate(timeout=60)

    assert process.returncode == 2
    assert complaints.startswith("Error: Cannot listen on 127.0.0.1:")
    assert len(complaints.splitlines()) == 1


def test_a_lab_that_is_started_again_obeys_its_options(tmp_path):
    """In a directory that had a lab before, the rate is the one that was asked for now, and the key is a new one."""
    with running_lab(tmp_path, rate=50) as lab:
        first = lab.key
    with running_lab(tmp_path, rate=7) as lab:
        assert lab.key != first
        assert "7/s" in lab.smslab("gateway", "integration", "list")


def test_nothing_listens_beyond_loopback(lab):
    """The lab's processes listen on 127.0.0.1 only."""
    parts = [psutil.Process(lab.pid(part)) for part in ("gateway", "carrier")]
    family = [process for part in parts for process in (part, *part.children(recursive=True))]
    listening = {line.laddr.ip for process in family for line in process.net_connections() if line.status == "LISTEN"}

    assert listening == {"127.0.0.1"}
    assert os.getpid() not in [process.pid for process in family]
