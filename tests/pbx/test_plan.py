"""The plan of a run: in order, to the byte the same for a seed, personas as described."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import pytest

from simulator.pbx.pacing import PROFILES, Tempo, arrivals, expected, phase_at, rate_at
from simulator.pbx.personas import BAD_INPUT, PERSONAS, mix
from simulator.pbx.plan import Plan, fingerprint, shots

ALL = dict.fromkeys(PERSONAS, 1.0)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("seed", [None, 7])
def test_profile_asks_for_what_it_says(profile, seed):
    """Due times are in order, inside the duration, and as many as the area under the curve."""
    due = list(arrivals(profile, 50.0, 100.0, seed))
    wanted = expected(profile, 50.0, 100.0)
    assert all(a <= b for a, b in pairwise(due))
    assert 0 <= due[0] <= due[-1] < 100.0
    assert len(due) == pytest.approx(wanted, abs=1 if seed is None else 4 * wanted**0.5)


@pytest.mark.parametrize(
    ("profile", "rate", "duration", "due"),
    [
        ("steady", 2.0, 2.0, [0.25, 0.75, 1.25, 1.75]),
        ("ramp", 2.0, 2.0, [1.0, 3**0.5]),
    ],
)
def test_even_arrivals_are_where_arithmetic_puts_them(profile, rate, duration, due):
    """Without a seed the n-th message is due where the area reaches n + 1/2."""
    assert list(arrivals(profile, rate, duration, None)) == pytest.approx(due)


@pytest.mark.parametrize(
    ("profile", "moment", "rate"),
    [("steady", 5, 10), ("ramp", 5, 5), ("ramp", 10, 0), ("ramp", -1, 0), ("spike", 4.5, 10), ("spike", 3, 1)],
)
def test_planned_rate_is_the_curve(profile, moment, rate):
    """The planned rate follows the profile and is 0 outside of it."""
    assert rate_at(profile, 10.0, 10.0, moment) == pytest.approx(rate)


@pytest.mark.parametrize(
    ("profile", "due", "phase"),
    [("steady", 99, 1), ("spike", 0, 1), ("spike", 3.99, 1), ("spike", 4, 2), ("spike", 5, 3), ("spike", 10.08, 3)],
)
def test_due_time_belongs_to_a_phase(profile, due, phase):
    """A phase begins where its piece of the profile does; what is late belongs to the last."""
    assert phase_at(profile, 10.0, due) == phase


def test_tempo_bends_only_the_future():
    """A change of speed moves what is due later, in proportion, and nothing that is past."""
    tempo = Tempo()
    assert tempo.when(10.0) == 10.0
    tempo.change(2.0, now=4.0)
    assert (tempo.when(4.0), tempo.when(10.0)) == (4.0, 7.0)
    tempo.change(0.5, now=5.0)
    assert tempo.when(10.0) == 9.0


def test_same_seed_same_bytes_on_another_machine():
    """The fingerprint of every request and due time is the same in a process with other hash seeds."""
    plan = Plan(profile="office-day", rate=40, duration=10, seed=7, numbers=("+631", "+632"), weights=ALL)
    script = (
        "from simulator.pbx.plan import *; from simulator.pbx.personas import PERSONAS;"
        "print(fingerprint(Plan(profile='office-day', rate=40, duration=10, seed=7, numbers=('+631', '+632'),"
        "weights=dict.fromkeys(PERSONAS, 1.0))))"
    )
    environ = {**os.environ, "PYTHONHASHSEED": "12345", "TZ": "Asia/Manila", "LC_ALL": "C"}
    other = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == fingerprint(plan)
    assert fingerprint(plan) != fingerprint(Plan(seed=8, weights=ALL))


def test_shots_come_in_order_and_personas_behave():
    """Due times never go back; double clicks are 80 ms apart; a rotated key changes at half-time."""
    plan = Plan(rate=50, duration=20, seed=3, weights=ALL)
    planned = list(shots(plan))
    assert all(a.due <= b.due for a, b in pairwise(planned))
    assert len({shot.number for shot in planned}) == len(planned)
    double = [shot for shot in planned if shot.persona == "double-click"]
    times = {}
    for shot in double:
        times.setdefault(shot.content, []).append(shot.due)
    assert all(b - a == pytest.approx(0.08) for a, b in times.values())
    rotated = {(shot.due >= 10, shot.key) for shot in planned if shot.persona == "rotated"}
    assert rotated == {(False, 0), (True, 1)}
    assert all(shot.operation == "sendmessage" or shot.persona == "reboot" for shot in planned)


PAYLOAD = {"from": "+630000000001", "to": "+639171234567", "text": 'It\'s "ok" é'}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("office", b'{"from": "+630000000001", "to": "+639171234567", "text": "It\'s \\"ok\\" \\u00e9"}'),
        ("curl", '{"from":"+630000000001","to":"+639171234567","text":"It\'s \\"ok\\" é"}'.encode()),
        ("telnyx-python", '{"to":"+639171234567","from":"+630000000001","text":"It\'s \\"ok\\" é"}'.encode()),
        ("newman", '{"from":"+630000000001","to":"639171234567","text":"It\'s \\"ok\\" é"}'.encode()),
        ("home-assistant", b'{"from": "+630000000001", "to": ["+639171234567"], "text": "It\'s \\"ok\\" \\u00e9"}'),
        (
            "apprise",
            (
                b'{"version": "1.0", "title": "", "text": "It\'s \\"ok\\" \\u00e9", "attachments": [], "type": "info"'
                b', "from": "+630000000001", "to": "+639171234567"}'
            ),
        ),
    ],
)
def test_other_programs_bodies_byte_for_byte(name, body):
    """Presets write members, blanks and escapes as the program they are named for does."""
    persona = PERSONAS[name]
    assert persona.body(persona.change(PAYLOAD, None)) == body


def test_curly_quotes_are_typographic():
    """A word processor's quotes are not ASCII any more."""
    changed = PERSONAS["curly"].change({"text": "it's - ok"}, None)["text"]
    assert [ord(char) for char in changed if ord(char) > 127] == [0x201C, 0x2019, 0x2013, 0x201D, 0x2026]


@pytest.mark.parametrize(
    ("text", "sentence"), [("boss", "no persona 'boss'"), ("office=x", "must be a number"), ("office=0", "above 0")]
)
def test_mix_mistakes_are_sentences(text, sentence):
    """A mix that cannot be is a sentence that says why."""
    with pytest.raises(ValueError, match=sentence):
        mix(text)


def test_universal_receiver_gets_everything():
    """With `all_to` no request is addressed to anybody else, whatever the persona does."""
    for shot in shots(Plan(rate=100, duration=5, weights=ALL, all_to="+639170000000")):
        to = "" if shot.operation == "verify" else json.dumps(json.loads(shot.content)["to"])
        assert "".join(filter(str.isdigit, to)) in {"", "639170000000"}


def test_bad_input_is_addressed_in_every_field():
    """The careless persona spoils each field of the contract at least once."""
    assert {name for change in BAD_INPUT for name in change} == {"from", "to", "text", "media_urls"}
