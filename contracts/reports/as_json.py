"""The report for programs: everything a run found, as one JSON object. No timestamps: same run, same text."""

import json
from typing import Any

from contracts.reports.run import Run
from contracts.rules import rules
from contracts.verdict import Broken


def as_text(run: Run) -> str:
    """The report as indented JSON."""
    return run.masked(json.dumps(as_object(run), indent=2, ensure_ascii=False))


def as_object(run: Run) -> dict[str, Any]:
    """The report as plain values."""
    verdict = run.verdict
    return {
        "verdict": run.headline,
        "exit": int(verdict.exit),
        "target": run.target,
        "strict": verdict.strict,
        "requests": len(run.exchanges),
        "messages": {"used": run.spent, "budget": run.budget},
        "matrix": [{**cell._asdict(), "state": state, "by": by} for cell, (state, by) in verdict.matrix.items()],
        "rules": {rule: count for rule, count in verdict.checked.items() if rule in rules()},
        "findings": [_finding(run, broken) for broken in verdict.broken],
        "untested": verdict.untested,
    }


def _finding(run: Run, broken: Broken) -> dict[str, Any]:
    known = rules()[broken.rule]
    return {
        "rule": broken.rule,
        "level": known.level,
        "says": known.says,
        "found": broken.sentence,
        "engine": broken.engine,
        "case": broken.case,
        "exchange": broken.exchange,
        "curl": run.curl(broken)[:4000],
        "accepted": broken.accepted,
    }
