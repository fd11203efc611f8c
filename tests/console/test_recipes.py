"""What runs are made of: the words they are started with, their number at one time, their charts."""

import pytest

from simulator.console.children import MOST, Children, Crowded, Started
from simulator.console.figures import HEIGHT, WIDTH, at_percent, chart, shares
from simulator.console.lab import LabView
from simulator.console.recipes import RECIPES, Place, asked_for, contact_lines, contacts_csv
from tests.console.conftest import TO, target

TRAFFIC = {"profile": "steady", "rate": "20", "duration": "2", "mix": "office=1", "seed": "7"}


def test_only_so_many_at_a_time(tmp_path):
    """The lab's machine has other work: one run too many is refused with a sentence."""
    children = Children(tmp_path / "runs")
    try:
        for number in range(MOST):
            children.start(Started(f"r{number}", "", "traffic", "", 0.0, ["up", "--help"], {}), "key")
        listed = [one.run for one in children.all()]
        with pytest.raises(Crowded, match=f"{MOST} runs are going on"):
            children.start(Started("more", "", "traffic", "", 0.0, ["up", "--help"], {}), "key")
    finally:
        children.close()

    assert len(listed) == MOST


@pytest.mark.parametrize("kind", RECIPES)
def test_a_replay_asks_for_the_same(kind, tmp_path):
    """What a run was asked for, asked again, makes the same words but for the run's name and place."""
    form = TRAFFIC | {"scenario": "first-day", "contacts": TO, "text": "Hi"}
    place = Place(LabView(target(), tmp_path / "lab.toml"), "anna/x", tmp_path)
    asked = asked_for(kind, form)

    assert RECIPES[kind].words(asked, place) == RECIPES[kind].words(asked_for(kind, asked), place)
    assert RECIPES[kind].title(asked)


def test_a_seed_is_drawn_where_none_is_given():
    """Whatever has a seed has one before it starts, so that it can be played again."""
    drawn = {asked_for("scenario", {"scenario": "first-day"})["seed"] for _ in range(20)}

    assert len(drawn) > 1
    assert "seed" not in asked_for("campaign", {"contacts": TO, "text": "Hi", "rate": "1"})


def test_contacts_may_be_numbers_or_a_table():
    """Numbers one a line get the head they lack; a table keeps its own."""
    plain, table = {"contacts": f"{TO}\r\n\r\n+631\n"}, {"contacts": f"number,name\n{TO},Ana"}

    assert contacts_csv(plain) == f"number\n{TO}\n+631\n"
    assert contacts_csv(table) == f"number,name\n{TO},Ana\n"
    assert [len(contact_lines(one)) for one in (plain, table)] == [2, 1]


def test_a_chart_stays_in_its_frame():
    """However long and fast a run is, its curves have at most so many points, all inside the frame."""
    drawn = chart([n % 7 for n in range(86_400)], lambda _: 9.0, 86_400)

    for curve in (drawn.actual, drawn.planned):
        points = [tuple(map(float, point.split(","))) for point in curve.split()]
        assert len(points) <= 200
        assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert drawn.top == 9.0
    assert chart([]).actual == ""


def test_shares_fill_the_bar():
    """The pieces of the bar follow one another and are as wide as their part."""
    pieces = shares({"delivered": 3, "refused": 1, "lost": 0})

    assert [(one.outcome, one.part, one.x, one.width) for one in pieces] == [
        ("delivered", 0.75, 0.0, 450.0), ("refused", 0.25, 450.0, 150.0)
    ]  # fmt: skip
    assert at_percent([], 50) is None
    assert at_percent([1.0, 2.0, 3.0], 50) == 2.0


def test_a_scenario_that_changes_the_gateway_brings_its_own(tmp_path):
    """A story that administers a gateway, or sees inside it, plays in a lab and a ledger of its own."""
    place = Place(LabView(target(), tmp_path / "lab.toml"), "anna/x", tmp_path)
    words = {
        name: RECIPES["scenario"].words({"scenario": name, "seed": "7"}, place) for name in ("revoked-key", "unicode")
    }

    assert "--lab" in words["revoked-key"]
    assert str(tmp_path / "pbx.sqlite") in words["revoked-key"]
    assert "--lab" not in words["unicode"]


def test_a_scenario_is_one_of_the_ready_ones():
    """A form cannot name a file of the machine."""
    with pytest.raises(ValueError, match="no scenario"):
        asked_for("scenario", {"scenario": "/etc/passwd"})
