"""The command `smslab`: one group per part, imported only when it is called, so that `--help` is quick."""

import importlib
import sys
from typing import Final

import click

# What is imported for each command; a string, because the suite must not import the gateway.
COMMANDS: Final = {
    "demo": ("simulator.demo", "The main job in one go: verify, send, judge, load, reconcile."),
    "up": ("simulator.up", "Gateway, carrier and console until Ctrl-C, with a ready integration."),
    "gateway": ("gateway.cli", "The provider side."),
    "carrier": ("simulator.carrier.cli", "The fake carrier, and its faults."),
    "pbx": ("simulator.pbx.cli", "A simulated Yeastar PBX."),
    "console": ("simulator.console.cli", "See every message cross PBX, gateway and carrier, in a browser."),
    "contract": ("contracts.cli", "Judge any provider against the contract."),
    "load": ("load.cli", "Load before go-live, with a verdict."),
    "reconcile": ("simulator.ledger.cli", "Balance the PBX's ledger with the carrier's."),
    "chaos": ("simulator.chaos.cli", "Kill, stop and crash a lab under load, then reconcile."),
}


class Lazy(click.Group):
    """A group whose commands are imported on use; a part that is not there is no command."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The command of that name."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(importlib.import_module(COMMANDS[name][0]), name)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """One line each, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


@click.group(cls=Lazy)
@click.version_option(package_name="yeastar-sms-lab")
def smslab() -> None:
    """Verify, simulate and load-test SMS providers for Yeastar P-Series PBXs.

    Start with: smslab demo

    Exit codes: 0 fine, 1 the thing under test is wrong, 2 usage, 3 could not test, 4 fine but not all reached.
    """


def main() -> None:
    """The console script."""
    try:
        smslab(standalone_mode=True)
    except BrokenPipeError:  # the reader, `head` for instance, has seen enough
        sys.stderr.close()
