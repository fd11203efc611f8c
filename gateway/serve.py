"""Serves the gateway with granian: HTTP/1 only, blocking threads, each worker kept on one core."""

import atexit
import gc
import os
import resource
import signal
import socket
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from multiprocessing import Lock, util
from pathlib import Path
from typing import NoReturn

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import Server

from gateway.app import create_app
from gateway.database import initialise
from gateway.gateway import open_gateway, start_delivery
from gateway.settings import Settings

HEADERS_IN_TIME = 5000  # milliseconds a client may take for its headers, and an idle connection stays open
CONNECTIONS = 16_384  # that a worker holds at once, at about 10 kB each; those beyond wait in the kernel's queue
OWN_FILES = 256  # descriptors that are kept for the database, the carrier and the log
ENDS = {signal.SIGTERM, signal.SIGINT}


def serve(settings: Settings, host: str, port: int, workers: int, build: Callable[[], Flask]) -> None:
    """Run what `build` makes in each worker until SIGTERM or SIGINT; requests in progress are answered first.

    OSError if the port is taken. This process ends here, with exit code 0 unless a worker could not be kept alive.
    """
    with socket.create_server((host, port)):  # granian would only say so in its log
        pass
    server = Server(
        "gateway.app:create_app",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        backlog=CONNECTIONS,
        backpressure=room_for_connections(),
        http1_settings=HTTP1Settings(header_read_timeout=HEADERS_IN_TIME),
        workers=workers,
        blocking_threads=settings.threads,
        websockets=False,
        respawn_failed_workers=True,
        log_enabled=False,
    )
    code = 0
    try:
        server.serve(target_loader=partial(_begin, build, Lock() if settings.pin else None), wrap_loader=False)
    except SystemExit as end:
        code = int(end.code or 0)
    _leave(code)


def _leave(code: int) -> NoReturn:
    """End at once, without the interpreter's clean-up.

    Nothing is left to lose by then, and on a busy machine processes were seen to spin in that clean-up, alone and with
    Python's signal handlers gone, for more than 20 s, about once in a hundred times.
    """
    atexit._run_exitfuncs()  # noqa: SLF001  what asked to be told of the end is told
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _begin(build: Callable[[], Flask], one_by_one: AbstractContextManager[object] | None) -> Flask:
    """Called first in each worker process, before it has threads, so that all of them inherit the core."""
    # The handler it inherits only tells the parent's loop: a worker told to stop while it starts would never end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if one_by_one:
        with one_by_one:
            _take_a_core()
    app = build()
    gc.collect()
    gc.freeze()  # what was imported stays; looking it through again stopped everybody for 40 ms, twice a second
    return app


def _take_a_core() -> None:
    """The core that the fewest of its living siblings are on; a worker started again finds the free one."""
    taken = Counter(core for affinity in _siblings() if len(affinity) == 1 for core in affinity)
    os.sched_setaffinity(0, {min(sorted(os.sched_getaffinity(0)), key=taken.__getitem__)})


def _siblings() -> list[set[int]]:
    """The cores of each other worker of this server; none where the kernel does not tell."""
    parent = os.getppid()
    try:
        pids = map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split())
        return [os.sched_getaffinity(pid) for pid in pids if pid != os.getpid()]
    except OSError:
        return []


def room_for_connections() -> int:
    """How many connections a worker may hold, so that descriptors never run out; the soft limit is raised to the hard.

    Running out would be worse than a full queue: neither the database nor the carrier could be opened any more.
    """
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return min(CONNECTIONS, max(hard - OWN_FILES, hard // 2))


def hello() -> Flask:
    """The least that Flask can do: what `smslab load bench` compares the gateway with, on the same server."""
    app = Flask("hello", static_folder=None)

    @app.get("/")
    @app.get("/healthz")
    def greet() -> dict[str, str]:
        return {"hello": "world"}

    return app


def worker(settings: Settings, *, deliver: bool) -> Flask:
    """The gateway's app, and dispatchers that finish what they have in hand at the end."""
    gateway = open_gateway(settings)
    gateway.log.info("serving", connections=room_for_connections(), threads=settings.threads, deliver=deliver)
    if deliver:
        util.Finalize(None, start_delivery(gateway).stop, exitpriority=10)
    return create_app(gateway)


def deliver(settings: Settings) -> None:
    """Only dispatchers, until SIGTERM or SIGINT, which end this process: beside any number of `serve --no-deliver`."""
    initialise(settings.database_url)
    gateway = open_gateway(settings)
    # Waited for, not handled: a handler that sets an event is sometimes not run, or waits for itself, when the signal
    # comes just as the wait begins. All threads inherit the mask.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    delivery = start_delivery(gateway)
    signal.sigwait(ENDS)
    delivery.stop()
    gateway.close()
    _leave(0)
