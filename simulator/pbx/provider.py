"""How the pbx commands are told about the provider: as a PBX channel file, or as a target like everywhere else."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from contracts.target import Target, target_options
from simulator.pbx import channel as channels
from simulator.pbx.habits import Habits

LEDGER = click.option(
    "--ledger",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("pbx.sqlite"),
    show_default=True,
    help="The PBX's ledger; it is created, and only ever added to.",
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line.")
RECEIVERS = click.option(
    "--receiver", "receivers", multiple=True, help="A further number that agreed to receive tests."
)


def provider_options(command: Callable[..., object]) -> Callable[..., object]:
    """The target options and `--channel FILE.toml`; the command gets `target` and `habits`."""

    @functools.wraps(command)
    def with_default_habits(*, target: Target, **options: object) -> object:
        return command(target=target, habits=Habits(), **options)

    as_target = target_options(with_default_habits)

    @functools.wraps(as_target)
    def with_provider(*, channel: Path | None, **options: Any) -> object:  # noqa: ANN401 - click's own values
        if channel is None:
            return as_target(**options)
        owned = options.pop("i_own_this_target")
        for name in ("target", "send_url", "verify_url", "key_file", "from"):
            if options.pop(name) is not None:
                raise click.UsageError(f"--channel already says what --{name.replace('_', '-')} would.")
        try:
            chosen = channels.load(channel)
        except ValueError as error:
            raise click.UsageError(str(error)) from error
        to = options.pop("to")
        return command(target=chosen.target(to, owned=owned), habits=chosen.habits, **options)

    path = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option("--channel", type=path, help="TOML file of a PBX channel.")(with_provider)
