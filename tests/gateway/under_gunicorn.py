"""The gateway under gunicorn, on the port of the first argument: a second server for the same app."""

import os
import subprocess
import sys
from contextlib import contextmanager
from time import monotonic

import httpx
from gunicorn.app.base import BaseApplication

from gateway.app import create_app
from gateway.gateway import open_gateway
from gateway.settings import from_env
from simulator.lab import free_port


class Application(BaseApplication):
    """gunicorn's own way to be started from code."""

    def load_config(self):
        """Threads, one worker, loopback."""
        chosen = {"bind": f"127.0.0.1:{sys.argv[1]}", "threads": 4, "worker_class": "gthread", "loglevel": "error"}
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self):
        """The app of one worker."""
        return create_app(open_gateway(from_env(os.environ)))


@contextmanager
def gunicorn_on(environ):
    """A process of it in this environment, on a free port: its URL, as soon as it answers."""
    port = free_port()
    command = [sys.executable, __file__, str(port)]
    process = subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL)
    url, end = f"http://127.0.0.1:{port}", monotonic() + 60
    while not _answers(url):
        assert process.poll() is None, "gunicorn did not start"
        assert monotonic() < end, "gunicorn does not answer"
    yield url
    process.terminate()
    process.wait(30)


def _answers(url):
    try:
        return httpx.get(f"{url}/healthz", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


if __name__ == "__main__":
    Application().run()
