"""A run's files: a page for people (`report.html`, self-contained), and JSON, CSV and JUnit for programs.

Nothing is computed here that a verdict rests on; the page's shape is in `report.html.jinja`.
"""

import csv
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from jinja2 import Environment, StrictUndefined

from load.plan import Plan
from load.verdict import Verdict

TEMPLATE = Path(__file__).with_name("report.html.jinja")
VERDICT = "verdict.json"


def write_all(plan: Plan, verdict: Verdict, directory: Path, baseline: Mapping[str, Any] | None) -> None:
    """Write every report of a run into its directory."""
    about = _about(plan)
    content = {"about": about, **verdict.to_json(), "profile": json.loads(plan.profile.to_json())}
    (directory / VERDICT).write_text(json.dumps(content, indent=1), encoding="utf-8")
    (directory / "seconds.csv").write_text(seconds_csv(verdict.figures), encoding="utf-8")
    (directory / "junit.xml").write_text(junit(plan.profile.name, verdict), encoding="utf-8")
    (directory / "report.html").write_text(page(plan, verdict, about, baseline), encoding="utf-8")


def kept(path: Path) -> dict[str, Any]:
    """The figures of a kept run, from its directory or its verdict file. Raises `ValueError`."""
    try:
        content = json.loads((path / VERDICT if path.is_dir() else path).read_text(encoding="utf-8"))
        return dict(content["figures"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} holds no kept run.") from error


def page(plan: Plan, verdict: Verdict, about: Mapping[str, str], baseline: Mapping[str, Any] | None) -> str:
    """The report for people, as one HTML file without any reference outside itself."""
    return render(
        TEMPLATE, verdict=verdict, figures=verdict.figures, profile=plan.profile, about=about, baseline=baseline
    )


def render(template: Path, **values: object) -> str:
    """A page from its template; a value that is missing is an error."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template.read_text(encoding="utf-8")).render(**values)


def seconds_csv(figures: Mapping[str, Any]) -> str:
    """One line for each second of the run; outcomes are columns."""
    rows = figures["series"]
    outcomes = sorted({outcome for row in rows for outcome in row["outcomes"]})
    plain = [name for name in rows[0] if name != "outcomes"] if rows else []
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow([*plain, *outcomes])
    for row in rows:
        writer.writerow([*(row[name] for name in plain), *(row["outcomes"].get(name, 0) for name in outcomes)])
    return text.getvalue()


def junit(name: str, verdict: Verdict) -> str:
    """Each check as a test case: failed, skipped where it was not reached, an error where the run is void."""
    suite = ET.Element("testsuite", name=f"smslab load {name}", tests=str(len(verdict.checks)))
    for check in verdict.checks:
        case = ET.SubElement(suite, "testcase", classname=f"load.{name}", name=check.name)
        if check.passed is not True:
            ET.SubElement(case, "skipped" if check.passed is None else "failure", message=check.sentence)
    for reason in verdict.void:
        case = ET.SubElement(suite, "testcase", classname=f"load.{name}", name="the run counts")
        ET.SubElement(case, "error", message=reason)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _about(plan: Plan) -> dict[str, str]:
    parts = urlsplit(plan.send_url)
    return {
        "written": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC",
        "target": f"{parts.scheme}://{parts.netloc}{parts.path}",
        "seed": str(plan.seed),
        "machine": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        "locust": version("locust"),
    }
