"""The page on running the gateway: its commands run, its settings are all there, its nginx recipe does what it says."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import httpx
import pytest

from gateway.contract import SEND_PATH, VERIFY_PATH
from gateway.serve import HEADERS_IN_TIME
from gateway.settings import Settings, variable
from simulator.lab import Lab, free_port
from tests.servers.conftest import until

DOCS = Path(__file__).parents[2] / "gateway" / "docs"
PAGE = (DOCS / "operations.md").read_text(encoding="utf-8")


def test_the_commands_of_the_page_run(tmp_path):
    """Typed one after the other in an empty folder, each command of the page succeeds."""
    environ = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    for line in re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE):
        subprocess.run(shlex.split(line), cwd=tmp_path, env=environ, check=True, capture_output=True)


def test_every_setting_is_on_the_page():
    """Each setting is in the table with its meaning."""
    for setting in fields(Settings):
        assert re.search(rf"`{variable(setting.name)}` \|.*\| {re.escape(setting.metadata['help'])} \|", PAGE)


@pytest.fixture
def proxied(lab: Lab, tmp_path: Path) -> Iterator[str]:
    """The recipe in front of the lab's gateway; its address."""
    if shutil.which("nginx", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    port = free_port()
    recipe = (DOCS / "nginx.conf").read_text(encoding="utf-8")
    recipe = recipe.replace("127.0.0.1:8080", f"127.0.0.1:{lab.gateway_port}").replace("8088", str(port))
    (tmp_path / "nginx.conf").write_text(recipe, encoding="utf-8")
    command = ["nginx", "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    environ = os.environ | {"PATH": f"/usr/sbin:{os.environ['PATH']}"}
    with subprocess.Popen(command, env=environ, stderr=subprocess.DEVNULL) as process:
        try:
            until(lambda: listens(port))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def listens(port: int) -> bool:
    """Whether somebody does at this port."""
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def test_slow_bodies_hold_nobody_up_behind_nginx(proxied, lab):
    """With eighty clients that never finish their bodies, another one is verified at once."""
    port = int(proxied.rsplit(":", 1)[1])
    head = f"POST {SEND_PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {lab.key}\r\nContent-Length: 100\r\n\r\n{{"
    slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(80)]
    try:
        for line in slow:
            line.sendall(head.encode())
        headers = {"Authorization": f"Bearer {lab.key}"}
        answer = httpx.get(f"{proxied}{VERIFY_PATH}", headers=headers, timeout=2, trust_env=False)
    finally:
        for line in slow:
            line.close()

    assert answer.status_code == 200


def test_nginx_gives_an_idle_connection_up_before_the_gateway_does(proxied, lab):
    """A connection that is closed just when it is used again would cost a message: nginx must not offer it twice."""
    seconds = re.search(r"keepalive_timeout (\d+)s", (DOCS / "nginx.conf").read_text(encoding="utf-8"))
    assert 0 < int(seconds[1]) * 1000 < HEADERS_IN_TIME
    with socket.create_connection(("127.0.0.1", lab.gateway_port), timeout=HEADERS_IN_TIME / 500) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        opened = time.monotonic()
        while line.recv(4096):
            pass
    assert time.monotonic() - opened > int(seconds[1])
    assert httpx.get(f"{proxied}/healthz", trust_env=False).status_code == 200


def test_what_nginx_refuses_is_an_envelope(proxied, lab):
    """A body too large for nginx is answered in the contract's words as well."""
    headers = {"Authorization": f"Bearer {lab.key}", "Content-Type": "application/json"}

    answer = httpx.post(f"{proxied}{SEND_PATH}", content=b" " * 2_000_000, headers=headers, trust_env=False)

    assert json.loads(answer.content)["errors"][0]["code"] == "10002"
