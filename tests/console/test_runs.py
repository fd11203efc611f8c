"""Runs: started as the command line would, watched, stopped, played again and compared, on a real lab."""

import json
import re
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from contracts.target import Target
from simulator.console.children import Children, Started
from simulator.console.lab import LabView
from simulator.console.reports import CSP
from simulator.pbx.world import until
from tests.console.conftest import TO, open_bench, target

TRAFFIC = {"profile": "steady", "rate": "20", "duration": "2", "mix": "office=1", "seed": "7"}


@pytest.fixture
def desk(lab, tmp_path):
    """A console on the running lab, with a target file of its own and what it starts ended with it."""
    file = tmp_path / "lab.toml"
    file.write_text(
        f'send_url = "{lab.send_url}"\nverify_url = "{lab.verify_url}"\nfrom = "{lab.from_number}"\n'
        f'[carrier]\nurl = "{lab.carrier_url}"\n'
    )
    told = Target(lab.send_url, lab.verify_url, lab.key, lab.from_number, TO, carrier={"url": lab.carrier_url})
    with open_bench(LabView(told, file), tmp_path / "index.sqlite") as bench:
        bench.children = bench.client.application.extensions["runs"]
        try:
            yield bench
        finally:
            bench.children.close()


def begins(bench, **form: str) -> str:
    """Start a run; its name."""
    answer = bench.posts("/runs", **form)
    assert answer.status_code == 303, answer.text
    return answer.location.partition("/runs/of/")[2]


def ends(bench, run: str, word: str) -> str:
    """Wait until the run has ended as it should; its page."""
    for _ in until(Event(), 60):
        bench.rows()
        state = bench.children.state(bench.children.one(run))
        if state not in {"running", "stopping"}:
            break
    assert state == word, bench.children.one(run).output
    bench.rows()
    return bench.get(f"/runs/of/{run}")


def test_traffic_is_started_watched_and_played_again(desk):
    """A profile runs in the tester's room, its page counts it against the plan, and a replay sends the same bytes."""
    desk.client.set_cookie("room", "anna")
    first = begins(desk, kind="traffic", **TRAFFIC)
    page = ends(desk, first, "fine")
    again = begins(desk, again=first)
    ends(desk, again, "fine")
    texts = {run: sorted(row["text"] for row in desk.rows() if row["run"] == run) for run in (first, again)}

    assert first.startswith("anna/traffic-")
    assert first != again
    assert texts[first] == texts[again] != []
    assert f'{len(texts[first])}</strong> <span class="dim">of about 40' in page
    assert 'class="planned" points=' in page
    assert 'seed <strong class="mono">7' in page
    assert f"smslab pbx traffic --profile steady --rate 20 --duration 2 --seed 7 --mix office=1 --run {first}" in page
    compared = desk.get("/runs/compare", run=[first, again])
    assert compared.count("seed 7") == 2
    assert "differs" not in re.sub(r"p[59][05].*", "", compared)


def test_a_run_is_stopped_by_its_own_hand_only(desk):
    """Stop interrupts the run, which ends in order; what this console did not start it does not touch."""
    run = begins(desk, kind="traffic", **(TRAFFIC | {"duration": "600"}))
    for _ in until(Event(), 30):
        if desk.rows():
            break
    assert "Stop" in desk.get(f"/runs/of/{run}")
    with subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"]) as stranger:
        desk.posts("/runs/stop", run=str(stranger.pid))
        desk.posts("/runs/stop", run=run)
        page = ends(desk, run, "stopped")
        alive = stranger.poll() is None
        stranger.terminate()

    assert alive
    assert json.loads(desk.children.one(run).output.splitlines()[-1])["finished"] > 0
    assert ">Stop<" not in page
    assert "stopped" in desk.get("/runs")


def test_a_campaign_writes_to_everybody_it_was_given(desk):
    """Contacts are pasted, the run is theirs, and its command is the campaign's; a text may begin with a dash."""
    run = begins(
        desk, kind="campaign", contacts="+639171234501\r\n+639171234502\r\n", text="--dear {number}", rate="50"
    )
    page = ends(desk, run, "fine")

    sent = [row["text"] for row in desk.rows() if row["run"] == run]
    assert sorted(sent) == ["--dear +639171234501", "--dear +639171234502"]
    assert 'class="dim">of 2<' in page
    assert "smslab pbx campaign" in page


def test_a_scenario_is_played_against_the_lab(desk):
    """A story is told step by step, its messages are its run's, and it ends as its exit code says."""
    desk.client.set_cookie("room", "anna")
    run = begins(desk, kind="scenario", scenario="wrong-key", seed="11")
    page = ends(desk, run, "fine")

    assert "smslab pbx run --seed 11 --run anna/scenario-" in page
    assert "ok   " in page
    assert {row["run"] for row in desk.rows()} == {run}


def test_what_failed_can_be_saved_as_a_test(desk):
    """A failure of a run stands on its page with a link to the test that repeats it."""
    run = begins(desk, kind="scenario", scenario="wrong-key")
    page = ends(desk, run, "fine")
    link = re.search(r'href="(/messages/\d+/snippet.pytest)"', page)[1]

    assert "10004" in page
    assert "def test_attempt_" in desk.get(link)


