"""Prism as a judge of every answer in a HAR report: each is played to its proxy, which notes what it finds wrong.

Prism itself leaves some of the suite's hostile requests without any answer, so it does not stand in front of a
gateway: behind it stands a player of recorded answers, asked for each by number with a plain request.
"""

import json
import socket
import subprocess
from collections import Counter
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import httpx

from contracts import spec
from contracts.serving import serving
from simulator.lab import free_port
from tests.contracts.opinions.recorded import RIGHT, UNKNOWN, Answer, answers, spoiled, verdict

HOPS = {"connection", "transfer-encoding", "content-length", "keep-alive", "date", "server"}
DEADLINE = 60  # seconds


def player(given: list[Answer]):
    """A WSGI application that gives the answer whose number the request names."""

    def play(environ, start):
        answer = given[int(environ.get("HTTP_X_RECORDED", "0"))]
        start(f"{answer.status} Recorded", [item for item in answer.headers.items() if item[0] not in HOPS])
        return [answer.text.encode()]

    return play


@contextmanager
def proxy(prism: Path, document: Path, upstream: str, log: Path):
    """Prism between us and the upstream, in header mode: its URL."""
    port = free_port()
    command = [prism, "proxy", document, upstream, "--port", str(port), "--validate-request=false"]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    end = monotonic() + DEADLINE
    while process.poll() is None and monotonic() < end:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            break
        sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(DEADLINE)


def opinion(client: httpx.Client, number: int, answer: Answer) -> str:
    """What Prism says of one answer: of the operation at its path, whatever the request's method was."""
    route = next((one for one in spec.routes() if one.path == answer.path), None)
    if route is None:
        return UNKNOWN
    body = spec.page_example() if route.method == "POST" else None
    headers = {"X-Recorded": str(number), "Authorization": "Bearer nobody's"}
    done = client.request(route.method, route.path, json=body, headers=headers)
    if done.status_code != answer.status:
        return f"{answer.status} {route.operation}: Prism answers {done.status_code} itself"
    found = [one for one in json.loads(done.headers.get("sl-violations", "[]")) if one["location"][0] == "response"]
    return f"{answer.status} {route.operation}: {found[0]['message']}"[:300] if found else RIGHT


def judge(prism: Path, document: Path, har: Path, log: Path) -> tuple[bool, str]:
    """Whether Prism finds every answer right, and spoiled ones not; and its tally."""
    given = answers(har)
    with (
        serving(player(given + (bad := spoiled(given)))) as upstream,
        proxy(prism, document, upstream, log) as url,
        httpx.Client(base_url=url, timeout=10, trust_env=False) as client,
    ):
        said = [opinion(client, number, answer) for number, answer in enumerate(given + bad)]
    right, tally = verdict(Counter(said[: len(given)]))
    return right and not verdict(Counter(said[len(given) :]))[0], tally
