"""What a run is told: plans survive the environment, profiles survive files, and wrong ones are refused."""

import re
from dataclasses import replace

import pytest

from contracts import spec
from load import phases
from load.plan import Plan, profile_from
from load.profiles import ALL, named

PLAN = Plan("http://127.0.0.1:1/send", "a-key", named("smoke"), "+630000000001", budget=5, seed=3)
REMOTE = {"YEASTAR_SEND_URL": "https://sms.example/send", "YEASTAR_API_KEY": "k"}


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_a_profile_survives_json(profile):
    """Locust's process gets exactly the profile that the command has."""
    assert phases.read(profile.to_json()) == profile


@pytest.mark.parametrize("profile", ALL, ids=lambda profile: profile.name)
def test_a_profile_keeps_its_shape_when_scaled(profile):
    """Scaling changes the peak and the length, and nothing about what is right."""
    scaled = profile.scaled(peak=10, seconds=20)
    assert scaled.peak == pytest.approx(10)
    assert scaled.seconds == pytest.approx(20)
    assert [phase.codes for phase in scaled.phases] == [phase.codes for phase in profile.phases]
    assert all(small.least <= phase.least for small, phase in zip(scaled.phases, profile.phases, strict=True))


def test_a_plan_survives_the_environment_and_hides_its_key():
    """What the command puts into the environment is the plan that Locust's process reads; no repr has the key."""
    assert Plan.from_env(PLAN.to_env()) == PLAN
    assert "a-key" not in repr(PLAN)


def test_messages_are_unique_and_the_same_in_every_process():
    """Any process makes the same text for a message, each try has its own, and recipients are valid shapes."""
    made = [PLAN.message(n, turn) for n in range(500) for turn in range(2)]
    assert len({text for _, text in made}) == 1000
    assert made[17] == replace(PLAN, key="other").message(8, 1)
    pattern = re.compile(spec.limits().number_pattern)
    assert all(pattern.fullmatch(to) for to, _ in made)
    assert max(len(text) for _, text in made) <= spec.limits().text


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({}, "Set YEASTAR_SEND_URL"),
        ({"YEASTAR_SEND_URL": "http://127.0.0.1/x"}, "YEASTAR_API_KEY"),
        (REMOTE, "I_OWN_THIS_TARGET"),
        (REMOTE | {"YEASTAR_I_OWN_THIS_TARGET": "yes"}, "SMSLAB_LOAD_BUDGET"),
        (PLAN.to_env() | {"SMSLAB_LOAD_PROFILE": "no-such"}, "no profile 'no-such'"),
    ],
)
def test_plain_locust_without_what_it_needs_is_told_what(environ, said):
    """A Locust that was started by hand fails with one sentence, and never aims beyond loopback by accident."""
    with pytest.raises(ValueError, match=said):
        Plan.from_env(environ)


OWN = """
name = "monday"
key_rate = 90
[thresholds]
p99_ms = 80
[[phases]]
name = "rise"
curve = [[10, 0, 40], [5, 40, 40]]
[[phases]]
name = "outage"
curve = [[5, 40, 40]]
fault = {kind = "outage", params = {}}
codes = ["10007"]
least = 20
"""


def test_a_profile_of_ones_own_is_a_toml_file(tmp_path):
    """The names in the file are the names of the data; what is left out has the defaults."""
    (tmp_path / "monday.toml").write_text(OWN)
    profile = profile_from(str(tmp_path / "monday.toml"))
    assert (profile.name, profile.key_rate, profile.thresholds.p99_ms) == ("monday", 90, 80)
    assert profile.seconds == 20
    assert profile.phases[1].codes == ("10007",)
    assert not profile.phases[1].healthy


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "not readable"),
        ('name = "x"', "at least one"),
        ("[[phases]]\ncurve = [[1, 1, 1]]", "needs a name"),
        ('name = "x"\n[[phases]]\ncurve = [[1, 1]]', "needs a curve"),
        ('name = "x"\n[[phases]]\nname = "y"', "needs a curve"),
        ('name = "x"\n[[phases]]\ncurve = [[0, 1, 1]]', "above 0"),
        ('name = "x"\n[[phases]]\ncurve = [[1, 1, 1]]\ncodes = ["10009"]', "No such error codes: 10009"),
        ('name = "x"\nspeed = 3\n[[phases]]\ncurve = [[1, 1, 1]]', "unknown settings: speed"),
        ('name = "x"\n[thresholds]\np42 = 3\n[[phases]]\ncurve = [[1, 1, 1]]', "thresholds has unknown"),
    ],
)
def test_a_wrong_profile_is_refused_with_a_sentence(text, said):
    """Nobody has to guess what is wrong with a profile."""
    with pytest.raises(ValueError, match=said):
        phases.read(text)


def test_a_missing_profile_file_is_named(tmp_path):
    """A file that is not there is said to be unreadable, by its name."""
    with pytest.raises(ValueError, match=r"nowhere\.toml cannot be read"):
        profile_from(str(tmp_path / "nowhere.toml"))
