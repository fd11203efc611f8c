"""The report for a person: one screen with the verdict, the matrix, and the findings grouped by rule."""

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from contracts.reports.run import Run, rule

_SIGNS = {"reached": "[green]✓[/]", "not provokable": "[yellow]–[/]", "missed": "[red]✗[/]"}
_COLOURS = {"must": "red", "should": "yellow", "note": "blue"}


def show(run: Run, console: Console) -> None:
    """Print the report."""
    verdict = run.verdict
    if not verdict.could_not:
        console.print(_matrix(run))
        for identity, broken in run.by_rule.items():
            known, first = rule(identity), broken[0]
            console.print(
                f"[{_COLOURS[known.level]}]{known.level:6}[/] [bold]{identity}[/] {escape(known.says)}",
                f"\n       {len(broken)}x, first in {first.case}: {escape(run.masked(first.sentence))}",
                highlight=False,
            )
            if curl := run.masked(run.curl(first)):
                shown = curl if len(curl) < 400 else curl[:397] + "..."
                console.print(f"       {shown}", style="dim", markup=False, highlight=False, soft_wrap=True)
        for line in verdict.untested[:5]:
            console.print(f"untested {line}", markup=False, highlight=False)
        if len(verdict.untested) > 5:
            console.print(f"untested and {len(verdict.untested) - 5} more; --json lists them all")
    style = "bold green" if verdict.exit == 0 else "bold red"
    sentence = run.headline[0].upper() + run.headline[1:]
    console.print(sentence, style=style, markup=False, highlight=False)
    console.print(
        f"{len(run.exchanges)} requests, {run.spent} of {run.budget} messages used, {verdict.seconds:.1f} s",
        highlight=False,
    )


def _matrix(run: Run) -> Table:
    """Operations down, outcomes across."""
    outcomes = sorted({cell.outcome for cell in run.verdict.matrix})
    table = Table("", *outcomes, title=run.target, title_justify="left", box=None, padding=(0, 1))
    for operation in dict.fromkeys(cell.operation for cell in run.verdict.matrix):
        states = {cell.outcome: state for cell, (state, _) in run.verdict.matrix.items() if cell.operation == operation}
        table.add_row(operation, *(_SIGNS.get(states.get(outcome, ""), "") for outcome in outcomes))
    return table
