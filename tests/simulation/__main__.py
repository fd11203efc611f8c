"""The simulation by hand: many seeds, or one again with its trace."""

import json
from collections import Counter
from time import monotonic

import click

from tests.simulation.mutants import MUTANTS
from tests.simulation.parts import Parts
from tests.simulation.seeds import Failure, open_stage, run


@click.command()
@click.option("--seeds", default=10_000, show_default=True, help="How many seeds, counted from --start.")
@click.option("--start", default=0, show_default=True)
@click.option("--replay", type=int, help="Run this seed alone.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document, for `smslab chaos --release`.")
@click.option("--mutant", type=click.Choice(sorted(MUTANTS)), help="With this breach built in.")
@click.pass_context
def main(
    context: click.Context, *, seeds: int, start: int, replay: int | None, as_json: bool, mutant: str | None
) -> None:
    """Run the deterministic simulation; exit 1 with a replay command when a seed breaks the promise.

    Example: python -m tests.simulation --seeds 10000
    """
    chosen = range(start, start + seeds) if replay is None else [replay]
    began, passed, failure = monotonic(), Counter(), None
    try:
        with open_stage() as stage:
            passed = run(stage, chosen, MUTANTS[mutant] if mutant else Parts(), mutant or "")
    except Failure as found:
        failure = str(found)
    took = monotonic() - began
    points = ", ".join(f"{name} {count}" for name, count in sorted(passed.items()))
    if as_json:
        click.echo(json.dumps({"seeds": len(chosen), "seconds": took, "failure": failure, "passed": passed}))
    else:
        click.echo(failure or f"{len(chosen)} seeds in {took:.1f} s, 0 violations; points passed: {points}")
    context.exit(failure is not None)


if __name__ == "__main__":
    main()
