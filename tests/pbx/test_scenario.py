"""Scenarios: mistakes named by file, line and step; played against any provider; the exit code is the verdict."""

import json
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from contracts.exits import Exit
from simulator.pbx.cli import pbx
from simulator.pbx.scenario import ScenarioFault, load, needs, pack, validator
from simulator.pbx.scenarios import worst

GOOD = """
about: Two messages and a refusal.
pbxs:
  main: {}
  other: {key: wrong, habits: {timeout: 2}}
data:
  people: {faker: 2}
  list: {csv: people.csv}
steps:
  - verify: {challenge: abc}
  - repeat:
      each: people
      steps:
        - send: {to: "${row.number}", text: "Hi ${row.name} ${n}"}
          expect: {status: 200, id: ~^ID, seconds: "< 5"}
          save: {first: id}
  - repeat:
      each: list
      steps:
        - send: {to: "${row.number}"}
  - parallel:
      - - pbx: other
          send: {}
          expect: {status: 401, send_error: auth_fail, findings: ~.}
      - - traffic: {rate: 20, duration: 0.5}
          expect: {outcomes.sent: ">= 1", outcomes.10006: 0}
      - - campaign: {contacts: 3, text: "Dear {name}", rate: 100}
          expect: {state: completed}
  - wait: 0.01
  - name: the provider's own words
    send: {raw: {text: null, extra: 1}}
"""


@pytest.fixture
def play(tmp_path):
    """`play(url, text, *words)` plays a scenario's text against the provider at `url`."""

    def runner(url, text, *words):
        (tmp_path / "people.csv").write_text("number,name\n+639171234561,Ana\n", encoding="utf-8")
        path = tmp_path / "story.yaml"
        path.write_text(text, encoding="utf-8")
        urls = ["--send-url", f"{url}/send", "--verify-url", f"{url}/verify", "--ledger", str(tmp_path / "l")]
        return CliRunner().invoke(pbx, ["run", str(path), *urls, *words], env={"YEASTAR_API_KEY": "ysk_test"})

    return runner


def test_good_scenario_is_played_step_by_step(provider, play):
    """Every kind of step that needs no carrier is played, in order, with its data."""
    result = play(provider.url, GOOD)
    assert result.exit_code == 0, result.output
    assert [line[:2] for line in result.output.splitlines()[:-1]] == ["ok"] * 9
    texts = [message.get("text") for message in provider.received]
    assert [text[-1] for text in texts[:2]] == ["0", "1"]
    assert sum(str(text).startswith("Dear ") for text in texts) == 3
    assert provider.received[-1] == {"from": "+630000000001", "to": "+639171234567", "text": None, "extra": 1}


def test_failed_expectation_says_what_was_instead(provider, play, tmp_path):
    """A step that goes wrong ends the scenario with exit 1, in text, JSON and JUnit alike."""
    provider.script = ["10006"]
    text = "about: x\nsteps:\n  - send: {text: one}\n  - send: {text: two}\n"
    result = play(provider.url, text, "--json", "--junit", str(tmp_path / "junit.xml"))
    (played,) = json.loads(result.stdout)
    assert (result.exit_code, played["verdict"], len(played["steps"])) == (1, "WRONG", 1)
    assert played["steps"][0]["complaints"] == ["delivery_status is 2, not 1", "the provider's words: why 10006"]
    suite = ET.parse(tmp_path / "junit.xml").getroot().find("testsuite")  # noqa: S314 - our own file
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    assert suite.find("testcase").get("name") == "story.yaml, line 3, step 1: send"
    assert provider.received == []


def test_failed_branch_ends_the_others(provider, play):
    """When a parallel branch goes wrong, the waits of the others end and nothing more is sent."""
    text = (
        "about: x\nsteps:\n  - parallel:\n      - - send: {}\n          expect: {status: 500}\n"
        "      - - wait: 600\n        - send: {text: never}\n"
    )
    assert play(provider.url, text).exit_code == 1
    assert [message["text"] for message in provider.received] == ["Hello from Yeastar"]


def test_seed_decides_people_texts_and_challenges(provider, play):
    """The same seed sends the same bytes, challenges included; another one, from the command line, sends others."""
    text = (
        "about: x\ndata:\n  people: {faker: 2}\nsteps:\n  - verify: {}\n  - traffic: {rate: 40, duration: 0.2}\n"
        '  - repeat:\n      each: people\n      steps:\n        - send: {to: "${row.number}", text: "${row.name}"}\n'
    )
    days = []
    for words in ([], [], ["--seed", "8"]):
        assert play(provider.url, text, *words).exit_code == 0
        days.append(sorted((environ["QUERY_STRING"], body) for environ, body in provider.seen))
        provider.seen.clear()
    assert days[0] == days[1]
    assert days[0][-1] != days[2][-1]
    (played,) = json.loads(play(provider.url, text, "--seed", "8", "--json").stdout)
    assert played["seed"] == 8


def test_step_is_repeated_within_its_time(provider, play):
    """`within` does a step again until it is as expected."""
    provider.script = ["10007", "10006"]
    result = play(provider.url, "about: x\nsteps:\n  - within: 5\n    send: {}\n")
    assert (result.exit_code, len(provider.received)) == (0, 1)


def test_answers_outside_the_contract_are_wrong_by_themselves(talker, play):
    """Without asking for it, every answer is judged against the contract."""
    url = talker(lambda c, _: c.sendall(b"HTTP/1.1 403 X\r\nContent-Length: 4\r\n\r\nnope"))
    result = play(url, "about: x\nsteps:\n  - send: {}\n    expect: {status: 403}\n")
    assert (result.exit_code, "not one error in an envelope" in result.output) == (1, True)


