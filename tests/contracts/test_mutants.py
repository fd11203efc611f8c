"""The judge can fail: defects in front of a correct provider are found by the rules they break."""

from collections import Counter
from pathlib import Path

import pytest

from contracts import rules, target
from contracts.mutants import hunt, matrix
from simulator.lab import running_lab

# One mutant per kind of defect; `smslab contract mutants` judges them all.
SAMPLE = (
    "wrapped_in_detail",
    "key_compared_by_its_beginning",
    "first_header_wins",
    "digits_of_any_script",
    "crash_on_depth",
    "chunked_cut",
    "service_unavailable_as_503",
    "sent_twice",
)


@pytest.fixture(scope="module")
def lab_target(tmp_path_factory):
    """A strictly conforming provider: the bundled gateway, with everything that can be provoked."""
    with running_lab(tmp_path_factory.mktemp("mutants"), rate=5000) as lab:
        keys = {"YEASTAR_API_KEY": lab.key, "SLOW": lab.integration("Slow", "--rate", "5")}
        keys["DISABLED"] = lab.integration("Disabled")
        lab.smslab("gateway", "integration", "set", "Disabled", "--disabled")
        faults = f"{lab.carrier_url}/faults"
        outage = {"url": faults, "body": {"kind": "outage", "params": {}, "ttl": 60}, "within": 10}
        table = {
            "send_url": lab.send_url,
            "verify_url": lab.verify_url,
            "max_accepted": 600,
            "timeout": 3,
            "carrier": {"messages_url": f"{lab.carrier_url}/messages"},
            "provoke": {
                "10005": {"key_env": "DISABLED"},
                "10006": {"key_env": "SLOW", "burst": 80},
                "10007": outage | {"clear": {"url": faults}},
            },
        }
        yield target.from_table(table, keys, base=Path())


def test_each_sampled_mutant_is_killed_by_its_own_rule(lab_target):
    """A finding of another rule would be luck: only the rule that a mutant breaks kills it."""
    hunts = list(hunt.hunt(lab_target, list(SAMPLE)))
    found = matrix.as_object(hunts)
    assert found["survivors"] == []
    assert found["killed"] == len(SAMPLE)
    assert f"{len(SAMPLE)} of {len(SAMPLE)} killed" in matrix.as_text(hunts)


def test_every_must_has_a_mutant():
    """No published obligation is untested by a defect, and there are at least 60 defects."""
    catalogue = hunt.catalogue()
    broken = Counter(mutant.breaks for mutant in catalogue.values())
    musts = {rule.id for rule in rules.rules().values() if rule.level == "must"}
    assert musts - set(broken) == set()
    assert set(broken) <= set(rules.rules())
    assert len(catalogue) >= 60
    assert all(mutant.says.endswith(".") for mutant in catalogue.values())
    assert {mutant.wfc for mutant in catalogue.values()} <= {0, *range(100, 121), *range(200, 207), *range(300, 311)}