def test_the_key_is_in_no_argument_and_no_page(desk, lab):
    """The child gets the key by its environment; command, output and what is kept do not have it."""
    run = begins(desk, kind="traffic", **TRAFFIC)
    page = ends(desk, run, "fine")
    kept = [file.read_bytes() for file in desk.lab.directory.glob("runs/*/*")]

    assert kept
    assert not [text for text in [page.encode(), *kept] if lab.key.encode() in text]


def test_runs_stay_listed(desk, tmp_path):
    """A console that is started anew lists what ran with how it ended, and cannot stop what another had started."""
    run = begins(desk, kind="campaign", contacts=TO, text="Hi", rate="10")
    ends(desk, run, "fine")
    left = Started("anna/old", "anna", "traffic", "old", 1.0, ["pbx"], TRAFFIC)
    place = desk.children.place(left.run)
    (place / "run.json").write_text(json.dumps({"run": left.run, "room": "anna", "kind": "traffic", "title": "old",
                                                "at": 1.0, "words": ["pbx"], "plan": TRAFFIC}))  # fmt: skip
    with open_bench(desk.lab, tmp_path / "index.sqlite") as later:
        page = later.get("/runs")
        assert not later.client.application.extensions["runs"].stop(run)

    assert run in page
    assert "left behind by a console that is gone" in page


def test_a_room_sees_its_own_runs(desk):
    """The list is the room's; everyone's is one click away."""
    desk.client.set_cookie("room", "anna")
    run = begins(desk, kind="campaign", contacts=TO, text="Hi", rate="10")
    ends(desk, run, "fine")

    assert run in desk.get("/runs")
    assert run not in desk.get("/runs", room="ben")
    assert run in desk.get("/runs", room="*")


REFUSED = [
    ({"kind": "traffic", "profile": "steady", "rate": "many", "duration": "1", "mix": "office=1"}, "a number above 0"),
    ({"kind": "traffic", "profile": "steady", "rate": "1e9", "duration": "1", "mix": "office=1"}, "a number above 0"),
    ({"kind": "traffic", "profile": "<b>", "rate": "1", "duration": "1", "mix": "office=1"}, "no profile"),
    ({"kind": "campaign", "text": "Hi", "rate": "1"}, "Say the contacts"),
    ({"kind": "rm -rf"}, "no run of the kind"),
]


@pytest.mark.parametrize(("form", "sentence"), REFUSED, ids=[f"{number}" for number, _ in enumerate(REFUSED)])
def test_a_form_that_is_not_enough_is_said(form, sentence, bench):
    """What cannot be started is said in one sentence beside the form, and nothing is started."""
    answer = bench.posts("/runs", **form)

    assert answer.status_code == 400
    assert sentence in answer.text
    assert "<b>" not in answer.text
    assert not list(bench.lab.directory.glob("runs/*"))


def test_a_foreign_target_gets_no_runs(tmp_path):
    """Beyond loopback nothing is sent unless the target is the visitor's own."""
    with open_bench(LabView(target("https://sms.example/send"), tmp_path / "lab.toml"), tmp_path / "i.sqlite") as bench:
        assert bench.posts("/runs", kind="traffic", **TRAFFIC).status_code == 403


def test_what_nobody_ran_is_not_there(bench):
    """A run, a report or a comparison that does not exist is an error page with one sentence."""
    assert bench.client.get("/runs/of/nobody").status_code == 404
    assert bench.client.get("/runs/reports/0123456789abcdef").status_code == 404
    assert bench.client.get("/runs/compare?run=one").status_code == 400


def test_a_run_from_a_terminal_is_shown_too(bench):
    """A run that was not started here has its figures and its failures, and no button to stop it."""
    for number in range(3):
        bench.sends(f"order-{number}", run="ben/terminal")
        bench.clock.now += 2
    bench.answers(bench.tries("no", run="ben/terminal"), None, 400, "10001")
    bench.rows()
    page = bench.get("/runs/of/ben/terminal")

    assert "Not started here" in page
    assert "<strong>1</strong> 400 10001" in page
    assert "snippet.pytest" in page
    assert ">Stop<" not in page
    assert "ben/terminal" in bench.get("/runs")
    live = bench.client.get("/runs/live/ben/terminal")
    assert bench.client.get(f"/runs/live/ben/terminal?have={live.headers['X-State']}").status_code == 204


def test_reports_are_shown_behind_a_policy_of_their_own(bench):
    """Contract and load reports in the lab's directory are listed and served locked up; without any that is said."""
    if not list(Path("var").glob("*/report.html")):
        assert "No report yet" in bench.get("/runs")
    place = bench.lab.directory / "load" / "steady-1"
    place.mkdir(parents=True)
    (place / "report.html").write_text("<title>Load: &lt;steady&gt;</title><script>alert(1)</script>")
    (bench.lab.directory / "contract.html").write_text("<title>It conforms</title>")
    page = bench.get("/runs")
    link = re.search(r'href="(/runs/reports/\w+)"[^>]*>Load: &lt;steady&gt;<', page)[1]
    answer = bench.client.get(link)

    assert "It conforms" in page
    assert answer.headers["Content-Security-Policy"] == CSP
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert str(bench.lab.directory / "load") not in link


def test_a_console_that_ends_takes_its_runs_with_it(desk):
    """Closing the console interrupts what it started and waits for it."""
    run = begins(desk, kind="traffic", **(TRAFFIC | {"duration": "600"}))
    for _ in until(Event(), 30):
        if desk.rows():
            break
    desk.children.close()
    later = Children(desk.lab.directory / "runs")

    assert later.state(later.one(run)) == "stopped"
