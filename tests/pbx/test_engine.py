"""The engine: on time, every try written down first, whatever comes back."""

import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from simulator.ledger.pbx import PbxLedger
from simulator.pbx.engine import Engine
from simulator.pbx.habits import Habits
from simulator.pbx.live import play, press
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Plan, Shot, shots


def test_engine_sends_all_and_balances(provider, target, ledger):
    """Every shot becomes one request and one closed ledger line, on time and in the words of the plan."""
    plan = Plan(rate=200, duration=1, seed=1)
    tally = play(Engine(target, ledger, "t"), shots(plan))
    attempts = list(ledger.attempts("t"))
    assert tally.started == tally.finished == len(attempts) == len(provider.received)
    assert {a.order_id for a in attempts} == {f"ID{n + 1}" for n in range(len(attempts))}
    assert sorted(a.text for a in attempts) == sorted(shot.text for shot in shots(plan))
    assert "ysk_test" not in json.dumps([a.exchange for a in attempts])


def test_each_pbx_has_its_key(provider, target, ledger):
    """With keys per PBX each request carries its own PBX's key; an unknown one is refused."""
    provider.keys = {"one"}
    plan = Plan(rate=100, duration=1, seed=1, numbers=("+631", "+632"))
    tally = play(Engine(target, ledger, "t", keys=[("one",), ("two",)]), shots(plan))
    sent = {a.from_number: a.status for a in ledger.attempts()}
    assert sent == {"+631": 200, "+632": 401}
    assert tally.outcomes["10004"] == sum(1 for shot in shots(plan) if shot.pbx == 1)


def _hang(_, stopped):
    stopped.wait(5)


