"""The console as a process: granian in front, one worker, and the follower beside it in the same worker."""

import socket
from functools import partial
from multiprocessing import util
from time import time

import click
from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server import Server

from simulator.console.app import create_app
from simulator.console.follower import Follower
from simulator.console.projection import Projection
from simulator.console.settings import Settings

THREADS = 32  # pages answer at once; `/api/wait` holds one for as long as it waits


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. OSError if the port is taken."""
    with socket.create_server((settings.host, settings.port)):  # granian would only say so in its log
        pass
    click.echo(f"Console (simulator) on {settings.url}. Ctrl-C ends it.")
    Server(
        "simulator.console.app:create_app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=1,
        blocking_threads=THREADS,
        websockets=False,
        respawn_failed_workers=True,
        log_enabled=False,
    ).serve(target_loader=partial(worker, settings), wrap_loader=False)


def worker(settings: Settings) -> Flask:
    """The app and what feeds it, in the worker's own process."""
    projection = Projection(settings.lab.index)
    follower = Follower(settings.lab, projection, time)
    follower.start()
    util.Finalize(None, projection.close, exitpriority=5)
    util.Finalize(None, follower.stop, exitpriority=10)
    app = create_app(settings, projection)
    util.Finalize(None, app.extensions["runs"].close, exitpriority=15)
    return app
