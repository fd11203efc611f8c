"""The report for a person: one screen with the verdict, the matrix, and the findings grouped by rule."""

from rich.console import Console
from rich.markup import escape

from contracts.reports.run import Run
from contracts.rules import fails, rules
from contracts.verdict import Broken

_SIGNS = {"reached": "[green]✓[/]", "not provokable": "[yellow]-[/]", "missed": "[red]✗[/]"}
_COLOURS = {"must": "red", "should": "yellow", "note": "blue"}
_LINES = 5  # of what stayed untested


def show(run: Run, console: Console) -> None:
    """Print the report: broken rules that count with their reproducer, the others in a line each."""
    verdict = run.verdict
    if not verdict.could_not:
        _matrix(run, console)
        for identity, broken in run.by_rule.items():
            _finding(run, console, identity, broken)
        for line in verdict.untested[:_LINES]:
            console.print(f"untested {line}", markup=False, highlight=False)
        if (more := len(verdict.untested) - _LINES) > 0:
            console.print(f"untested {more} more; --json lists them all", highlight=False)
    style = "bold green" if verdict.exit == 0 else "bold red"
    console.print(run.headline[0].upper() + run.headline[1:], style=style, markup=False, highlight=False)
    console.print(
        f"{len(run.exchanges)} requests, {run.spent} of {run.budget} messages used, {verdict.seconds:.1f} s",
        highlight=False,
    )


def _matrix(run: Run, console: Console) -> None:
    """A line per operation: each answer of the contract, with a sign that tells whether it was reached."""
    cells = run.verdict.matrix.items()
    for operation in dict.fromkeys(cell.operation for cell, _ in cells):
        signs = [f"{cell.outcome}{_SIGNS[state]}" for cell, (state, _) in cells if cell.operation == operation]
        console.print(f"{operation:12}{' '.join(signs)}", highlight=False, soft_wrap=True)


def _finding(run: Run, console: Console, identity: str, broken: list[Broken]) -> None:
    known, first = rules()[identity], min(broken, key=run.size)
    head = f"[{_COLOURS[known.level]}]{known.level:6}[/] [bold]{identity}[/] {escape(known.says)} ({len(broken)}x)"
    console.print(head, highlight=False, soft_wrap=True)
    if not fails(identity, strict=run.verdict.strict):
        return
    console.print(f"       {escape(run.masked(first.sentence))}; {first.case}", highlight=False, soft_wrap=True)
    if curl := run.masked(run.curl(first)):
        shown = curl if len(curl) < 400 else curl[:397] + "..."
        console.print(f"       {shown}", style="dim", markup=False, highlight=False, soft_wrap=True)
