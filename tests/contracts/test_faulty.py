"""Providers with the faults that public ones have: each fault is named by its rule."""

import pytest

from contracts.exits import Exit
from contracts.serving import serving
from tests.contracts.faulty_providers import create

FAULTS = {
    "framework": {
        "YS-ENV-01": "a refusal wrapped in detail, and the framework's own body",
        "YS-ENV-04": "422 is no status of the contract",
        "YS-DOWN-01": "the upstream's status passed through with 10007",
    },
    "script": {
        "YS-ENV-01": "a 401 of another shape",
        "YS-ENV-07": "a page where an envelope should be",
        "YS-LEAK-01": "the crash page shows a traceback",
        "YS-OK-02": "an id that is a number",
        "YS-MED-01": "media accepted although nothing of them can be sent",
        "YS-TXT-03": "an empty message accepted",
    },
}


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_seen_in_public_is_named_by_its_rule(target_at, judged, kind):
    """The suite fails the provider and names every one of its faults."""
    with serving(create(kind, "minimalKeyAbc123")) as url:
        outage = {"url": f"{url}/outage", "method": "POST", "clear": {"url": f"{url}/outage"}}
        verdict, _ = judged(target_at(url, provoke={"10007": outage}))
    assert verdict.exit == Exit.WRONG
    assert set(FAULTS[kind]) <= {one.rule for one in verdict.broken}
