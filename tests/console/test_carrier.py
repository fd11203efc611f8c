"""Breaking the carrier by a click: what the page arms, shows and clears on a real carrier, and its forms."""

import json
import shlex
from threading import Thread

import httpx
import pytest
from werkzeug.serving import make_server

from simulator.carrier.app import create_app as create_carrier
from simulator.carrier.fault import build
from simulator.carrier.faults import kinds
from simulator.carrier.magic import numbers
from simulator.carrier.scope import Scope
from simulator.console.faultform import READY, entries, scope_in_words, spec_from
from simulator.console.lab import LabView
from simulator.ledger.carrier import CarrierLedger
from tests.conftest import Clock
from tests.console.conftest import TO, open_bench, target


@pytest.fixture
def broken(tmp_path):
    """A console and the carrier it breaks, on one clock; `faults()` is what the carrier says."""
    clock = Clock()
    with CarrierLedger(tmp_path / "carrier.sqlite") as ledger:
        server = make_server("127.0.0.1", 0, create_carrier(ledger, clock=clock), threaded=True)
        url = f"http://127.0.0.1:{server.port}"
        Thread(target=server.serve_forever, daemon=True).start()
        lab = LabView(target(carrier={"url": url}), tmp_path / "lab.toml")
        with open_bench(lab, tmp_path / "index.sqlite", clock) as bench:
            bench.url, bench.faults = url, lambda: httpx.get(f"{url}/faults").json()["faults"]
            yield bench
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.name)
def test_a_ready_fault_is_one_click(ready, broken):
    """Each button arms what it says, the page shows it with its command, and one click ends it."""
    answer = broken.posts("/carrier/faults", ready=ready.name)
    (armed,) = broken.faults()
    page = broken.get("/carrier")

    assert answer.status_code == 303
    assert {name: armed[name] for name in ready.spec} == ready.spec
    assert f"smslab carrier fault add {ready.spec['kind']}" in page
    assert f'id="f{armed["id"]}"' in page

    broken.posts("/carrier/clear", id=str(armed["id"]))

    assert broken.faults() == []


@pytest.mark.parametrize("kind", kinds())
def test_every_kind_has_a_form(kind, broken):
    """The form of a kind has a field for each of its parameters, and sent as it stands it arms the kind."""
    page = broken.get("/carrier", kind=kind)

    assert all(f'name="params.{one.name}"' in page for one in entries(kinds()[kind]))
    assert broken.posts("/carrier/faults", kind=kind).status_code == 303
    assert [fault["kind"] for fault in broken.faults()] == [kind]


def test_a_form_says_what_whom_and_when(broken):
    """Parameters, scope and times reach the carrier as numbers and words; what is empty is not said."""
    broken.posts(
        "/carrier/faults",
        **{
            "kind": "refuse", "params.status": "429", "params.retry_after": "1.5", "params.body": "",
            "scope.prefix": "+639", "scope.share": "0.25", "scope.seed": "7", "scope.every": "", "times.ttl": "90",
        },
    )  # fmt: skip

    (armed,) = broken.faults()
    assert armed["params"] == {"status": 429, "retry_after": 1.5}
    assert armed["scope"] == {"prefix": "+639", "share": 0.25, "seed": 7}
    assert armed["ttl"] == 90
    page = broken.get("/carrier")
    assert "25% of them" in page
    assert shlex.join(["--scope", "prefix=+639"]) in page


WRONG = [
    ({"kind": "refuse", "params.status": "200"}, "300 to 599"),
    ({"kind": "refuse", "params.status": "many"}, "a whole number"),
    ({"kind": "latency", "params.seconds": "nan"}, "a number"),
    ({"kind": "latency", "scope.share": "2"}, "at most 1"),
    ({"kind": "<b>"}, "No fault is called"),
]


@pytest.mark.parametrize(("form", "sentence"), WRONG, ids=[str(form) for form, _ in WRONG])
def test_what_the_carrier_refuses_is_said(form, sentence, broken):
    """A form that makes no sense comes back as it was filled in, with the carrier's sentence, and nothing is armed."""
    answer = broken.posts("/carrier/faults", **form)

    assert answer.status_code == 400
    assert sentence in answer.text
    assert "<b>" not in answer.text
    assert broken.faults() == []
    for name, value in form.items():
        assert name == "kind" or f'value="{value}"' in answer.text


