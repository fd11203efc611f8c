"""The promise holds in every simulated world, and every deliberate breach of it is found."""

import os

import pytest

from gateway.crash import POINTS
from tests.simulation.mutants import MUTANTS
from tests.simulation.parts import Parts
from tests.simulation.seeds import Failure, open_stage, run

SEEDS = int(os.environ.get("SMSLAB_SEEDS", "2000"))  # the only place that reads it; .ci/run sets 10,000
POINTS_AT_LEAST = 5  # times each named point is passed, so that crashes there are possible at all


@pytest.fixture(scope="module")
def stage():
    """One store for all worlds, wiped for each."""
    with open_stage() as opened:
        yield opened


def test_the_promise_holds_for_every_seed(stage):
    """200 is once, a refusal never, no answer at most once, whatever crashes and fails; a failure says its seed."""
    passed = run(stage, range(SEEDS), Parts())
    assert all(passed[point] >= POINTS_AT_LEAST for point in POINTS), passed


@pytest.mark.parametrize("seed", [68428, 175691])
def test_two_orders_with_one_id_of_which_nothing_can_be_learned(stage, seed):
    """Two processes draw one id and both commits stay unknown: the log says so twice, and neither is a refusal."""
    run(stage, [seed], Parts())


@pytest.mark.parametrize("name", MUTANTS)
def test_every_mutant_is_caught_within_a_hundred_seeds(stage, name):
    """A breach somebody could write on a bad day breaks the promise in one of the first hundred worlds."""
    with pytest.raises(Failure, match=r"replay: python -m tests\.simulation --replay \d+ --mutant"):
        run(stage, range(100), MUTANTS[name], name)


def test_a_seed_is_a_world(stage):
    """The same seed fails in the same way twice: the trace is the same to the last line."""
    name = "key per attempt"
    with pytest.raises(Failure) as first:
        run(stage, range(100), MUTANTS[name], name)
    with pytest.raises(Failure) as second:
        run(stage, range(100), MUTANTS[name], name)
    assert str(first.value) == str(second.value)
