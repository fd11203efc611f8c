"""A day recorded is the day replayed, byte for byte, and without a key."""

import json

import pytest
from click.testing import CliRunner

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx
from simulator.pbx.engine import Engine
from simulator.pbx.live import play
from simulator.pbx.plan import Plan, shots
from simulator.pbx.recording import read, replayed


@pytest.fixture
def day(provider, target, tmp_path):
    """The ledger file of a run with good and bad messages, and the bodies the provider got."""
    path = tmp_path / "pbx.sqlite"
    provider.script = ["10007"]
    plan = Plan(rate=60, duration=1, seed=4, weights={"office": 2, "careless": 1, "apprise": 1})
    with PbxLedger(path) as ledger:
        play(Engine(target, ledger, "monday"), shots(plan))
    bodies = [body for _, body in provider.seen]
    provider.seen.clear()
    return path, bodies


def _pbx(*words):
    return CliRunner().invoke(pbx, [str(word) for word in words], env={"YEASTAR_API_KEY": "ysk_test"})


@pytest.mark.parametrize("name", ["day.har", "day.jsonl"])
def test_recording_is_replayed_byte_for_byte(provider, day, tmp_path, name):
    """Recorded to HAR or JSONL and replayed at ten times the pace, the same bytes arrive; outcomes are compared."""
    path, bodies = day
    file = tmp_path / name
    assert _pbx("record", file, "--run", "monday", "--ledger", path).exit_code == 0
    assert "ysk_" not in file.read_text(encoding="utf-8")
    words = ["--send-url", f"{provider.url}/send", "--ledger", path, "--json"]
    result = _pbx("replay", file, "--speed", 10, *words)
    assert sorted(body for _, body in provider.seen) == sorted(bodies)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["changed"]) == (1, {"10007 -> 200": 1})
    assert report["same"] == len(bodies) - 1


def test_failure_is_saved_as_a_scenario(provider, day, tmp_path):
    """A recorded message becomes a scenario that sends the same bytes and expects the same again."""
    path, _ = day
    story = tmp_path / "failure.yaml"
    assert _pbx("record", story, "--attempt", 1, "--ledger", path).exit_code == 0
    words = ["run", story, "--send-url", f"{provider.url}/send", "--ledger", tmp_path / "l"]
    assert _pbx(*words).exit_code == 1
    provider.script = ["10007"]
    assert _pbx(*words).exit_code == 0
    assert len({body for _, body in provider.seen}) == 1


def test_replay_keeps_the_pace(day, tmp_path):
    """At speed 2 everything is due in half the time, at 0 at once."""
    path, _ = day
    file = tmp_path / "day.jsonl"
    _pbx("record", file, "--ledger", path)
    entries = read(file)
    assert [shot.due for shot in replayed(entries, 0)] == [0] * len(entries)
    normal, fast = ([shot.due for shot in replayed(entries, speed)] for speed in (1, 2))
    assert fast == pytest.approx([due / 2 for due in normal])
    assert 0.5 < normal[-1] < 1.5


def test_foreign_har_is_read(tmp_path, provider):
    """A HAR of a browser or proxy is read: POSTs only, its Authorization left behind, no persona needed."""
    entry = {
        "startedDateTime": "2026-03-25T10:30:12.000Z",
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": "https://provider.test/send?trace=1",
            "headers": [{"name": "Authorization", "value": "Bearer ysk_leaked"}],
            "postData": {"mimeType": "application/json", "text": '{"to": "+639171234567"}'},
        },
        "response": {"status": 0, "content": {}},
    }
    got = {**entry, "request": {"method": "GET", "url": "https://provider.test/verify"}}
    path = tmp_path / "foreign.har"
    path.write_text(json.dumps({"log": {"entries": [got, entry]}}), encoding="utf-8")
    (read_entry,) = read(path)
    assert (read_entry.status, read_entry.result, read_entry.seconds) == (None, "silence", 0.0125)
    assert "leaked" not in repr(read_entry)
    result = _pbx("replay", path, "--send-url", f"{provider.url}/send", "--ledger", tmp_path / "l")
    assert (result.exit_code, "silence -> 200" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("x.har", "{", "x.har is no recording"),
        ("x.har", "{}", "x.har is no recording"),
        ("x.har", '{"log": {"entries": [{"request": {"method": "POST"}}]}}', "x.har, entry 1 is no recorded"),
        ("x.jsonl", "[]\n", "x.jsonl, entry 1 is no recorded"),
    ],
)
def test_bad_recordings_are_sentences(tmp_path, name, content, sentence):
    """What is no recording is refused in a sentence with file and place."""
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    result = _pbx("replay", path, "--send-url", "http://127.0.0.1:9", "--ledger", tmp_path / "l")
    assert (result.exit_code, sentence in result.output) == (2, True)


def test_strangers_are_not_replayed_to(day, tmp_path):
    """Beyond loopback a recording with unknown recipients is refused before anything leaves."""
    path, _ = day
    file = tmp_path / "day.jsonl"
    _pbx("record", file, "--ledger", path)
    far = ["--send-url", "https://provider.test/send", "--to", "+639171234567", "--i-own-this-target"]
    result = _pbx("replay", file, *far, "--ledger", path)
    assert (result.exit_code, "has not agreed" in result.output) == (2, True)


def test_empty_run_is_not_recorded_silently(day, tmp_path):
    """Recording a run that is not there is exit 3."""
    assert _pbx("record", tmp_path / "x.har", "--run", "tuesday", "--ledger", day[0]).exit_code == 3
    assert read(tmp_path / "x.har") == []
