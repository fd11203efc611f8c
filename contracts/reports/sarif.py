"""The report for code scanning: SARIF 2.1.0, each result at the line of `openapi.yaml` that states the rule."""

import hashlib
import json
from typing import Any

from contracts import rules
from contracts.reports.run import Run
from contracts.rules import Rule
from contracts.verdict import Broken

_LEVELS = {"must": "error", "should": "warning", "note": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_text(run: Run) -> str:
    """The report as JSON."""
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(run)]}
    return run.masked(json.dumps(log, indent=2)) + "\n"


def _run(run: Run) -> dict[str, Any]:
    known = list(rules.rules().values())
    driver = {"name": "smslab contract", "rules": [_rule(rule) for rule in known]}
    results = [_result(run, one, index) for index, one in _firsts(run)]
    invocation = {"executionSuccessful": not run.verdict.could_not, "exitCode": int(run.verdict.exit)}
    return {"tool": {"driver": driver}, "results": results, "invocations": [invocation]}


def _firsts(run: Run) -> list[tuple[int, Broken]]:
    """One result per rule and case, with the rule's index."""
    order = list(rules.rules())
    firsts = {(one.rule, one.case): one for one in reversed(run.verdict.broken)}
    return [(order.index(one.rule), one) for one in reversed(firsts.values())]


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.says},
        "defaultConfiguration": {"level": _LEVELS[rule.level]},
        "properties": {"level": rule.level, "source": rule.source},
    }


def _result(run: Run, one: Broken, index: int) -> dict[str, Any]:
    place = {"artifactLocation": {"uri": "openapi.yaml"}, "region": {"startLine": rules.line(one.rule)}}
    digest = hashlib.sha256(f"{one.rule} {one.case}".encode()).hexdigest()
    accepted = [{"kind": "external", "justification": one.accepted}] if one.accepted else []
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": _LEVELS[rules.rules()[one.rule].level],
        "message": {"text": f"{rules.rules()[one.rule].says} In {one.case}: {one.sentence}."},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"ruleAndCase/v1": digest},
        "suppressions": accepted,
        "properties": {"engine": one.engine, "curl": run.curl(one)[:4000]},
    }
