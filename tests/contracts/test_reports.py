"""One run, told in every form: each is whole, names the rule, and shows no key."""

import json
import shutil
import subprocess
from datetime import date
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest

from contracts import baseline, rules
from contracts.exits import Exit
from contracts.reports.files import FILES
from contracts.reports.run import Run
from contracts.serving import serving
from contracts.verdict import Broken, Verdict

KEY = "minimalKeyAbc123"


@pytest.fixture(scope="module")
def minimal_run(minimal, target_at, judged):
    """The minimal provider under strict: many findings of level should."""
    verdict, provider = judged(target_at(minimal), strict=True)
    return Run.of(provider, verdict)


@pytest.mark.parametrize("kind", FILES)
def test_no_report_shows_a_key(minimal_run, kind):
    """The key is in none of the files, nor any part of it that would do."""
    text = FILES[kind](minimal_run)
    assert KEY not in text
    assert KEY[:-1] not in text
    assert "YS-AUTH-06" in text or kind == "har"


def test_junit_has_one_testcase_per_rule(minimal_run):
    """Every rule is a testcase, kept, broken or not tested, and the counts are those of the cases."""
    suite = ET.fromstring(FILES["junit"](minimal_run))  # noqa: S314 - our own text
    names = [case.get("name").split()[0] for case in suite.findall("testcase")]
    failed = [case.get("name").split()[0] for case in suite.findall("testcase[failure]")]
    assert names == list(rules.rules())
    assert set(failed) == {one.rule for one in minimal_run.verdict.failing}
    assert int(suite.get("failures")) == len(failed)
    assert int(suite.get("tests")) == len(names)


def test_sarif_points_at_the_line_that_states_the_rule(minimal_run):
    """Results are at lines of openapi.yaml, with the rule, a level and a fingerprint each."""
    (run,) = json.loads(FILES["sarif"](minimal_run))["runs"]
    known = run["tool"]["driver"]["rules"]
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert known[result["ruleIndex"]]["id"] == result["ruleId"]
        assert place["artifactLocation"]["uri"] == "openapi.yaml"
        assert place["region"]["startLine"] == rules.line(result["ruleId"])
        assert result["level"] in {"error", "warning", "note"}
    prints = [result["partialFingerprints"]["ruleAndCase/v1"] for result in run["results"]]
    assert len(prints) == len(set(prints)) > 20


def test_har_has_every_exchange(minimal_run):
    """What was sent and answered is all there, in order."""
    entries = json.loads(FILES["har"](minimal_run))["log"]["entries"]
    assert len(entries) == len(minimal_run.exchanges)
    assert entries[0]["request"]["method"] == "GET"
    assert entries[0]["response"]["status"] == 200


def test_annotations_are_workflow_commands(minimal_run):
    """One line per broken rule, in the form that the runner reads."""
    lines = FILES["github"](minimal_run).splitlines()
    assert len(lines) == len(minimal_run.by_rule)
    assert all(line.startswith(("::error file=openapi.yaml,line=", "::warning ", "::notice ")) for line in lines)


def test_the_page_needs_nothing_else(minimal_run):
    """The HTML report loads nothing and escapes what providers and cases say."""
    text = FILES["html"](minimal_run)
    assert "<script" not in text
    assert "src=" not in text
    assert "http-equiv" not in text


def test_the_same_run_twice_is_the_same_report(minimal_app, target_at, judged):
    """Same seed, same requests, same findings: the JSON reports of two runs on fresh providers are equal."""
    texts = []
    for _ in range(2):
        with serving(minimal_app()) as url:
            verdict, provider = judged(target_at(url), examples=3)
            texts.append(FILES["json"](Run.of(provider, verdict)).replace(urlsplit(url).netloc, "HOST"))
    assert texts[0] == texts[1]


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_a_finding_is_repeated_by_its_line(minimal_run):
    """The shell line of a finding sends the same request again: the same status comes back."""
    finding = next(one for one in minimal_run.verdict.broken if one.case == "utf8-surrogate")
    line = minimal_run.curl(finding)
    command = ["bash", "-c", line]
    done = subprocess.run(
        command, env={"YEASTAR_API_KEY": KEY, "PATH": "/usr/bin:/bin"}, capture_output=True, check=True
    )
    assert done.stdout.split(b"\r\n")[0].split()[1] == b"200"


def _verdict():
    return Verdict(
        broken=[Broken("YS-ENV-03", "x", "cases", "text-2001"), Broken("YS-ENV-03", "y", "cases", "body-list")]
    )


def test_an_accepted_deviation_does_not_fail(tmp_path):
    """An entry of the baseline accepts what fits it, until its date, and only that."""
    file = tmp_path / "baseline.toml"
    file.write_text('[[accept]]\nrule = "YS-ENV-03"\nreason = "ticket 7"\nuntil = 2027-01-31\ncase = "text-*"\n')
    entries, verdict = baseline.load(file), _verdict()
    baseline.apply(entries, verdict, date(2027, 1, 31))
    assert [one.accepted for one in verdict.broken] == ["ticket 7", ""]
    assert verdict.exit == Exit.WRONG
    late = _verdict()
    baseline.apply(entries, late, date(2027, 2, 1))
    assert not any(one.accepted for one in late.broken)
    assert "accepted until 2027-01-31" in late.untested[0]


def test_an_entry_that_fits_nothing_is_named():
    """A deviation that is gone is no longer worth an entry, and the report says so."""
    verdict = Verdict()
    baseline.apply([baseline.Accepted("YS-ENV-03", "old", date(2030, 1, 1))], verdict, date(2027, 1, 1))
    assert verdict.untested == ["baseline: YS-ENV-03 is accepted but no longer broken"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("x", "cannot be read"),
        ('[[accept]]\nrule = "YS-ENV-03"\n', "needs rule, reason and until"),
        ('[[accept]]\nrule = "YS-X"\nreason = "r"\nuntil = 2027-01-31\n', "no rule YS-X"),
        ('[[accept]]\nrule = "YS-ENV-03"\nreason = "r"\nuntil = "soon"\n', "a reason and a date"),
    ],
)
def test_a_baseline_that_cannot_be_used_says_why(tmp_path, text, sentence):
    """Each way to write it wrong has its sentence."""
    file = tmp_path / "baseline.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=sentence):
        baseline.load(file)
