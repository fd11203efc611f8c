"""The report as one HTML page that needs nothing else: verdict, matrix, rules with findings and how to repeat them."""

from html import escape

from contracts.reports.run import Run
from contracts.rules import Rule, rules

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse } td, th { padding: .2rem .6rem; text-align: left; vertical-align: top }
.reached { color: #1a7f37 } .missed, .must { color: #cf222e } .should { color: #9a6700 } .kept { opacity: .7 }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #8881; padding: .5rem }
"""


def as_text(run: Run) -> str:
    """The page."""
    title = escape(run.headline[0].upper() + run.headline[1:])
    counts = f"{len(run.exchanges)} requests, {run.spent} of {run.budget} messages used"
    body = (
        f"<h1>{title}</h1><p>{escape(run.target)}: {counts}, {run.verdict.seconds:.1f} s.</p>"
        f"{_matrix(run)}<h2>Rules</h2>{''.join(_rule(run, rule) for rule in rules().values())}{_untested(run)}"
    )
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    return run.masked(
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def _matrix(run: Run) -> str:
    rows = "".join(
        f"<tr><td>{cell.operation}</td><td>{cell.outcome}</td>"
        f'<td class="{state.split()[0]}">{state}</td><td>{escape(by)}</td></tr>'
        for cell, (state, by) in run.verdict.matrix.items()
    )
    return f"<h2>Answers</h2><table><tr><th>operation<th>answer<th>state<th>by</tr>{rows}</table>" if rows else ""


def _rule(run: Run, rule: Rule) -> str:
    broken = run.by_rule.get(rule.id, [])
    state = f"broken {len(broken)}x" if broken else "kept" if rule.id in run.verdict.checked else "not tested"
    head = f"<b>{rule.id}</b> ({rule.level}) {escape(rule.says)} <i>{state}</i>"
    if not broken:
        return f'<p class="kept">{head}</p>'
    found = "".join(
        f"<li>{escape(one.case)}: {escape(one.sentence)}<pre>{escape(run.curl(one)[:4000])}</pre></li>"
        for one in sorted(broken, key=run.size)[:5]
    )
    return f'<details open><summary class="{rule.level}">{head}</summary><ul>{found}</ul></details>'


def _untested(run: Run) -> str:
    lines = "".join(f"<li>{escape(line)}</li>" for line in run.verdict.untested)
    return f"<h2>Untested</h2><ul>{lines}</ul>" if lines else ""
