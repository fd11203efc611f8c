"""A served gateway as a process of its own, on a database of its own: what a test starts, asks and stops."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic

import httpx
import psutil

from contracts import spec
from gateway.administration import add_integration
from gateway.database import initialise, open_database
from simulator.lab import free_port

SEND = spec.route("sendmessage").path


def until(holds, seconds=20):
    """Poll until it holds."""
    end = monotonic() + seconds
    while not holds():
        assert monotonic() < end, "it never came to that"


class Served:
    """A gateway process on a database of its own; `descriptors` is how many files it may have open."""

    def __init__(self, directory, *options, descriptors=None, **variables):
        self.path, self.port = directory / "gateway.sqlite", free_port()
        self.url, self.log = f"http://127.0.0.1:{self.port}", directory / "log"
        database_url = variables.get("SMSLAB_DATABASE_URL", f"sqlite:///{self.path}")
        initialise(database_url)
        self.database = open_database(database_url)
        self.key = add_integration(self.database, "Lab", "FUTURESMS", rate=10_000)
        command = [sys.executable, "-m", "simulator", "gateway", "serve", "--port", str(self.port), *options]
        if descriptors:
            command = ["/bin/sh", "-c", f'ulimit -n {descriptors}; exec "$0" "$@"', *command]
        environ = {**os.environ, "SMSLAB_DATABASE_URL": database_url, "SMSLAB_CARRIER_URL": "http://127.0.0.1:1"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environ | variables, stdout=log, stderr=log)
        try:
            until(self.answers, seconds=60)
        except BaseException:
            self.close()
            raise

    @property
    def worker(self):
        """The one process that answers."""
        [only] = psutil.Process(self.process.pid).children()
        return only

    def answers(self):
        """Whether it is up; a process that has ended will never be."""
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(self.url + "/healthz", trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False

    def send(self, _=None, timeout=20):
        """The status and the id of one message, or no status if the line was cut."""
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            answer = httpx.post(
                self.url + SEND, json=spec.page_example(), headers=headers, timeout=timeout, trust_env=False
            )
        except httpx.HTTPError:
            return None, None
        return answer.status_code, answer.json().get("data", {}).get("id")

    def stored(self, columns="id"):
        """What is in the database."""
        with self.database.read() as connection:
            return connection.exec_driver_sql(f"SELECT {columns} FROM orders").scalars().all()  # noqa: S608  test data

    def sockets(self, state):
        """Local address and unread bytes of this port's connections in a state of the kernel's table."""
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        mine = [row for row in rows if row[1].endswith(f":{self.port:04X}") and row[3] == state]
        return [(row[1].split(":")[0], int(row[4].split(":")[1], 16)) for row in mine]

    def stop(self, number=signal.SIGTERM):
        """End it and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """End it if it still runs; asked, because a killed server would leave its workers behind."""
        if self.process.poll() is None:
            self.stop()
        self.database.close()
