"""A power cut loses nothing that was answered with 200; and the checks that say so can fail."""

import http.client
import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from contracts import spec
from simulator.lab import GATEWAY, SMSLAB, Lab, free_port
from tests.chaos.powercut import STRACE, events, rebuild, unsynced_acks

MESSAGES = 160
IMAGES = 2000  # at least so many states are rebuilt
pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def traced(folder, unsafe):
    """The file events and acknowledgements of a gateway under strace, and its files before the first of them."""
    lab = Lab(folder, free_port(), free_port(), environ={})
    lab.environ = {
        **os.environ,
        "SMSLAB_DATABASE_URL": lab.database_url,
        "SMSLAB_CARRIER_URL": lab.carrier_url,
        "SMSLAB_UNSAFE_DURABILITY": str(int(unsafe)),
    }
    lab.key = lab.integration("Lab", "--rate", "100000")
    database = folder / "gateway.sqlite"
    start = {name: bytearray(Path(f"{database}{name}").read_bytes()) for name in ("",)}
    serve = [*STRACE, str(folder / "trace"), *SMSLAB, "gateway", "serve", "--port", str(lab.gateway_port)]
    with (folder / "gateway.log").open("wb") as log:
        lab.processes[GATEWAY] = subprocess.Popen(
            [*serve, "--no-deliver"], env=lab.environ, stdout=log, stderr=log, start_new_session=True
        )
        try:
            lab.await_answer(GATEWAY)
            send(lab)
        finally:
            lab.end(GATEWAY, signal.SIGKILL)
    return list(events(folder / "trace", database)), start


def send(lab):
    """One message after the other, each accepted."""
    line = http.client.HTTPConnection("127.0.0.1", lab.gateway_port, timeout=20)
    headers = {"Authorization": f"Bearer {lab.key}", "Content-Type": "application/json"}
    for number in range(MESSAGES):
        body = spec.page_example() | {"text": f"message {number}"}
        line.request("POST", spec.route("sendmessage").path, json.dumps(body), headers)
        answer = line.getresponse()
        assert (answer.status, answer.read()[:7]) == (200, b'{"data"')
    line.close()


@pytest.fixture(scope="module", params=[False, True], ids=["durable", "unsafe"])
def run(request, tmp_path_factory):
    """One traced run, with the default durability or with none."""
    return request.param, *traced(tmp_path_factory.mktemp("traced"), request.param)


def test_no_200_leaves_before_its_data_is_synced(run):
    """Every acknowledgement is sent with a clean write-ahead log; without fsync none is, and the check says so."""
    unsafe, history, _ = run
    early = unsynced_acks(history)
    assert sum(event.kind == "ack" for event in history) == MESSAGES
    assert len(early) == (MESSAGES if unsafe else 0), early[:3]


def test_every_disk_state_a_power_cut_may_leave_holds_what_was_acknowledged(run, tmp_path):
    """Thousands of rebuilt states open and hold every acknowledged order; without fsync most of them do not."""
    unsafe, history, start = run
    shm = Path("/dev/shm")  # noqa: S108  a folder of our own in it, for speed
    folder = shm / f"smslab-images-{os.getpid()}" if shm.is_dir() else tmp_path
    folder.mkdir(exist_ok=True)
    try:
        verdict = rebuild(history, start, folder, seed=1)
    finally:
        shutil.rmtree(folder)
    assert verdict.images >= IMAGES
    if unsafe:
        assert len(verdict.wrong) > IMAGES // 2
    else:
        assert not verdict.wrong, verdict.wrong[:3]
