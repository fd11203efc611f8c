"""A whole lab on free loopback ports: a real gateway and a real fake carrier, each a process of its own.

Demo, tests and load all start it from here. Everything is in one directory: both ledgers, the gateway's database, the
logs. Stopping ends only what was started here, by pid.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from contracts import spec

SECONDS_TO_START: Final = 40.0
SECONDS_TO_STOP: Final = 10.0
CARRIER, GATEWAY, CONSOLE = "carrier", "gateway", "console"


class LabFault(Exception):
    """A part of the lab did not start, or stopped; the sentence says which, and what its log said last."""


@dataclass
class Lab:
    """A running lab. Made by `running_lab`, which also stops it."""

    directory: Path
    gateway_port: int
    carrier_port: int
    environ: Mapping[str, str]
    key: str = field(default="", repr=False)
    cores: Mapping[str, int] = field(default_factory=dict)  # the core a part is kept on, for benchmarks
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict, repr=False)
    programs: Mapping[str, Sequence[str]] = field(default_factory=dict)  # what a part is started with instead of smslab
    console_port: int = 0  # only a lab for people has one

    from_number: str = field(default_factory=lambda: spec.page_example()["from"])

    @property
    def gateway_url(self) -> str:
        """Where the gateway answers."""
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def carrier_url(self) -> str:
        """Where the carrier answers, its fault API included."""
        return f"http://127.0.0.1:{self.carrier_port}"

    @property
    def console_url(self) -> str:
        """Where the console answers, if there is one."""
        return f"http://127.0.0.1:{self.console_port}"

    @property
    def send_url(self) -> str:
        """What the PBX has as API Address for Sending Messages."""
        return self.gateway_url + spec.route("sendmessage").path

    @property
    def verify_url(self) -> str:
        """What the PBX has as API Address for Verifying Authentication."""
        return self.gateway_url + spec.route("verify").path

    @property
    def carrier_ledger(self) -> Path:
        """What the carrier accepted."""
        return self.directory / "carrier.sqlite"

    @property
    def pbx_ledger(self) -> Path:
        """What the PBX attempted; whoever plays the PBX writes it."""
        return self.directory / "pbx.sqlite"

    @property
    def database_url(self) -> str:
        """The gateway's own store."""
        return f"sqlite:///{self.directory / 'gateway.sqlite'}"

    @property
    def gateway_log(self) -> Path:
        """The gateway's event log: JSON lines."""
        return self.directory / "gateway.log"

    def smslab(self, *arguments: str) -> str:
        """Run a `smslab` command in the lab's environment and return what it printed. LabFault if it fails."""
        done = subprocess.run(
            [*SMSLAB, *arguments], env=self.environ, capture_output=True, text=True, check=False, timeout=60
        )
        if done.returncode:
            message = f"smslab {' '.join(arguments)}: {done.stderr.strip()}"
            raise LabFault(message)
        return done.stdout

    def integration(self, name: str, *options: str) -> str:
        """Add an integration and return its key; in a directory that had a lab before, change it and issue another."""
        add = ("gateway", "integration", "add", name, "--sender", "FUTURESMS", "--json", *options)
        try:
            printed = self.smslab(*add)
        except LabFault as fault:
            if "already" not in str(fault):
                raise
            if options:
                self.smslab("gateway", "integration", "set", name, *options)
            printed = self.smslab("gateway", "key", "issue", name, "--json")
        return str(json.loads(printed)["key"])

    def orders(self) -> list[dict[str, Any]]:
        """Every order of the gateway."""
        return [json.loads(line) for line in self.smslab("gateway", "orders", "list", "--json").splitlines()]

    def start(self, part: str, *options: str) -> None:
        """Start a part and wait until it answers."""
        self.launch(part, *options)
        self.await_answer(part)

    def launch(self, part: str, *options: str) -> None:
        """Start a part without waiting."""
        command = {
            CARRIER: [
                "carrier",
                "serve",
                "--port",
                str(self.carrier_port),
                "--ledger",
                str(self.carrier_ledger),
            ],
            GATEWAY: ["gateway", "serve", "--port", str(self.gateway_port)],
            CONSOLE: ["console", "--port", str(self.console_port)],
        }[part]
        with (self.directory / f"{part}.log").open("ab") as log, on_core(self.cores.get(part)):
            self.processes[part] = subprocess.Popen(
                [*self.programs.get(part, SMSLAB), *command, *options],
                env=self.environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def end(self, part: str, number: int = signal.SIGTERM) -> None:
        """Stop a part: SIGTERM asks, SIGKILL takes the whole process group away as a crash would."""
        process = self.processes.pop(part)
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        try:
            process.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def pid(self, part: str) -> int:
        """The process a part was started as; its workers are children of it."""
        return self.processes[part].pid

    def await_answer(self, part: str) -> None:
        """Wait until a launched part answers; LabFault with the end of its log if it does not."""
        url = f"{getattr(self, f'{part}_url')}/healthz"
        process, end = self.processes[part], time.monotonic() + SECONDS_TO_START
        while time.monotonic() < end and process.poll() is None:
            try:
                if httpx.get(url, timeout=1, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.02)
        said = (self.directory / f"{part}.log").read_text(errors="replace").split("\n")
        message = f"The {part} did not start: {next((line for line in reversed(said) if line.strip()), 'no word')}"
        raise LabFault(message)


SMSLAB: Final = (sys.executable, "-m", "simulator")


@contextmanager
def running_lab(
    directory: Path,
    *,
    rate: int = 50,
    environ: Mapping[str, str] | None = None,
    gateway_port: int = 0,
    carrier_port: int = 0,
    carrier_options: tuple[str, ...] = (),
    gateway_options: tuple[str, ...] = (),
    cores: Mapping[str, int] | None = None,
    programs: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[Lab]:
    """Start a lab in `directory` (made if need be), stop it at the end.

    `rate` is what the integration's key may send per second; `environ` adds gateway settings; port 0 is a free one.
    """
    directory.mkdir(parents=True, exist_ok=True)
    ports = free_port(gateway_port), free_port(carrier_port)
    lab = Lab(directory.absolute(), *ports, environ={}, cores=cores or {}, programs=programs or {})
    lab.environ = {
        **os.environ,
        "SMSLAB_DATABASE_URL": lab.database_url,
        "SMSLAB_CARRIER_URL": lab.carrier_url,
        "SMSLAB_RECEIPT_SECRET": "only for this lab",
        **(environ or {}),
    }
    try:
        lab.launch(CARRIER, "--receipts-url", f"{lab.gateway_url}/carrier/receipts", *carrier_options)
        lab.key = lab.integration("Lab", "--rate", str(rate))
        lab.launch(GATEWAY, *gateway_options)
        for part in (CARRIER, GATEWAY):
            lab.await_answer(part)
        yield lab
    finally:
        for part in list(lab.processes):
            lab.end(part)


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """What is started inside stays on this core."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def free_port(wanted: int = 0) -> int:
    """A loopback port that nobody listens on; LabFault if the wanted one is taken."""
    try:
        with socket.create_server(("127.0.0.1", wanted)) as server:
            port: int = server.getsockname()[1]
    except OSError as fault:
        message = f"Cannot listen on 127.0.0.1:{wanted}: {os.strerror(fault.errno or 0)}"
        raise LabFault(message) from None
    return port
