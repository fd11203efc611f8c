"""PostgreSQL and Redis killed, shut down, stopped and cut off under load: the promise does not rest on their health."""

import pytest

from simulator.chaos.outages import COMMITS, OUTAGES
from simulator.chaos.report import as_text
from simulator.chaos.rounds import Trial, run
from simulator.chaos.servers import installed

pytestmark = pytest.mark.skipif(not installed(), reason="PostgreSQL or Redis is not installed")


def test_the_servers_behind_the_gateway_may_fail(tmp_path):
    """One outage of each kind: nothing lost, doubled or invented, no refusal delivered, accepting within 5 s."""
    report = run(tmp_path, Trial(len(OUTAGES), 1, "postgresql", deeds=OUTAGES))

    assert report.is_true, as_text(report)
    assert set(report.rounds) == set(OUTAGES)
    assert report.cuts >= COMMITS