def test_silent_provider_cannot_be_tested(play):
    """A provider that does not answer is exit 3 and one sentence."""
    result = play("http://127.0.0.1:9", "about: x\nsteps:\n  - send: {}\n")
    assert (result.exit_code, "refuses connections" in result.output) == (3, True)


def test_budget_of_the_target_is_kept(provider, tmp_path):
    """No more messages than `max_accepted` are sent, in whatever steps; then the scenario stops and says so."""
    (tmp_path / "key").write_text("ysk_test", encoding="utf-8")
    (tmp_path / "t.toml").write_text(
        f'send_url = "{provider.url}/send"\nkey_file = "key"\nmax_accepted = 4\n', encoding="utf-8"
    )
    (tmp_path / "s.yaml").write_text(
        "about: x\nsteps:\n  - send: {}\n  - traffic: {rate: 20, duration: 0.5}\n  - send: {}\n", encoding="utf-8"
    )
    words = ["--target", str(tmp_path / "t.toml"), "--ledger", str(tmp_path / "l")]
    result = CliRunner().invoke(pbx, ["run", str(tmp_path / "s.yaml"), *words])
    assert (result.exit_code, len(provider.received)) == (2, 4)
    assert "line 5, step 3: As many messages as the target bears" in result.output


def test_carrier_that_is_not_there_cannot_be_tested(provider, play):
    """A carrier that does not answer is exit 3 and one sentence."""
    result = play(provider.url, "about: x\nsteps:\n  - fault: {kind: outage}\n", "--carrier-url", "http://127.0.0.1:9")
    assert (result.exit_code, "No fake carrier answers" in result.output) == (3, True)


def test_what_cannot_be_reached_is_exit_four(provider, play):
    """A scenario that needs a carrier or the lab is left out, and says what it needs."""
    text = "about: x\nsteps:\n  - fault: {kind: outage}\n  - gateway: [key, list, Lab]\n"
    result = play(provider.url, text)
    assert (result.exit_code, "story needs carrier, gateway" in result.output) == (4, True)
    assert provider.seen == []


def test_dry_run_shows_steps_and_sends_nothing(provider, play):
    """--dry-run checks the file and shows each step with its line."""
    result = play(provider.url, GOOD, "--dry-run")
    assert result.exit_code == 0
    assert "story.yaml, line 14, step 2.1: send" in result.output
    assert provider.seen == []


BAD = [
    ("steps: [", "line 1: not YAML"),
    ("about: x\nsteps: []", "line 2"),
    ("steps:\n  - send: {}", '"about" is a required'),
    (
        "about: x\nsteps:\n  - send: {}\n  - shout: {}",
        "story.yaml, line 4, step 2: there is no step 'shout'; there are: ver",
    ),
    ("about: x\nsteps:\n  - send: {}\n    verify: {}", r"line 3, step 1: a step does one thing"),
    ("about: x\nsteps:\n  - name: nothing", "line 3, step 1: a step does one thing, not none"),
    ("about: x\nsteps:\n  - repeat:\n      steps:\n        - wait: long", r"line 5, step 1.1: .*number"),
    ("about: x\nsteps:\n  - send: {tex: hi}", "line 3, step 1: .*tex"),
]


@pytest.mark.parametrize(("text", "sentence"), BAD)
def test_mistakes_are_named_by_file_line_and_step(tmp_path, text, sentence):
    """What is wrong with a scenario file is one sentence that says where."""
    path = tmp_path / "story.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioFault, match=sentence):
        load(path)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [
        ('send: {text: "${nobody.name}"}', "line 3, step 1: There is no variable ${nobody.name} here."),
        ("pbx: nobody\n    send: {}", "There is no PBX named 'nobody'"),
        ("repeat: {each: nobody, steps: [{wait: 0}]}", "There is no data named 'nobody'"),
        ("campaign: {contacts: missing.csv, text: x, rate: 1}", "missing.csv cannot be read"),
        ("traffic: {rate: 1, duration: 1, mix: nobody}", "There is no persona 'nobody'"),
    ],
)
def test_steps_that_cannot_be_are_usage_errors(provider, play, step, sentence):
    """A step that names what is not there stops the run with exit 2 and says where."""
    result = play(provider.url, f"about: x\nsteps:\n  - {step}\n")
    assert (result.exit_code, sentence in result.output) == (2, True), result.output


def test_missing_scenario_is_a_sentence():
    """A name that is neither a file nor in the pack is exit 2."""
    result = CliRunner().invoke(pbx, ["run", "nonsense", "--lab"])
    assert (result.exit_code, "no ready scenario 'nonsense'" in result.output) == (2, True)
    assert CliRunner().invoke(pbx, ["run", "--lab"]).exit_code == 2
    assert CliRunner().invoke(pbx, ["run", "first-day", "--lab", "--to", "+1"]).exit_code == 2


def test_pack_is_ready():
    """At least fifteen scenarios, each valid, each with a sentence that ends."""
    scenarios = [load(path) for path in pack().values()]
    assert len(scenarios) >= 15
    assert all(scenario.about.endswith(".") for scenario in scenarios)
    assert {part for scenario in scenarios for part in needs(scenario)} == {"carrier", "gateway"}
    assert validator().is_valid({"about": "x", "steps": [{"wait": 1}]})


def test_worst_verdict_wins():
    """Wrong before not tested before not all reached before fine."""
    assert worst([Exit.FINE, Exit.NOT_ALL_REACHED, Exit.COULD_NOT_TEST, Exit.WRONG]) is Exit.WRONG
    assert worst([Exit.FINE, Exit.NOT_ALL_REACHED, Exit.COULD_NOT_TEST]) is Exit.COULD_NOT_TEST
    assert worst([Exit.FINE]) is Exit.FINE
