"""The judge finds nothing wrong with what is right; `python -m tests.contracts.alarms` asks with many seeds."""

import pytest

from tests.contracts.alarms import alarms


@pytest.mark.parametrize("name", ["gunicorn", "minimal"])
def test_what_is_right_raises_no_alarm(name):
    """A whole run with few generated requests: nothing broken, no cell missed; for granian see `test_bundled.py`."""
    ((_, requests, wrong),) = alarms(name, [7], examples=3)
    assert wrong == []
    assert requests > 400