def test_all_clear_ends_everything(broken):
    """One button makes the carrier well; a fault that has ended is listed with what became of it."""
    for name in ("outage", "garble"):
        broken.posts("/carrier/faults", ready=name)

    broken.posts("/carrier/clear")
    page = broken.get("/carrier")

    assert broken.faults() == []
    assert "All clear: 2 ended." in page
    assert "The carrier is well." in page
    assert page.count("cleared, never hit") == 2


def test_time_runs_down_and_hits_run_up(broken):
    """The live part says how long a fault has to go and how often it was hit, and is not sent twice unchanged."""
    broken.posts("/carrier/faults", ready="outage")
    first = broken.client.get("/carrier/faults")
    again = broken.client.get("/carrier/faults", query_string={"have": first.headers["X-State"]})
    broken.clock.now += 12
    httpx.post(
        f"{broken.url}/v1/messages", json={"from": "A", "to": TO, "text": "x", "encoding": "GSM-7", "segments": 1}
    )
    later = broken.client.get("/carrier/faults", query_string={"have": first.headers["X-State"]})

    assert (first.status_code, again.status_code, later.status_code) == (200, 204, 200)
    assert "Outage: every call meets 503, 30 s left" in first.text
    assert "18 s" in later.text
    assert '<strong class="big">1</strong>' in later.text


def test_what_the_pbx_sees_stands_beside_the_faults(broken):
    """The page counts the answers of the last minute, so that a fault is seen as it acts, and forgets older ones."""
    broken.answers(broken.tries(), None, 500, "10007")
    broken.sends("A")
    broken.rows()
    page = broken.get("/carrier/faults")
    broken.clock.now += 100

    assert "<strong>1</strong> 10007" in page
    assert "<strong>1</strong> accepted" in page
    assert "Nothing was sent in the last minute." in broken.get("/carrier/faults")


def test_the_gateways_breaker_is_shown(broken):
    """What the gateway's log says of the carrier stands there too."""
    broken.logs("carrier is down")
    broken.rows()

    assert "carrier is down since" in broken.get("/carrier")


def test_magic_numbers_are_a_table_to_click(broken):
    """Every magic number is there with its meaning and leads to composing a message to it."""
    page = broken.get("/carrier")

    for one in numbers():
        assert f"to=%2B{one.number[1:]}" in page
        assert one.meaning in page


def test_a_lab_without_a_carrier_says_so(bench):
    """A target that is only a URL has nothing to break: the page says it, and the buttons do nothing."""
    assert "There is no carrier of ours to break." in bench.get("/carrier")
    assert bench.posts("/carrier/faults", ready="outage").status_code == 404


def test_a_carrier_that_is_gone_is_said(tmp_path):
    """Where nobody answers the page still stands, with one sentence."""
    lab = LabView(target(carrier={"url": "http://127.0.0.1:9"}), tmp_path / "lab.toml")
    with open_bench(lab, tmp_path / "index.sqlite") as bench:
        assert "No fake carrier answers" in bench.get("/carrier")
        assert bench.posts("/carrier/faults", ready="outage").status_code == 502


def test_the_carrier_of_a_foreign_target_is_left_alone(tmp_path):
    """Beyond loopback nothing is broken unless the target is the visitor's own."""
    foreign = target("https://sms.example/send", carrier={"url": "http://127.0.0.1:9"})
    with open_bench(LabView(foreign, tmp_path / "lab.toml"), tmp_path / "index.sqlite") as bench:
        answers = [bench.posts(path).status_code for path in ("/carrier/faults", "/carrier/clear")]

    assert answers == [403, 403]


def test_numbers_of_a_scope_can_be_hidden(broken):
    """With redaction on, no card and no command names a receiver."""
    broken.posts("/carrier/faults", **{"kind": "nothing", "scope.to": TO})

    assert TO in broken.get("/carrier/faults")
    assert TO not in broken.get("/carrier/faults", redact="1")


def test_a_form_and_the_board_mean_the_same():
    """What a form asks for is a scope the carrier can build, and reads back in words."""
    spec = spec_from({"kind": "nothing", "scope.first": "3", "scope.sender": "A&B", "scope.seed": "0"})

    assert spec == {"kind": "nothing", "scope": {"first": 3, "sender": "A&B"}}
    assert build(Scope, spec["scope"], "a scope").first == 3
    assert scope_in_words(spec["scope"]) == ["from A&B", "only the first 3"]
    assert json.dumps(spec)
