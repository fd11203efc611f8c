"""The breaker as a value: exact instants on a clock that is an argument."""

import pytest

from gateway.breaker import COOLDOWN, LONGEST, THRESHOLD, Breaker

NOW = 1000.0
FIRST, LATER = COOLDOWN


def after(*attempts, at=NOW):
    """The breaker after these attempts, all at one instant."""
    breaker = Breaker()
    for success in attempts:
        breaker = breaker.after(success, at)
    return breaker


def test_it_opens_with_the_third_failure_in_a_row():
    """Two failures are bad luck, three are an outage; a success in between starts the count anew."""
    assert [after(*[False] * count).is_closed() for count in range(THRESHOLD + 1)] == [True, True, True, False]
    assert after(False, False, True, False, False).is_closed()


@pytest.mark.parametrize(
    ("failures", "cooldown"), [(THRESHOLD, FIRST), (THRESHOLD + 1, LATER), (THRESHOLD + 50, LATER)]
)
def test_it_lets_a_probe_through_at_the_exact_instant(failures, cooldown):
    """Open until the cool-down is over and not a moment longer; the cool-down does not grow without end."""
    breaker = after(*[False] * failures)
    assert not breaker.may_probe(NOW + cooldown - 0.001)
    assert breaker.may_probe(NOW + cooldown)


def test_one_good_probe_closes_it():
    """Whatever came before."""
    assert after(*[False] * 50, True) == Breaker()


def test_closed_it_asks_for_no_probe():
    """Probing is for the half-open state."""
    assert not Breaker().may_probe(NOW)


def test_a_clock_that_jumps_back_does_not_keep_it_open():
    """Open until an instant that is an hour away cannot be meant; a probe may find out."""
    assert after(*[False] * THRESHOLD, at=NOW + 3600).may_probe(NOW)


def test_the_longest_cool_down_is_believed():
    """Ten minutes may be meant, a moment more may not."""
    assert not Breaker(THRESHOLD, NOW + LONGEST).may_probe(NOW)
    assert Breaker(THRESHOLD, NOW + LONGEST + 0.001).may_probe(NOW)
