"""The same world, driven by Hypothesis: each fault is a drawn value, so that a failure shrinks to the few that matter.

No dice of the world's own: tasks that could go on do so in a fixed order.
"""

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from gateway.crash import POINTS
from gateway.metrics import Metrics
from gateway.settings import Settings
from tests.simulation.mutants import MUTANTS
from tests.simulation.parts import Parts
from tests.simulation.plan import DAY, DEADLINE, FATES, RESTARTS, Plan
from tests.simulation.seeds import open_stage
from tests.simulation.stage import Stage
from tests.simulation.verdict import broken
from tests.simulation.world import World

CLEAN = settings(
    max_examples=60,
    stateful_step_count=25,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
# A mutant need only be found; shrinking is for whoever reads a real failure.
HUNT = settings(CLEAN, max_examples=400, phases=(Phase.generate,))


class Still(Random):
    """No dice: always the middle."""

    def random(self) -> float:
        return 0.5


class DrawnWorld(World):
    """A world in which nothing goes wrong but what was drawn."""

    def fate(self, kind: str) -> str:
        waiting = [] if self.mended else self.drawn[kind]
        return waiting.pop(0) if waiting else "ok"


class Machine(RuleBasedStateMachine):
    """The rules over a fresh world; a subclass says on which stage and of which parts."""

    stage: Stage
    parts: Parts

    @initialize(window=st.sampled_from((DAY, 6.0)), validity=st.sampled_from((DAY, 6.0)), most=st.integers(1, 3))
    def begin(self, window, validity, most):
        chosen = Settings(attempt_deadline=DEADLINE, dedup_window=window, validity=validity, request_deadline=0.5)
        plan = Plan((), 2, chosen, most, 1e9, dict.fromkeys(FATES, 1.0), (), "never", 0.0)
        self.world = DrawnWorld(self.stage, Still(), self.parts, Metrics(), plan)
        self.world.drawn = {kind: [] for kind in FATES}
        for process in self.world.processes:
            process.start()

    @rule(messages=st.integers(1, 3), process=st.integers(0, 1))
    def send(self, messages, process):
        """Messages arrive at one moment."""
        world = self.world
        world.processes.sort(key=lambda one: one.number != process)
        for _ in range(messages):
            world.scheduler.spawn(None, lambda: world.post(f"m{len(world.letters)}"))
        world.scheduler.run(world.scheduler.now + 0.01)

    @rule(fate=st.sampled_from([(kind, fate) for kind, fates in FATES.items() for fate in ("ok", *fates)]))
    def go_wrong(self, fate):
        """The next thing of a kind goes this way."""
        self.world.drawn[fate[0]].append(fate[1])

    @rule(point=st.sampled_from(POINTS), down=st.sampled_from(RESTARTS))
    def crash(self, point, down):
        """The next process to pass the point dies."""
        self.world.crashes.append((point, self.world.passed[point] + 1, down))

    @precondition(lambda self: any(process.alive for process in self.world.processes))
    @rule(down=st.sampled_from(RESTARTS))
    def kill(self, down):
        """A process dies where it stands."""
        world = self.world
        victim = next(process for process in world.processes if process.alive)
        victim.die(down)
        world.scheduler.run(world.scheduler.now)

    @rule(seconds=st.sampled_from((0.1, 1.0, 3.0, 10.0)))
    def wait(self, seconds):
        """Time passes."""
        self.world.scheduler.run(self.world.scheduler.now + seconds)

    def teardown(self):
        """When all is mended and has come to rest, the promise has been kept."""
        if hasattr(self, "world"):
            assert not broken(self.world.rest())


def machine(stage, parts):
    """The rules over worlds made of these parts."""
    return type("Worlds", (Machine,), {"stage": stage, "parts": parts})


@pytest.fixture(scope="module")
def stage():
    """One store for all worlds, wiped for each."""
    with open_stage() as opened:
        yield opened


def test_no_drawn_sequence_of_faults_breaks_the_promise(stage):
    """Whatever is drawn, in whatever order: 200 is once, a refusal never, no answer at most once."""
    run_state_machine_as_test(machine(stage, Parts()), settings=CLEAN)


@pytest.mark.parametrize(
    "name",
    ["acknowledge before commit", "mark before send", "key per attempt", "500 after a commit", "timeout is final"],
)
def test_the_machine_finds_breaches(stage, name):
    """Its rules can reach what breaks the promise, faults of the store included."""
    with pytest.raises(AssertionError):
        run_state_machine_as_test(machine(stage, MUTANTS[name]), settings=HUNT)