@pytest.mark.parametrize(
    ("talk", "name"),
    [
        (_hang, "exceeds_time_limit"),
        (
            lambda c, _: c.sendall(b"HTTP/1.1 200 X\r\nContent-Length: 999999\r\n\r\n" + b"a" * 999999),
            "exceeds_size_limit",
        ),
        (lambda c, _: c.sendall(b"SSH-2.0\r\n\r\n"), "request_fail"),
        (lambda c, _: c.sendall(b"HTTP/1.1 302 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n"), "request_fail"),
        (lambda c, _: c.sendall(b"HTTP/1.0 502 X\r\n\r\n<html>"), "service_error"),
        (lambda c, _: c.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0"), "request_fail"),
    ],
    ids=["hang", "flood", "ssh", "redirect", "html", "reset"],
)
def test_engine_survives_misbehaviour(talker, target_at, ledger, talk, name):
    """Whatever comes back is an outcome and a closed line within the deadline, never an exception."""
    engine = Engine(target_at(talker(talk)), ledger, "t", habits=Habits(timeout=0.3))
    shot = Shot(0.0, 0, 0, "office", "sendmessage", 0, "+631", "+639171234567", "x", b"{}")
    tally = play(engine, [shot])
    assert dict(tally.outcomes) == {name: 1}
    assert [a.finished_at is not None for a in ledger.attempts()] == [True]


def test_impatient_pbx_sends_again(provider, target, ledger):
    """A persona that retries leaves one ledger line per try, each in the words of event 30032."""
    provider.script = ["10007", "10006"]
    habits = Habits(retries=2, honour_retry_after=False, retry_wait=0.01)
    shot = next(shots(Plan(seed=1)))
    tally = play(Engine(target, ledger, "t", habits=habits), [shot._replace(due=0.0)])
    assert [a.status for a in ledger.attempts()] == [500, 429, 200]
    events = [a.exchange["event"] for a in ledger.attempts()]
    assert [(one["delivery_status"], one["send_error"], one["send_error_msg"]) for one in events] == [
        (2, "service_unavailable", "why 10007"),
        (2, "too_many_request", "why 10006"),
        (1, None, None),
    ]
    assert dict(tally.outcomes) == {"sent": 1}


def test_pbx_that_retries_on_a_timeout_sends_three_times(talker, target_at, ledger):
    """Given up on and sent again, twice: each try is a line without an answer, and one message may be three."""
    habits = replace(PERSONAS["impatient"].habits, timeout=0.1, retry_wait=0.01)
    shot = next(shots(Plan(seed=1)))._replace(due=0.0)
    tally = play(Engine(target_at(talker(_hang)), ledger, "t", habits=habits), [shot])
    assert [(a.status, a.finished_at is None) for a in ledger.attempts()] == [(None, False)] * 3
    assert dict(tally.outcomes) == {"exceeds_time_limit": 1}
    assert PERSONAS["impatient"].habits.retry_timeouts


def test_slow_loris_arrives_whole(provider, target, ledger):
    """A dribbled request is still the request."""
    plan = Plan(seed=1, weights={"slow-loris": 1})
    shot = next(shots(plan))._replace(due=0.0)
    play(Engine(target, ledger, "t"), [shot])
    assert [json.dumps(message).encode() for message in provider.received] == [shot.content]


def test_clock_that_is_off_shifts_the_records_and_nothing_else(provider, target, ledger):
    """A skewed PBX sends the same bytes when they are due; only the times in its ledger are an hour slow."""
    before = time.time()
    tally = play(Engine(target, ledger, "t"), shots(Plan(rate=50, duration=1, seed=1, weights={"clock-skew": 1})))
    expected = [json.loads(shot.content) for shot in shots(Plan(rate=50, duration=1, seed=1))]
    assert sorted(provider.received, key=str) == sorted(expected, key=str)
    assert tally.percentiles(100)["p100"] < 30_000
    times = [time for attempt in ledger.attempts() for time in (attempt.started_at, attempt.finished_at)]
    assert all(before - 3600 <= at <= time.time() - 3600 for at in times)
    assert all(attempt.exchange["seconds"] < 30 for attempt in ledger.attempts())


def test_budget_is_never_exceeded(provider, target, ledger):
    """No more messages are accepted than the budget allows; refusals do not count."""
    provider.script = ["10001"] * 3
    play(Engine(target, ledger, "t", budget=5), shots(Plan(rate=500, duration=1, seed=1)))
    assert len(provider.received) == 5


def test_ledger_that_cannot_be_written_stops_everything(provider, target, ledger):
    """Nothing leaves that is not written down: a broken ledger is its own error and the provider sees nothing."""
    ledger.close_file()
    with pytest.raises(sqlite3.Error):
        play(Engine(target, ledger, "t"), shots(Plan(rate=100, duration=1, seed=1)))
    assert provider.seen == []


def test_retries_are_within_the_budget(provider, target, ledger):
    """A retry after silence or refusal counts like any other message."""
    provider.script = ["10007"] * 2
    habits = Habits(retries=5, honour_retry_after=False, retry_wait=0.01)
    engine = Engine(target, ledger, "t", habits=habits, budget=1)
    play(engine, shots(Plan(rate=50, duration=1, seed=1)))
    assert (len(provider.received), engine.left) == (1, 0)


def test_keys_bend_the_run(target, ledger):
    """+ and - change the pace by a tenth, * and / double and halve it, q stops; other keys do nothing."""
    engine = Engine(target, ledger, "t")
    paces = []
    for key in "+-x*/":
        press(engine, key)
        paces.append(engine.tempo.speed)
    assert paces == pytest.approx([1.1, 1.0, 1.0, 2.0, 1.0])
    press(engine, "q")
    assert engine.stopping


class _Screen(io.StringIO):
    """A screen whose operator types + when the first line has come."""

    def __init__(self, typist):
        super().__init__()
        self.typist = typist

    def flush(self):
        """Look, and type at the first line."""
        if self.getvalue().count("\r") == 1:
            self.typist.write(b"+")


def test_live_line_shows_the_run(target, ledger):
    """A terminal gets a line a second with rate, open requests, percentiles, shares; + speeds the run up."""
    ours, theirs = os.openpty()
    with os.fdopen(theirs) as keys, os.fdopen(ours, "wb", 0) as typist:
        engine, screen = Engine(target, ledger, "t"), _Screen(typist)
        play(engine, shots(Plan(rate=50, duration=1.6, seed=1)), keys, screen)
    assert engine.tempo.speed == pytest.approx(1.1)
    assert "/s x1.00  in flight " in screen.getvalue()
    assert "sent 100%" in screen.getvalue()


KILLED = """
import sys
from contracts.target import Target
from simulator.ledger.pbx import PbxLedger
from simulator.pbx.engine import Engine
from simulator.pbx.live import play
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Plan, shots
target = Target(sys.argv[1], None, "ysk_test", "+630000000001", "+639171234567")
with PbxLedger(sys.argv[2]) as ledger:
    play(Engine(target, ledger, "t"), shots(Plan(rate=300, duration=60, seed=1)))
"""


def test_kill_nine_loses_nothing(provider, tmp_path):
    """After kill -9 every message the provider has seen is in the ledger, opened before it left."""
    path = tmp_path / "pbx.sqlite"
    child = subprocess.Popen([sys.executable, "-c", KILLED, f"{provider.url}/send", path])
    deadline = time.monotonic() + 20
    while len(provider.received) < 150 and time.monotonic() < deadline:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    with PbxLedger(path) as ledger:
        written = {a.text for a in ledger.attempts()}
    assert len(provider.received) >= 150
    assert {message["text"] for message in provider.received} <= written
