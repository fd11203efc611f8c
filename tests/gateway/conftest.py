"""What the gateway's tests share: desks with other settings, the envelope's rule, and a second server to judge by."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import monotonic

import httpx
import pytest

from contracts import spec
from contracts.judge import Answer, judge_answer
from gateway.settings import Settings
from simulator.lab import free_port
from tests.conftest import open_desk


def assert_envelope(response, status, code):
    """The answer is the refusal `code` with this status, and the contract's judge finds nothing wrong with it."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    body = getattr(response, "data", None) or response.content
    assert (response.status_code, headers["content-type"]) == (status, "application/json")
    [error] = json.loads(body)["errors"]
    assert error | {"detail": ""} == {"code": code, "title": spec.error_codes()[code].title, "detail": ""}
    assert error["detail"].strip()
    operation = "sendmessage" if status not in {404, 405} else ""
    findings = judge_answer(operation, "POST", Answer(status, headers, body))
    assert [finding for finding in findings if status not in {404, 405}] == []
    return error["detail"]


@pytest.fixture
def refused():
    """The one check of a refusal: `refused(response, status, code)` gives its detail."""
    return assert_envelope


@pytest.fixture
def desks(tmp_path):
    """Desks with settings of their own: `desks(backlog_cap=1)`; all share the test's one database."""
    opened = []

    def desk(**settings):
        settings.setdefault("database_url", f"sqlite:///{tmp_path / 'gateway.sqlite'}")
        opened.append(open_desk(Settings(**settings)))
        return opened[-1]

    yield desk
    for one in opened:
        one.gateway.close()


def answers(url):
    """Whether the process behind the URL is up."""
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="session")
def gunicorn(lab):
    """The lab's gateway once more, on the same database, under gunicorn: its URL."""
    port, script = free_port(), Path(__file__).with_name("under_gunicorn.py")
    command = [sys.executable, str(script), str(port)]
    process = subprocess.Popen(command, env={**os.environ, **lab.environ}, stdout=subprocess.DEVNULL)
    url, end = f"http://127.0.0.1:{port}", monotonic() + 30
    while not answers(url):
        assert process.poll() is None, "gunicorn did not start"
        assert monotonic() < end, "gunicorn does not answer"
    yield url
    process.terminate()
    process.wait(10)


@pytest.fixture(params=["granian", "gunicorn"])
def server(request, lab):
    """The gateway's URL under each of the two servers."""
    return lab.gateway_url if request.param == "granian" else request.getfixturevalue("gunicorn")
