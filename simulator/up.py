"""`smslab up`: gateway, carrier and console until Ctrl-C, with a ready integration, and what a person types next."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Never

import click

from contracts.exits import Exit
from simulator.handover import hand_over
from simulator.lab import CONSOLE, Lab, LabFault, free_port, running_lab

NEXT = """\
{console}Gateway  {lab.gateway_url}
Carrier  {lab.carrier_url}  (simulator)

What a Yeastar administrator types into the channel screen:
  API Key                                   {lab.key}
  API Address for Sending Messages          {lab.send_url}
  API Address for Verifying Authentication  {lab.verify_url}
  Number                                    {lab.from_number}

What you may type next, in another terminal:
  smslab pbx verify --target {target}
  smslab pbx send "Hello from Yeastar" --to +639171234567 --target {target}
  smslab carrier fault add outage seconds=30 --carrier-url {lab.carrier_url}
  smslab contract verify --target {target}

Ctrl-C ends it; everything is in {lab.directory}.
"""


@click.command()
@click.option("--port", default=8080, show_default=True, type=click.IntRange(1, 65535), help="The gateway's port.")
@click.option("--carrier-port", default=8090, show_default=True, type=click.IntRange(1, 65535))
@click.option("--console-port", default=8070, show_default=True, type=click.IntRange(1, 65535))
@click.option("--console/--no-console", default=True, show_default=True, help="Show it all in a browser, too.")
@click.option("--rate", default=1000, show_default=True, type=click.IntRange(1), help="Requests per second per key.")
@click.option(
    "--directory", default=Path("var/up"), show_default=True, type=click.Path(file_okay=False, path_type=Path)
)
def up(*, port: int, carrier_port: int, console_port: int, console: bool, rate: int, directory: Path) -> None:
    """Keep a gateway, a fake carrier and the QA console running, on loopback only.

    Example: smslab up --port 8080
    """
    stop_on_signals()
    try:
        if console:
            free_port(console_port)
        with running_lab(directory, rate=rate, gateway_port=port, carrier_port=carrier_port) as lab:
            target = hand_over(lab)
            if console:
                lab.console_port = console_port
                lab.start(CONSOLE, "--lab", str(target))
            shown = f"Console  {lab.console_url}  (simulator)\n" if console else ""
            click.echo(NEXT.format(lab=lab, target=target, console=shown))
            wait(lab)
    except LabFault as fault:
        click.echo(f"Error: {fault}", err=True)
        sys.exit(Exit.USAGE)
    except KeyboardInterrupt:
        click.echo("Stopped; nothing is left running.")


def wait(lab: Lab) -> None:
    """Until somebody stops us, or a part of the lab ends by itself."""
    while True:
        for part, process in lab.processes.items():
            if process.poll() is not None:
                message = f"The {part} ended by itself; its log is {lab.directory / f'{part}.log'}"
                raise LabFault(message)
        signal.sigtimedwait([], 1)


def stop_on_signals() -> None:
    """Let SIGTERM and SIGINT end this command in order, also where a shell started it with SIGINT ignored."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)


def _stop(_number: int, _frame: FrameType | None) -> Never:
    raise KeyboardInterrupt
