"""The files of a run: readable by people without a network, and by programs without this suite."""

import csv
import json
import re
from dataclasses import replace
from io import StringIO
from xml.etree import ElementTree as ET

import pytest

from contracts.exits import Exit
from load import report
from load.arrivals import due_times
from load.checks import Evidence
from load.plan import Plan
from load.profiles import named
from load.record import Records, Request
from load.verdict import judge
from simulator.ledger.balance import balance

PLAN = Plan("http://127.0.0.1:1/send", "a-secret-key", named("outage"), "+630000000001")


def run(*, slow=0.0):
    """A judged run of the outage profile, its deliveries half a second after acceptance."""
    requests = [
        Request(n, 0, "sendmessage", due, due, due + 0.004 + slow, 500, "10007", None)
        if 5.1 < due < 17
        else Request(n, 0, "sendmessage", due, due, due + 0.004 + slow, 200, None, f"ID{n}")
        for n, due in enumerate(due_times(PLAN.profile.curve))
    ]
    events = [
        {"event": "start", "epoch": 0.0, "processes": 1},
        {"event": "hits", "at": 6.2, "phase": "outage", "hits": 7},
        {"event": "hits", "at": 7.2, "phase": "outage", "hits": 9},
        {"event": "fault", "phase": "outage", "from": 5.0, "to": 17.0},
        {"event": "share", "at": 30.0, "cpu": 0.5, "intended": len(requests), "held": 0, "spent": False},
    ]
    deliveries = {request.order_id: request.done + 0.5 for request in requests if request.order_id}
    return Evidence(
        *(PLAN.profile, Records(requests, events), balance([], []), deliveries, 0.5),
        memory=((0.0, 80.0), (30.0, 81.0)),
    )


@pytest.fixture
def written(tmp_path):
    """The directory of a run with all its reports, compared with a faster baseline."""
    baseline = judge(run()).figures
    verdict = judge(replace(run(slow=0.05), baseline=baseline))
    assert verdict.exit_code == Exit.WRONG
    report.write_all(PLAN, verdict, tmp_path, baseline)
    return tmp_path


def test_the_page_stands_alone(written):
    """The HTML loads nothing, runs nothing, holds no key, and shows the verdict, every chart and each phase."""
    page = (written / "report.html").read_text()
    assert not re.search(r"<script|src=|href=|@import|url\(", page)
    assert PLAN.key not in page
    assert page.count("<svg") == 6
    assert "It did not hold: 3 of " in page
    assert all(phase.name in page for phase in PLAN.profile.phases)
    assert "baseline p99" in page
    assert "NaN" not in page


def test_the_charts_are_drawn_to_scale(written):
    """The backlog chart has one point for each second, none outside its frame; the fault is shaded."""
    page = (written / "report.html").read_text()
    svg = page[page.index("<figcaption>Backlog") :].partition("</figure>")[0]
    points = re.search(r'points="([^"]*)"', svg)[1].split()
    assert len(points) == 31
    assert all(0 <= float(y) <= 150 for _, y in (point.split(",") for point in points))
    assert svg.count('class="fault"') == 1


def test_programs_get_json_and_csv(written):
    """verdict.json holds everything, its figures can be a baseline; seconds.csv has a row for each second."""
    content = json.loads((written / "verdict.json").read_text())
    assert content["exit_code"] == 1
    assert report.kept(written) == report.kept(written / "verdict.json") == content["figures"]
    rows = list(csv.DictReader(StringIO((written / "seconds.csv").read_text())))
    assert sum(int(row["200"]) for row in rows) == content["figures"]["total"]["outcomes"]["200"]
    assert sum(int(row["refused"]) for row in rows) == 9
    assert rows[-1]["backlog"] == "0"


def test_ci_gets_junit(written):
    """Each check is a test case; the failed ones are failures with their sentence."""
    suite = ET.parse(written / "junit.xml").getroot()  # noqa: S314  our own file
    failures = [case.get("name") for case in suite.iter("testcase") if case.find("failure") is not None]
    assert failures == ["baseline p50", "baseline p99", "baseline p99.9"]
    void = judge(replace(run(), interrupted=True, balance=None))
    suite = ET.fromstring(report.junit("outage", void))  # noqa: S314  our own text
    assert len(list(suite.iter("error"))) == len(list(suite.iter("skipped"))) == 1


def test_a_run_without_a_single_answer_has_a_report_too(tmp_path):
    """A void run is reported like any other."""
    report.write_all(PLAN, judge(Evidence(PLAN.profile, Records())), tmp_path, None)
    assert "Nothing was sent." in (tmp_path / "report.html").read_text()


def test_what_is_no_kept_run_is_refused(tmp_path):
    """A baseline must be a run's directory or its verdict file."""
    with pytest.raises(ValueError, match="holds no kept run"):
        report.kept(tmp_path)
