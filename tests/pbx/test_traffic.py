"""`smslab pbx traffic` as a person or a pipeline uses it."""

import csv
import json
import signal
import subprocess
import sys
import time

from click.testing import CliRunner

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.cli import pbx
from simulator.pbx.pacing import PROFILES
from simulator.pbx.personas import PERSONAS


def _traffic(*words, key="ysk_test"):
    return CliRunner().invoke(pbx, ["traffic", *words], env={"YEASTAR_API_KEY": key})


def test_command_reports_and_names_its_seed(provider, tmp_path):
    """The command prints its seed and counts, and exit 0 says that every answer kept to the contract."""
    words = [
        "--send-url",
        f"{provider.url}/send",
        "--rate",
        "50",
        "--duration",
        "0.5",
        "--even",
        "--seed",
        "7",
        "--json",
    ]
    result = _traffic(*words, "--ledger", str(tmp_path / "l"))
    report = json.loads(result.stdout)
    assert (result.exit_code, report["seed"], report["started"], report["outcomes"]) == (0, 7, 25, {"sent": 25})


def test_command_says_wrong_and_silent(talker, tmp_path):
    """An answer outside the contract is exit 1; nothing but silence is exit 3."""
    url = talker(lambda c, _: c.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}"))
    words = ["--rate", "5", "--duration", "0.5", "--even", "--ledger", str(tmp_path / "l")]
    assert _traffic("--send-url", url, *words).exit_code == 1
    assert _traffic("--send-url", "http://127.0.0.1:9", *words).exit_code == 3


def test_keys_file_gives_each_pbx_number_key_and_share(provider, tmp_path):
    """A JSONL file names PBXs; a broken line is named by number."""
    provider.keys = {"k1", "k2"}
    path = tmp_path / "keys.jsonl"
    path.write_text('{"key": "k1", "from": "+631", "rate": 9}\n{"key": "k2", "from": "+632"}\n', encoding="utf-8")
    words = [
        "--send-url",
        f"{provider.url}/send",
        "--rate",
        "100",
        "--duration",
        "0.5",
        "--ledger",
        str(tmp_path / "l"),
    ]
    assert _traffic(*words, "--keys", str(path)).exit_code == 0
    shares = [message["from"] for message in provider.received]
    assert shares.count("+631") > 3 * shares.count("+632") > 0
    path.write_text('{"key": "k1"}\n[1]\n', encoding="utf-8")
    result = _traffic(*words, "--keys", str(path))
    assert (result.exit_code, "keys.jsonl, line 2" in result.output) == (2, True)


def test_dry_run_sends_nothing(provider):
    """--dry-run prints how much it would be and the fingerprint, and the provider sees nothing."""
    words = ["--send-url", f"{provider.url}/send", "--seed", "7", "--dry-run", "--json"]
    first, second = (json.loads(_traffic(*words).stdout) for _ in range(2))
    assert first == second
    assert (len(first["fingerprint"]), provider.seen) == (64, [])


def test_ctrl_c_waits_for_open_answers_and_reports(provider, tmp_path):
    """SIGINT ends the sending, every open attempt is closed, and the report is still printed."""
    path = tmp_path / "pbx.sqlite"
    words = ["pbx", "traffic", "--send-url", f"{provider.url}/send", "--rate", "100", "--duration", "60", "--json"]
    environ = {"YEASTAR_API_KEY": "ysk_test"}
    words = [sys.executable, "-m", "simulator", *words, "--ledger", str(path)]
    with subprocess.Popen(words, env=environ, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 20
        while len(provider.received) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        report = json.loads(process.communicate(timeout=20)[0])
    assert (process.returncode, report["started"]) == (0, len(provider.received))
    with PbxLedger(path) as ledger:
        assert [a.status for a in ledger.attempts()] == [200] * report["started"]


def test_samples_show_planned_and_actual(provider, tmp_path):
    """--samples writes a JSON line a second, and one at the end, with the planned rate beside what was sent."""
    path = tmp_path / "samples.jsonl"
    words = ["--send-url", f"{provider.url}/send", "--profile", "ramp", "--rate", "40", "--duration", "2.5", "--even"]
    assert _traffic(*words, "--samples", str(path), "--ledger", str(tmp_path / "l")).exit_code == 0
    first, second, last = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    assert (first["second"], first["planned"], second["planned"]) == (1, 8.0, 24.0)
    assert first["started"] < second["started"] <= 26
    assert second["outcomes"]["sent"] <= first["started"] + second["started"]
    assert last["outcomes"]["sent"] == last["created"] == first["started"] + second["started"] + last["started"]


def test_samples_are_sipps_csv_if_asked(provider, tmp_path):
    """--samples FILE.csv has SIPp's (P) and (C) columns, a counter per cause, and the periods add up to the totals."""
    provider.script = ["10006"] * 3
    path = tmp_path / "samples.csv"
    words = ["--send-url", f"{provider.url}/send", "--rate", "40", "--duration", "2.5", "--even"]
    assert _traffic(*words, "--samples", str(path), "--ledger", str(tmp_path / "l")).exit_code == 0
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines(), delimiter=";"))
    assert (len(rows), rows[0]["TargetRate"], rows[0]["ElapsedTime(P)"]) == (3, "40.0", "1")
    last = {name.removesuffix("(C)"): float(value) for name, value in rows[-1].items() if name.endswith("(C)")}
    assert {name for name, total in last.items() if total and name.startswith("Failed")} == {
        "FailedCall",
        "Failed_10006",
    }
    assert (last["OutgoingCall"], last["SuccessfulCall"], last["Failed_10006"]) == (100, 97, 3)
    for name in set(last) - {"CallRate", "ElapsedTime"}:
        assert sum(float(row[f"{name}(P)"]) for row in rows) == last[name], name
    assert all(float(row["ResponseTime_p99(P)"]) >= float(row["ResponseTime_p50(P)"]) for row in rows)


def test_phases_of_a_profile_are_counted_apart(provider, tmp_path):
    """A profile of several pieces reports outcomes and percentiles of each; together they are the run."""
    words = ["--send-url", f"{provider.url}/send", "--rate", "60", "--duration", "2", "--even", "--json"]
    result = _traffic(*words, "--profile", "campaign-at-nine", "--ledger", str(tmp_path / "l"))
    report = json.loads(result.stdout)
    phases = [(part["phase"], part["outcomes"]["sent"]) for part in report["phases"]]
    assert phases == [(1, 5), (2, 24), (3, 14)]
    assert all(part["p50"] <= part["p99"] for part in report["phases"])
    assert json.loads(_traffic(*words, "--ledger", str(tmp_path / "l")).stdout)["phases"] == []


def test_target_says_how_much_it_bears(tmp_path):
    """Beyond loopback the rate of the target file is not exceeded."""
    path = tmp_path / "staging.toml"
    path.write_text('send_url = "https://provider.test/send"\nto = "+639171234567"\nrate = 2\n', encoding="utf-8")
    result = _traffic("--target", str(path), "--i-own-this-target", "--rate", "5")
    assert (result.exit_code, "allows 2 requests per second" in result.output) == (2, True)


def test_nobody_is_loaded_unasked():
    """Traffic beyond loopback is refused unless the target is one's own."""
    result = _traffic("--send-url", "https://provider.test/send", "--to", "+639171234567")
    assert (result.exit_code, "--i-own-this-target" in result.output) == (2, True)


def test_list_names_profiles_and_personas():
    """--list shows every profile and persona."""
    listed = _traffic("--list").output
    assert all(name in listed for name in (*PROFILES, *PERSONAS))
