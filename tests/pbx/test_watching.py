"""`smslab pbx wait`, `expect` and `snippet` look into real ledgers; their exit codes are the verdict."""

import json
import threading

import pytest
from click.testing import CliRunner

from simulator.carrier.controls import ask
from simulator.handover import hand_over
from simulator.ledger.carrier import CarrierLedger, Message
from simulator.ledger.pbx import Attempt, PbxLedger
from simulator.pbx.cli import pbx

TO = "+639171112222"


@pytest.fixture
def desk(lab, tmp_path):
    """`desk(*words)` runs a pbx command on a ledger of its own, and on the lab where words name no other carrier."""

    def runner(*words, carrier=("--carrier-url", lab.carrier_url)):
        sends = words[0] in {"send", "traffic"}
        place = ["--send-url", lab.send_url] if sends else carrier
        words = [*words, *place, "--ledger", str(tmp_path / "pbx.sqlite")]
        return CliRunner().invoke(pbx, words, env={"YEASTAR_API_KEY": lab.key, "SMSLAB_CARRIER_URL": ""})

    return runner


@pytest.mark.parametrize("how", ["--carrier-url", "--carrier-ledger", "--target"])
def test_message_is_waited_for_until_its_receipt(desk, lab, how):
    """From the carrier, its ledger or the lab's target file: the full message, when its receipt is in."""
    place = {"--carrier-url": lab.carrier_url, "--carrier-ledger": str(lab.carrier_ledger), "--target": None}
    assert desk("send", "Hello", "--to", TO).exit_code == 0
    carrier = (how, place[how] or str(hand_over(lab)))
    result = desk("wait", "--to", TO, "--state", "DELIVRD", "--timeout", "10", "--json", carrier=carrier)
    assert result.exit_code == 0, result.output
    message = json.loads(result.stdout)
    assert (message["to"], message["text"], message["states"]) == (
        TO, "Hello", ["DELIVRD", "accepted", "delivered", "tried"]
    )  # fmt: skip
    assert message["deliveries"][0]["key"] == message["order_id"]
    assert message["exchange"]["request"]["method"] == "POST"
    assert "ysk_" not in result.output


def test_wait_may_begin_before_the_message(desk, tmp_path):
    """A wait that begins before there is any ledger ends when the message has arrived."""
    waited = []
    waiter = threading.Thread(target=lambda: waited.append(desk("wait", "--text", "early", "--timeout", "20")))
    waiter.start()
    assert not (tmp_path / "pbx.sqlite").exists()
    assert desk("send", "early bird", "--to", TO).exit_code == 0
    waiter.join()
    assert (waited[0].exit_code, "delivered" in waited[0].stdout, "early bird" in waited[0].stdout) == (0, True, True)


def test_traffic_is_expected_to_the_message(desk, lab):
    """Ten messages arrive once each; one more, or fewer duplicates than there are, is exit 1 and a sentence."""
    words = ["--rate", "20", "--duration", "0.5", "--even", "--seed", "7"]
    assert desk("traffic", *words).exit_code == 0
    assert desk("expect", "--count", "10", "--dup", "0", "--run", "traffic-7", "--timeout", "10").exit_code == 0
    result = desk("expect", "--count", "11", "--dup", "0", "--timeout", "0.1", "--json")
    assert (result.exit_code, "delivered: 10, not 11" in result.stderr) == (1, True)
    report = json.loads(result.stdout)
    assert (report["met"], report["totals"]["delivered"], report["odd"]) == (False, 10, [])
    with PbxLedger(lab.pbx_ledger) as ledger:
        assert "traffic-7" not in {attempt.run for attempt in ledger.attempts()}


