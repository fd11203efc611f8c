"""The gateway under gunicorn, on the port of the first argument: a second server for the same app."""

import os
import sys

from gunicorn.app.base import BaseApplication

from gateway.app import create_app
from gateway.gateway import open_gateway
from gateway.settings import from_env


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


if __name__ == "__main__":
    Application().run()
