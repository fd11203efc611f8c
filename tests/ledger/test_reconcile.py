"""`smslab reconcile`: the verdict is its exit code, said as text, JSON or JUnit."""

import json
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from simulator.carrier.app import create_app
from simulator.carrier.server import bind, server_on
from simulator.ledger.balance import kinds
from simulator.ledger.carrier import CarrierLedger, Message
from simulator.ledger.cli import reconcile
from simulator.ledger.pbx import Attempt, PbxLedger


@pytest.fixture
def ledgers(tmp_path):
    """Two accounts: SDPS0 to SDPS4 were accepted, the carrier took the first four."""
    pbx, carrier = tmp_path / "pbx.sqlite", tmp_path / "carrier.sqlite"
    with PbxLedger(pbx) as ledger:
        ledger.record_many(Attempt(0, "r", "+630000000001", "+639170000001", f"t{n}", n, n + 1, 200, None, f"SDPS{n}")
                           for n in range(5))  # fmt: skip
    with CarrierLedger(carrier) as ledger:
        messages = [Message(f"SDPS{n}", "FUTURESMS", "+639170000001", f"t{n}", "GSM-7", 1) for n in range(4)]
        ledger.take(messages, 10.0, 60.0)
    return {"--pbx-ledger": str(pbx), "--carrier-ledger": str(carrier)}


def run(options, *flags):
    """The command with these options."""
    return CliRunner().invoke(reconcile, [word for pair in options.items() for word in pair] + list(flags))


def test_a_lost_message_is_exit_one_and_is_named(ledgers):
    """Text says which, JSON has it as data."""
    text = run(ledgers)
    assert text.exit_code == 1
    assert "WRONG: SDPS4" in text.stdout
    assert "The ledgers do NOT balance. 0 indeterminate; at most 1 were in flight at once." in text.stdout
    document = json.loads(run(ledgers, "--json").stdout)
    assert (document["true"], document["counts"]["lost"], document["ids"]["lost"]) == (False, 1, ["SDPS4"])
    assert document["counts"]["delivered"] == 4


def test_orders_explain_what_is_pending(ledgers, tmp_path):
    """With the gateway's orders the missing one is pending, and the ledgers balance: exit 0."""
    orders = tmp_path / "orders.jsonl"
    orders.write_text("".join(json.dumps({"id": f"SDPS{n}", "state": "queued"}) + "\n" for n in range(5)))
    result = run({**ledgers, "--orders": str(orders)})
    assert result.exit_code == 0
    assert "The ledgers balance." in result.stdout


def test_the_event_log_says_which_refusals_were_in_doubt(ledgers, tmp_path):
    """What the log calls indeterminate is no refusal that was delivered all the same; without the log it is."""
    with PbxLedger(ledgers["--pbx-ledger"]) as ledger:
        ledger.record_many([Attempt(0, "r", "+630000000001", "+639170000001", "doubt", 9, 9, 500, "10007", None)])
    with CarrierLedger(ledgers["--carrier-ledger"]) as ledger:
        taken = [("SDPS4", "t4"), ("SDPS5", "doubt")]
        ledger.take([Message(key, "X", "+639170000001", text, "GSM-7", 1) for key, text in taken], 11.0, 60.0)
    log = tmp_path / "gateway.log"
    log.write_text('not JSON\n{"order": "SDPS5", "event": "indeterminate", "at": "now"}\n')
    assert run(ledgers).exit_code == 1
    assert run({**ledgers, "--events": str(log)}).exit_code == 0


def test_junit_has_a_case_for_each_wrong(ledgers, tmp_path):
    """CI shows what broke: one failure, with the ids."""
    junit = tmp_path / "junit.xml"
    assert run({**ledgers, "--junit": str(junit)}).exit_code == 1
    suite = ET.parse(junit).getroot()  # noqa: S314 - our own file
    assert {case.get("name") for case in suite} == {name for name, _, wrong in kinds() if wrong}
    assert (suite.get("failures"), suite.find(".//failure").text) == ("1", "SDPS4")


def test_the_carrier_can_be_asked_itself(ledgers):
    """By URL, page by page, the balance is the same as from the file."""
    with CarrierLedger(ledgers["--carrier-ledger"]) as ledger, bind("127.0.0.1", 0) as listener:
        server = server_on(listener, create_app(ledger))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = "http://{}:{}".format(*listener.getsockname())
        asked = run({"--pbx-ledger": ledgers["--pbx-ledger"], "--carrier-url": url}, "--json")
        server.shutdown()
        thread.join()
    assert json.loads(asked.stdout) == json.loads(run(ledgers, "--json").stdout)


@pytest.mark.parametrize(
    ("change", "code", "sentence"),
    [
        ({"--carrier-url": "http://127.0.0.1:1"}, 2, "Give --carrier-ledger or --carrier-url."),
        ({"--carrier-ledger": None}, 2, "Give --carrier-ledger or --carrier-url."),
        ({"--carrier-ledger": None, "--carrier-url": "http://127.0.0.1:1"}, 3, "No fake carrier answers"),
        ({"--pbx-ledger": "JUNK"}, 2, "A ledger cannot be read"),
        ({"--carrier-ledger": "JUNK"}, 2, "A ledger cannot be read"),
        ({"--orders": "JUNK"}, 2, "Line 1 of the orders is no order."),
    ],
)
def test_what_cannot_be_balanced_is_one_sentence(ledgers, tmp_path, change, code, sentence):
    """Exit 2 for unusable input, 3 for a carrier that does not answer."""
    junk = tmp_path / "junk"
    junk.write_text("junk\n" * 1000)
    options = {name: str(junk) if value == "JUNK" else value for name, value in {**ledgers, **change}.items() if value}
    result = run(options)
    assert result.exit_code == code
    assert sentence in result.stderr


def test_reconciling_changes_no_file(ledgers):
    """Given the wrong ledger it says so, and does not make it into the right one."""
    swapped = {"--pbx-ledger": ledgers["--carrier-ledger"], "--carrier-ledger": ledgers["--pbx-ledger"]}
    result = run(swapped)
    assert (result.exit_code, "no such table" in result.stderr) == (2, True)
    assert run(ledgers, "--json").exit_code == 1


def test_an_id_cannot_play_tricks_on_the_terminal(ledgers):
    """Line ends, terminal codes and markup in a provider's id are shown, not obeyed."""
    with PbxLedger(ledgers["--pbx-ledger"]) as ledger:
        number = ledger.open("r", "+630000000001", "+639170000001", "t", 9.0)
        ledger.close(number, 10.0, status=200, code=None, order_id="[red]\x1b[2J\n")
    text = run(ledgers).stdout
    assert r"[red]\x1b[2J\n" in text
    assert "\x1b" not in text