@pytest.fixture
def past(tmp_path):
    """Two accounts of a bad day: 1 arrived twice, 2 never, 3 was refused, 4 got no answer."""
    with PbxLedger(tmp_path / "pbx.sqlite") as ledger:
        answers = [(200, "S1"), (200, "S2"), (429, None), (None, None)]
        ledger.record_many(
            Attempt(0, "bad", "+630000000001", TO + str(n), "hi", 1.0, 2.0, status, None, order)
            for n, (status, order) in enumerate(answers, 1)
        )
    with CarrierLedger(tmp_path / "carrier.sqlite") as ledger:
        message = Message("S1", "FUTURESMS", TO + "1", "hi", "GSM-7", 1)
        for at in (1.0, 99.0):
            ledger.take([message], at, 1.0)
    return ("--carrier-ledger", str(tmp_path / "carrier.sqlite"))


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["wait", "--to", TO + "1"], 0, "delivered, duplicated"),
        (["wait", "--to", TO + "2"], 1, "Attempt 2 is not delivered after 0 s."),
        (["wait", "--to", TO + "3"], 1, "Attempt 3 is not delivered"),
        (["wait", "--to", TO + "3", "--state", "refused"], 0, "refused"),
        (["wait", "--to", TO + "4"], 3, "Attempt 4 is not delivered"),
        (["wait", "--to", "+1"], 3, "No such message was tried within 0 s."),
        (["wait", "--run", "bad", "--after", "4"], 3, "No such message"),
        (["expect", "--count", "1", "--dup", "1"], 0, "delivered 1, duplicated 1, duplicates 1"),
        (["expect", "--dup", "0"], 1, "duplicates: 1, not 0."),
        (["expect", "--count", "2", "--state", "accepted"], 0, "accepted 2"),
        (["expect", "--count", "0", "--to", "+1"], 0, "tried 0"),
        (["expect", "--count", "1", "--run", "typo"], 3, "delivered: 0, not 1."),
        (["expect"], 2, "--count, --dup, or both"),
        (["wait", "--state", "lost"], 2, "'lost' is not one of"),
    ],
)
def test_verdict_is_the_exit_code(desk, past, words, code, said):
    """0 as asked, 1 otherwise, 3 where nothing was tried or nothing was answered, 2 for what cannot be asked."""
    result = desk(*words, "--timeout", "0", carrier=past)
    assert (result.exit_code, said in result.output) == (code, True), result.output


def test_expectation_must_hold_for_as_long_as_asked(desk, past, tmp_path):
    """With --settle a duplicate that comes after the last message is still found."""
    with CarrierLedger(tmp_path / "carrier.sqlite") as ledger:
        late = threading.Timer(0.2, lambda: ledger.take([Message("S2", "F", TO + "2", "hi", "GSM-7", 1)] * 1, 5.0, 0.0))
        late.start()
        result = desk("expect", "--count", "1", "--timeout", "0.1", "--settle", "1", carrier=past)
        late.join()
    assert (result.exit_code, "delivered: 2, not 1" in result.stderr) == (1, True)


def test_what_cannot_be_read_is_one_sentence(desk, past, tmp_path):
    """No carrier is exit 3; a ledger or target file that is none, or names no carrier, is exit 2."""
    dead = ("--carrier-url", "http://127.0.0.1:9")
    result = desk("wait", "--to", TO, carrier=dead)
    assert (result.exit_code, "No fake carrier answers" in result.stderr) == (3, True)
    assert desk("wait", "--to", TO + "1", "--state", "accepted", carrier=()).exit_code == 0
    (tmp_path / "plain.toml").write_text('send_url = "http://127.0.0.1:1/"\n', encoding="utf-8")
    result = desk("wait", carrier=("--target", str(tmp_path / "plain.toml")))
    assert (result.exit_code, "names no carrier" in result.stderr) == (2, True)
    (tmp_path / "junk").write_text("junk\n" * 1000, encoding="utf-8")
    for words in (["--carrier-ledger", str(tmp_path / "junk")], [*past, "--ledger", str(tmp_path / "junk")]):
        result = CliRunner().invoke(pbx, ["wait", *words])
        assert (result.exit_code, "A ledger cannot be read" in result.stderr) == (2, True), result.output


def test_snippet_has_the_faults_of_its_moment(desk, lab):
    """`snippet` prints a test for the tool that is named, with the faults that were armed when it was sent."""
    ask(lab.carrier_url, "POST", "/faults", spec={"kind": "latency", "params": {"seconds": 0.01}, "ttl": 60})
    assert desk("send", "slow", "--to", TO).exit_code == 0
    ask(lab.carrier_url, "POST", "/reset")
    ask(lab.carrier_url, "POST", "/faults", spec={"kind": "latency", "params": {"seconds": 0.02}, "ttl": 60})
    ask(lab.carrier_url, "POST", "/reset")
    result = desk("snippet", "1", "--as", "pytest")
    assert (result.exit_code, "def test_attempt_1" in result.stdout) == (0, True), result.output
    assert "fault add latency seconds=0.01" in result.stdout
    assert "seconds=0.02" not in result.stdout
    result = desk("snippet", "7")
    assert (result.exit_code, "There is no attempt 7 in pbx.sqlite." in result.stderr) == (2, True)
