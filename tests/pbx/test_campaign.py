"""A campaign writes to everybody once, whatever happens in between."""

import json
import signal
import subprocess
import sys
import threading
import time

import pytest
from click.testing import CliRunner

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.campaign import Campaign
from simulator.pbx.cli import pbx
from simulator.pbx.contacts import MOST, Contact, fill, read_contacts

CONTACTS = [Contact(f"+6391712{n:05d}", {"name": f"N{n}"}) for n in range(30)]


@pytest.fixture
def campaign(tmp_path):
    """A campaign of thirty, and the states it went through in `.states`."""
    states = []
    made = Campaign("sale", "+630000000001", "Hi {name}", CONTACTS, tmp_path / "sale.campaign.json", states.append)
    return made, states


def _texts(provider):
    return [message["text"] for message in provider.received]


def test_everybody_gets_their_own_text_once(provider, target, ledger, campaign):
    """Draft, executing, completed; each contact is sent the text with the row's own words, in order of the rate."""
    plan, states = campaign
    tally = plan.execute(target, ledger, rate=500)
    assert states == ["executing", "completed"]
    assert sorted(_texts(provider)) == sorted(f"Hi N{n}" for n in range(30))
    assert tally.outcomes == {"sent": 30}
    assert plan.execute(target, ledger, rate=500).started == 0


def test_refused_are_sent_again_only_when_asked(provider, target, ledger, campaign):
    """Resuming leaves refusals alone; retrying sends exactly those again."""
    plan, states = campaign
    provider.script = ["10006"] * 4
    plan.execute(target, ledger, rate=500)
    assert plan.execute(target, ledger, rate=500).started == 0
    assert plan.execute(target, ledger, rate=500, retry=True).started == 4
    assert states[-2:] == ["retrying", "completed"]
    assert sorted(_texts(provider)) == sorted(f"Hi N{n}" for n in range(30))


def test_silence_stops_it_and_nobody_is_written_to_twice(target_at, provider, ledger, campaign):
    """Five messages without any answer stop the campaign; after that only the untried are written to."""
    plan, states = campaign
    plan.execute(target_at("http://127.0.0.1:9"), ledger, rate=100)
    assert states == ["executing", "stop"]
    tried = len(list(ledger.attempts(plan.run)))
    assert 5 <= tried < 30
    plan.execute(target_at(provider.url), ledger, rate=500)
    assert (states[-1], len(provider.received)) == ("completed", 30 - tried)


def test_second_campaign_is_pending_while_the_first_runs(provider, target, ledger, tmp_path, campaign):
    """One campaign at a time: the other waits in state pending, then executes."""
    first, _ = campaign
    states = []
    second = Campaign("other", "+631", "Hello", CONTACTS[:3], tmp_path / "other.campaign.json", states.append)
    with first._alone(first.path):
        waiter = threading.Thread(target=second.execute, args=(target, ledger, 500))
        waiter.start()
        deadline = time.monotonic() + 5
        while states != ["pending"] and time.monotonic() < deadline:
            time.sleep(0.005)
        assert states == ["pending"]
    waiter.join()
    assert states == ["pending", "executing", "completed"]
    assert len(provider.received) == 3


def test_scheduled_campaign_waits_for_its_time(campaign):
    """It is scheduled until its time has come, and looks at the clock at least every second."""
    plan, states = campaign
    now = [100.0]

    def sleep(seconds):
        now[0] += seconds

    plan.wait_until(102.5, lambda: now[0], sleep)
    assert (states, now) == (["scheduled"], [102.5])


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("c.csv", "number\n+639171234567\n639171234568\n", r"line 3: '639171234568' is not in E.164.*dropped the \+"),
        ("c.csv", "number\n+639171234567\n+639171234567\n", "line 3: .* is also in line 2"),
        ("c.csv", "who\nme\n", "needs a column named number"),
        ("c.csv", "number\n", "has no contacts"),
        ("c.csv", "number\n" + "\n".join(f"+6391712{n:05d}" for n in range(MOST + 1)), "at most 1000 contacts.*1001"),
        ("c.json", "{", "cannot be read"),
        ("c.json", "[1]", "neither a string nor an object"),
    ],
)
def test_bad_contacts_are_named(tmp_path, name, content, sentence):
    """What is wrong with a contacts file is a sentence with file and line."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        read_contacts(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.csv", '\ufeffname,phone\n"Cruz, Ana",+639171234567\n'),
        ("c.json", '[{"phone": "+639171234567", "name": "Cruz, Ana"}]'),
    ],
)
def test_plus_survives(tmp_path, name, content):
    """The + of a number and the comma of a name survive CSV and JSON."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    (contact,) = read_contacts(path)
    assert (contact.number, fill("Dear {name}!", contact.fields)) == ("+639171234567", "Dear Cruz, Ana!")


@pytest.fixture
def files(tmp_path):
    """A contacts file of a hundred and the words of a command that uses it."""
    path = tmp_path / "people.csv"
    path.write_text("number\n" + "\n".join(f"+6391712{n:05d}" for n in range(100)), encoding="utf-8")
    return [str(path), "Hello", "--ledger", str(tmp_path / "pbx.sqlite"), "--json"]


def _campaign(url, *words):
    return CliRunner().invoke(
        pbx, ["campaign", "--send-url", f"{url}/send", *words], env={"YEASTAR_API_KEY": "ysk_test"}
    )


def test_killed_campaign_is_resumed(provider, files, tmp_path):
    """After kill -9 in the middle the same command goes on, and nobody is written to twice."""
    words = [sys.executable, "-m", "simulator", "pbx", "campaign", "--send-url", f"{provider.url}/send", *files]
    environ = {"YEASTAR_API_KEY": "ysk_test"}
    child = subprocess.Popen([*words, "--rate", "100"], env=environ, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while len(provider.received) < 30 and time.monotonic() < deadline:
        time.sleep(0.005)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    result = _campaign(provider.url, *files, "--rate", "1000")
    assert (result.exit_code, json.loads(result.stdout)["state"]) == (0, "completed"), result.output
    numbers = [message["to"] for message in provider.received]
    assert len(numbers) == len(set(numbers))
    with PbxLedger(tmp_path / "pbx.sqlite") as ledger:
        assert len(list(ledger.attempts("campaign people"))) == 100


def test_dry_run_is_a_draft(provider, files):
    """A dry run checks everything, sends nothing and leaves a draft."""
    result = _campaign(provider.url, *files, "--dry-run")
    assert json.loads(result.stdout) == {"name": "people", "state": "draft", "contacts": 100}
    assert provider.seen == []


def test_usage_errors_are_sentences(provider, files):
    """An unknown column, a name in use, and strangers beyond loopback are refused before anything leaves."""
    assert "no such column" in _campaign(provider.url, files[0], "Dear {nobody}", *files[2:]).output
    assert _campaign(provider.url, *files, "--rate", "5000").exit_code == 0
    assert "another campaign named people" in _campaign(provider.url, files[0], "Other", *files[2:]).output
    far = ["--send-url", "https://provider.test/send", "--to", "+639171200000", "--i-own-this-target"]
    result = CliRunner().invoke(pbx, ["campaign", *far, *files], env={"YEASTAR_API_KEY": "k"})
    assert (result.exit_code, "has not agreed" in result.output) == (2, True)
