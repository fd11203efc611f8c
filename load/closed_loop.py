"""A closed loop of connections that send as fast as they are answered: wrk where it is installed, else a plain client.

For ceilings and ratios only. Whether a system holds under real traffic is asked with an open model (`generator.py`).
"""

import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from simulator.lab import on_core

SCRIPT = Path(__file__).with_name("send.lua")
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


class Sample(NamedTuple):
    """What one loop saw. Latencies in milliseconds."""

    requests: int
    per_second: float
    p50: float
    p99: float
    refused: int  # answers that were not 200


def client_name() -> str:
    """The client that will be used, for the report."""
    return "wrk" if shutil.which("wrk") else "the bundled client (install wrk for higher ceilings)"


def loop(url: str, connections: int, seconds: float, core: int, key: str = "") -> Sample:
    """Load one URL: GET it, or with a key POST messages to it."""
    if shutil.which("wrk"):
        return _wrk(url, connections, seconds, core, key)
    return _plain(url, connections, seconds, core, key)


def _wrk(url: str, connections: int, seconds: float, core: int, key: str) -> Sample:
    script = ["-s", str(SCRIPT)] if key else []
    command = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--latency", *script, url]
    environ = {**os.environ, "YEASTAR_API_KEY": key, "SMSLAB_FIRST": str(time.monotonic_ns() // 100_000 % 10_000_000)}
    with on_core(core):
        printed = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout
    quantiles = {q: float(v) * UNITS[u] for q, v, u in re.findall(r"(50|99)%\s+([\d.]+)(us|ms|s)", printed)}
    done, took = _found(r"(\d+) requests in", printed), _found(r"Requests/sec:\s+([\d.]+)", printed)
    refused = _found(r"Non-2xx or 3xx responses: (\d+)", printed)
    return Sample(int(done), took, quantiles["50"], quantiles["99"], int(refused))


def _found(pattern: str, text: str) -> float:
    match = re.search(pattern, text)
    return float(match[1]) if match else 0.0


def _plain(url: str, connections: int, seconds: float, core: int, key: str) -> Sample:
    end, numbers = time.monotonic() + seconds, count()
    with on_core(core), ThreadPoolExecutor(connections) as pool:
        seen = [one for part in pool.map(lambda _: _talk(url, end, numbers, key), range(connections)) for one in part]
    times = sorted(took for took, _ in seen)
    return Sample(
        requests=len(times),
        per_second=len(times) / seconds,
        p50=times[len(times) // 2] * 1000,
        p99=times[len(times) * 99 // 100] * 1000,
        refused=sum(status != 200 for _, status in seen),
    )


def _talk(url: str, end: float, numbers: "count[int]", key: str) -> list[tuple[float, int]]:
    parts, seen = urlsplit(url), []
    connection = HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
    while (start := time.monotonic()) < end:
        body = (
            f'{{"from":"+630000000001","to":"+63917{next(numbers):07}","text":"Hello from Yeastar"}}' if key else None
        )
        connection.request("POST" if key else "GET", parts.path or "/", body, headers)
        response = connection.getresponse()
        response.read()
        seen.append((time.monotonic() - start, response.status))
    connection.close()
    return seen
