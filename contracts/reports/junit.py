"""The report for CI servers: JUnit XML with one testcase per rule, the kept ones listed too."""

import re
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from contracts.reports.run import Run
from contracts.rules import Rule, fails, rules

_NOT_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_text(run: Run) -> str:
    """The report as XML. Rules that no request tested are skipped; broken ones that do not count are passed."""
    suite = Element("testsuite", name=f"Yeastar contract: {run.target}")
    for rule in rules().values():
        _case(run, suite, rule)
    if run.verdict.could_not:
        case = SubElement(suite, "testcase", classname="contract", name="preflight")
        SubElement(case, "error", message=_clean(run.masked(run.headline)))
    counts = {name: str(len(suite.findall(f"*/{name}"))) for name in ("failure", "error", "skipped")}
    suite.attrib |= {"tests": str(len(suite)), "failures": counts["failure"], "errors": counts["error"]}
    suite.attrib |= {"skipped": counts["skipped"], "time": f"{run.verdict.seconds:.3f}"}
    indent(suite)
    return tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(run: Run, suite: Element, rule: Rule) -> None:
    case = SubElement(suite, "testcase", classname=f"contract.{rule.level}", name=f"{rule.id} {rule.says}")
    broken = run.by_rule.get(rule.id, [])
    lines = [f"{one.case}: {one.sentence}\n{run.curl(one)}" for one in broken[:5]]
    shown = _clean(run.masked("\n".join(lines)))
    if broken and fails(rule.id, strict=run.verdict.strict):
        first = _clean(run.masked(broken[0].sentence))
        SubElement(case, "failure", type=rule.level, message=first).text = shown
    elif broken:
        SubElement(case, "system-out").text = shown
    elif rule.id not in run.verdict.checked:
        SubElement(case, "skipped", message="no request of this run tests it")


def _clean(text: str) -> str:
    """Without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("?", text)
