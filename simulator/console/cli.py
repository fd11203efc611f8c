"""`smslab console`: from its options to Ctrl-C. The only reader of the console's environment."""

import os
from pathlib import Path

import click

TOKEN = "SMSLAB_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable


@click.command()
@click.option(
    "--lab",
    "file",
    default=Path("var/up/lab.toml"),
    show_default=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The target file that `smslab up` wrote, or one of your own; ledgers and log are looked for beside it.",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", default=8070, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"The token visitors need, demanded off loopback (or set {TOKEN}).",
)
@click.option("--i-own-this-target", is_flag=True, help="Allow sending and faults beyond loopback.")
def console(*, file: Path, host: str, port: int, token_file: Path | None, i_own_this_target: bool) -> None:
    """See every message cross PBX, gateway and carrier, and break things, in a browser.

    Example: smslab console --lab var/up/lab.toml --port 8070
    """
    from simulator.console.lab import open_lab
    from simulator.console.serving import serve
    from simulator.console.settings import Settings

    try:
        token = token_file.read_text(encoding="utf-8").strip() if token_file else os.environ.get(TOKEN, "").strip()
        settings = Settings(open_lab(file, os.environ, owned=i_own_this_target), host, port, token)
        serve(settings)
    except (ValueError, OSError) as fault:
        raise click.UsageError(str(fault)) from None
