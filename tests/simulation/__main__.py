"""The simulation by hand: many seeds, or one again with its trace."""

from time import monotonic

import click

from tests.simulation.mutants import MUTANTS
from tests.simulation.parts import Parts
from tests.simulation.seeds import Failure, open_stage, run


@click.command()
@click.option("--seeds", default=10_000, show_default=True, help="How many seeds, counted from --start.")
@click.option("--start", default=0, show_default=True)
@click.option("--replay", type=int, help="Run this seed alone.")
@click.option("--mutant", type=click.Choice(sorted(MUTANTS)), help="With this breach built in.")
def main(*, seeds: int, start: int, replay: int | None, mutant: str | None) -> None:
    """Run the deterministic simulation; exit 1 with a replay command when a seed breaks the promise.

    Example: python -m tests.simulation --seeds 10000
    """
    chosen = range(start, start + seeds) if replay is None else [replay]
    began = monotonic()
    try:
        with open_stage() as stage:
            passed = run(stage, chosen, MUTANTS[mutant] if mutant else Parts(), mutant or "")
    except Failure as failure:
        raise click.ClickException(str(failure)) from None
    points = ", ".join(f"{name} {count}" for name, count in sorted(passed.items()))
    click.echo(f"{len(chosen)} seeds in {monotonic() - began:.1f} s, 0 violations; points passed: {points}")


if __name__ == "__main__":
    main()
