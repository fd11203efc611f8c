"""The search for the knee, and the queueing model that must predict it before it is believed."""

import json
from math import log

import pytest
from click.testing import CliRunner

from contracts.exits import Exit
from load import queueing
from load.capacity import Step, note, search, size
from load.cli import load


def test_one_server_is_the_textbook_queue():
    """For one server waiting has probability rho, and p99 is the known logarithm over the spare rate."""
    model = queueing.Model(mu=100, base=0.0)
    assert queueing.erlang_c(1, 0.8) == pytest.approx(0.8)
    assert model.p99(80) == pytest.approx(log(80) / 20)
    assert model.p99(100) == float("inf")
    assert model.p99(0) == 0


def test_two_servers_wait_less_than_one_twice_as_busy():
    """Erlang C of two servers at an offered load of 1.6 is the value in the tables."""
    assert queueing.erlang_c(2, 1.6) == pytest.approx(0.7111, abs=1e-4)
    assert queueing.Model(100, 0.0, 2).p99(160) < queueing.Model(100, 0.0, 1).p99(80)


def test_the_knee_is_where_the_limit_is_met():
    """At the knee p99 is the limit; a limit below the base is never met."""
    model = queueing.Model(mu=1000, base=0.005, servers=2)
    assert model.p99(model.knee(0.05)) == pytest.approx(0.05, rel=1e-3)
    assert model.knee(0.001) == 0


@pytest.mark.parametrize(("mu", "base", "servers"), [(1000, 0.004, 1), (800, 0.01, 2), (5000, 0.001, 4)])
def test_the_model_predicts_the_knee_from_lighter_load(mu, base, servers):
    """Fitted to points up to two thirds of the knee, it finds the knee of a system that is such a queue."""
    true = queueing.Model(mu, base, servers)
    knee = true.knee(0.1)
    points = [(knee * share, true.p99(knee * share)) for share in (0.1, 0.2, 0.4, 0.5, 0.66)]
    assert queueing.fit(points, servers).knee(0.1) == pytest.approx(knee, rel=0.15)


@pytest.mark.parametrize(("one", "two", "sigma"), [(1000, 2000, 0), (1000, 1600, 0.25), (1000, 1000, 1)])
def test_contention_explains_what_several_hold(one, two, sigma):
    """Two measurements give the share done in turn, and that share gives the measurements back."""
    assert queueing.contention(one, two) == pytest.approx(sigma)
    assert queueing.scaled(one, sigma, 2) == pytest.approx(two)


def system(knee, *, generator=float("inf")):
    """Measuring a system that holds up to `knee`, with a generator that manages up to `generator`."""
    model = queueing.Model(knee * 1.05, 0.004)

    def measure(rate):
        if rate > generator:
            return Step(1, rate, 1.0, Exit.COULD_NOT_TEST)
        return Step(1, rate, min(model.p99(rate), 9.0), Exit.FINE if rate <= knee else Exit.WRONG)

    return measure


@pytest.mark.parametrize("knee", [3, 90, 1234, 7000])
def test_the_search_ends_within_a_tenth_of_the_knee(knee):
    """Doubling and halving bracket the knee in few steps, from below or from above."""
    steps = list(search(system(knee), 100))
    held = max(step.rate for step in steps if step.exit_code == Exit.FINE)
    assert knee / 1.1 - 1 <= held <= knee
    assert len(steps) <= 12


def test_a_system_that_holds_nothing_ends_the_search():
    """Below one message per second the search gives up."""
    steps = list(search(lambda rate: Step(1, rate, None, Exit.WRONG), 8))
    assert [step.rate for step in steps] == [8, 4, 2, 1]
    assert size(steps, 0.1).held == 0


def test_the_prediction_is_compared_with_the_measurement():
    """A sizing says what was held, what the model had said, and how far off that was."""
    sizing = size(list(search(system(1000), 50)), 0.1)
    assert sizing.held == pytest.approx(1000, rel=0.1)
    assert abs(sizing.error) < 0.3
    assert sizing.limited_by == "the gateway"


def test_a_generator_that_cannot_keep_up_is_named_as_the_limit():
    """A void step is not the gateway's fault, and the note says so."""
    sizing = size(list(search(system(1000, generator=300), 50)), 0.1)
    assert sizing.limited_by == "the generator"
    assert "limited by the generator" in note([sizing], 3, 2)[0]
    assert "more than one number of processes" in note([sizing], 3, 2)[-1]


def test_the_sizing_note_follows_from_the_measurements():
    """One process, two, a host, several hosts: each figure in a sentence, what is not measured said."""
    one, two = size([Step(1, 1000, 0.05, Exit.FINE)], 0.1), size([Step(2, 1600, 0.05, Exit.FINE)], 0.1)
    said = " ".join(note([one, two], hosts=3, cores=4))
    assert "would hold 2000/s; they held 1600/s: 25% of their work" in said
    assert "4 cores, carrier and generator on it as here: about 2286/s" in said
    assert "3 such hosts on one PostgreSQL: 6857/s if they share nothing, 4571/s" in said
    assert "not measured" in said


def test_a_full_host_is_not_extrapolated_from():
    """When more processes hold less, the note says that the host is full and makes no promise for more hosts."""
    one, two = size([Step(1, 100, 0.05, Exit.FINE)], 0.1), size([Step(2, 60, 0.05, Exit.FINE)], 0.1)
    said = note([one, two], hosts=3, cores=2)
    assert "the cores of this host are full" in said[-1]
    assert not [sentence for sentence in said if "hosts on one" in sentence]


def test_capacity_of_the_bundled_gateway_is_searched_for(tmp_path):
    """The command measures real steps, reports each, and writes the page with the knee."""
    options = ["--p99", "0.001", "--start", "2", "--seconds", "3", "--processes", "1"]
    result = CliRunner().invoke(load, ["capacity", *options, "--directory", str(tmp_path), "--json"])
    assert result.exit_code == 1, result.output
    assert [step["rate"] for step in json.loads(result.stdout)["steps"]] == [2, 1]
    assert "1 x, 2/s: p99" in result.stderr
    assert "<polyline" in (tmp_path / "capacity.html").read_text()
