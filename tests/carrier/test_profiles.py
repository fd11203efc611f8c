"""Receipt profiles from files: read like everything else that comes from outside, or refused with a sentence."""

import pytest
from click import UsageError

from simulator.carrier.lifecycle import PROFILES, Profile
from simulator.carrier.process import read_profile


def test_a_profile_can_be_a_name_or_a_file(tmp_path):
    """The file has the same fields as the built-in ones."""
    file = tmp_path / "slow.yaml"
    file.write_text("shares: {DELIVRD: 3, EXPIRED: 1}\ndelay: 10\nenroute: true\n")
    assert read_profile(str(file)) == Profile({"DELIVRD": 3, "EXPIRED": 1}, 10, 0.0, enroute=True)
    assert read_profile("mixed") is PROFILES["mixed"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[]", "not an object"),
        ("shares: 1", "an object"),
        ("shares: {LOST: 1}", "of ENROUTE, DELIVRD"),
        ("shares: {DELIVRD: -1}", "numbers from 0"),
        ("shares: {DELIVRD: many}", "numbers from 0"),
        ("shares: {DELIVRD: 0}", "above 0"),
        ("shares: {}\ndelay: soon", "'delay'"),
        ("shares: {", "cannot be used"),
    ],
)
def test_a_profile_that_cannot_be_used_says_why(tmp_path, text, words):
    """One sentence that names file and fault."""
    file = tmp_path / "profile.yaml"
    file.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_profile(str(file))
