"""The same seed sends the same bytes on every machine: held against digests that were made on another one.

They change when a persona, a profile, the people or Faker's data do. If that was meant, renew them and commit both:

    .venv/bin/python tests/pbx/test_golden.py
"""

import hashlib
import json
import sys
from pathlib import Path

import faker
import pytest

from contracts import spec
from contracts.target import Target
from simulator.pbx.contacts import fill
from simulator.pbx.pacing import PROFILES
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Plan, fingerprint
from simulator.pbx.scenario import load, pack, walk
from simulator.pbx.steps import burst, invited

FILE = Path(__file__).parent / "golden.json"
PAGE = spec.page_example()
LOCAL = Target("http://127.0.0.1:1/", "http://127.0.0.1:1/", "k", PAGE["from"], PAGE["to"])
PLANS = {
    **{f"persona {name}": Plan(seed=7, rate=20, duration=10, weights={name: 1.0}) for name in PERSONAS},
    **{f"profile {name}": Plan(name, seed=7, rate=20, duration=20) for name in PROFILES},
    "agents": Plan(seed=7, rate=20, duration=60, agents=90, queues=3, numbers=("+631", "+632"), shares=(2, 1)),
    "everybody": Plan(seed=2**31, rate=50, duration=10, weights=dict.fromkeys(PERSONAS, 1.0)),
}


def seeded(path):
    """Digests of all that a scenario draws from its seed: bursts of traffic, the texts and people of campaigns."""
    scenario = load(path)
    for _, step in walk(scenario.steps):
        if "traffic" in step:
            yield fingerprint(burst(step["traffic"], scenario.seed, LOCAL))
        if isinstance(step.get("campaign", {}).get("contacts"), int):
            people = invited(step["campaign"]["contacts"], scenario.seed)
            said = [[one.number, fill(step["campaign"]["text"], one.fields)] for one in people]
            yield hashlib.sha256(json.dumps(said).encode()).hexdigest()


def digests():
    """Every digest by the name of what it is of."""
    found = {name: fingerprint(plan) for name, plan in PLANS.items()}
    stories = {name: [*seeded(path)] for name, path in pack().items()}
    return found | {f"scenario {name}": hashes for name, hashes in stories.items() if hashes}


@pytest.fixture(scope="module")
def golden():
    """What is committed, and what this machine makes of it."""
    return json.loads(FILE.read_text(encoding="utf-8")), digests()


def test_bytes_are_those_of_another_machine(golden):
    """Each persona, profile and scenario sends what it sent where the digests were made."""
    kept, now = golden
    differing = sorted(name for name in kept["digests"].keys() | now if kept["digests"].get(name) != now.get(name))
    assert differing == [], f"made with {kept['made_with']}, this is {made_with()}; renewing is explained at the top"


def test_everything_that_is_seeded_is_held(golden):
    """There is a digest for each persona, each profile, and each scenario with traffic or a campaign of people."""
    kept, _ = golden
    names = {f"persona {name}" for name in PERSONAS} | {f"profile {name}" for name in PROFILES}
    assert names | {"scenario office-day", "scenario campaign-of-1000", "agents", "everybody"} <= set(kept["digests"])


def made_with():
    """The versions on which the bytes depend."""
    return {"faker": faker.VERSION, "python": f"{sys.version_info.major}.{sys.version_info.minor}"}


if __name__ == "__main__":
    FILE.write_text(json.dumps({"made_with": made_with(), "digests": digests()}, indent=1) + "\n", encoding="utf-8")
