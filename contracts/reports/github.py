"""The report as annotations of GitHub Actions: a line per broken rule, at the line that states it."""

from contracts import rules
from contracts.reports.run import Run

_LEVELS = {"must": "error", "should": "warning", "note": "notice"}


def as_text(run: Run) -> str:
    """One workflow command per broken rule, or one error if nothing could be tested."""
    if run.verdict.could_not:
        return f"::error title=Contract not tested::{_data(run.masked(run.headline))}\n"
    lines = []
    for rule, broken in run.by_rule.items():
        known = rules.rules()[rule]
        text = _data(run.masked(f"{known.says} In {broken[0].case}: {broken[0].sentence} ({len(broken)}x)"))
        place = f"file=openapi.yaml,line={rules.line(rule)},title={rule}"
        lines.append(f"::{_LEVELS[known.level]} {place}::{text}\n")
    return "".join(lines)


def _data(text: str) -> str:
    """Escaped as the runner wants it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
