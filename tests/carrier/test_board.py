"""Whom faults hit, how long they last, how they add up, and what the report says of them."""

import pytest

from simulator.carrier.faults import kinds

SCOPES = [
    ({}, [0, 1, 2, 3, 4, 5]),
    ({"to": "+639170000002"}, [2]),
    ({"prefix": "+63917000000"}, [0, 1, 2, 3, 4, 5]),
    ({"sender": "NOBODY"}, []),
    ({"first": 2}, [0, 1]),
    ({"every": 3}, [2, 5]),
    ({"every": 2, "first": 4}, [1, 3]),
    ({"share": 0}, []),
    ({"share": 1}, [0, 1, 2, 3, 4, 5]),
    ({"share": 0.5, "seed": 7}, [0, 1, 3, 5]),
]


@pytest.mark.parametrize(("scope", "hit"), SCOPES)
def test_a_scope_hits_exactly_these(carrier, scope, hit):
    """Six messages to six recipients: which of them are refused; a seed makes the draw repeatable."""
    carrier.break_it("refuse", scope, status=500)
    sent = [carrier.send(f"K{n}", to=f"+63917000000{n}").status_code for n in range(6)]
    assert [n for n, status in enumerate(sent) if status == 500] == hit


def test_faults_add_up(carrier):
    """Two faults on one message: it is slow and refused."""
    carrier.break_it("late-accept", seconds=3)
    carrier.break_it("refuse", status=503)
    assert carrier.send("A").status_code == 503
    assert carrier.clock.slept == [3]


def test_the_report_tells_how_each_fault_ended(carrier):
    """Expired or cleared, hit or never hit: the report says so, and `reset` ends whatever is left."""
    carrier.break_it("nothing", ttl=10)
    carrier.break_it("nothing", {"to": "+1"})
    carrier.send("A")
    carrier.clock.now += 10
    report = carrier.client.get("/faults").json
    assert [one["remark"] for one in report["faults"]] == ["armed, never hit"]
    assert [one["remark"] for one in report["past"]] == ["expired, hit once"]
    assert carrier.client.post("/reset").json["cleared"] == 1
    report = carrier.client.get("/faults").json
    assert report["faults"] == []
    assert sorted(one["remark"] for one in report["past"]) == ["cleared, never hit", "expired, hit once"]


def test_one_fault_can_be_cleared_by_its_id(carrier):
    """The other stays; an id that is not armed is 404."""
    first, second = carrier.break_it("nothing"), carrier.break_it("nothing")
    assert carrier.client.delete(f"/faults/{first['id']}").status_code == 200
    assert carrier.client.delete(f"/faults/{first['id']}").status_code == 404
    assert [one["id"] for one in carrier.client.get("/faults").json["faults"]] == [second["id"]]


def test_a_schedule_is_phases_one_after_the_other(carrier):
    """Calm, then refusals, then an outage, then well: each phase for its seconds."""
    phases = [
        {"name": "calm", "seconds": 10},
        {"name": "refusals", "seconds": 5, "faults": [{"kind": "refuse", "params": {"status": 500}}]},
        {"seconds": 5, "faults": [{"kind": "outage"}]},
    ]
    armed = carrier.client.post("/faults", json={"phases": phases}).json["faults"]
    assert [one["phase"] for one in armed] == ["refusals", "phase 3"]
    seen = []
    for _ in range(5):
        seen.append(carrier.send().status_code)
        carrier.clock.now += 5
    assert seen == [200, 200, 500, 503, 200]


def test_only_the_last_hundred_ended_faults_are_remembered(carrier):
    """A carrier that is broken all day does not grow."""
    for _ in range(120):
        carrier.break_it("nothing")
        carrier.client.delete("/faults")
    carrier.break_it("nothing")
    assert len(carrier.client.get("/faults").json["past"]) == 100


WRONG = [
    ([], "object"),
    ({}, "No fault is called None"),
    ({"kind": ["refuse"]}, "No fault is called"),
    ({"kind": "refuse", "extra": 1}, "'extra'"),
    ({"kind": "refuse", "params": []}, "not an object"),
    ({"kind": "refuse", "params": {"code": 1}}, "'code'"),
    ({"kind": "refuse", "params": {"status": "503"}}, "a whole number"),
    ({"kind": "refuse", "params": {"status": 200}}, "300 to 599"),
    ({"kind": "refuse", "params": {"retry_after": -1}}, "'retry_after'"),
    ({"kind": "garble", "params": {"form": "pdf"}}, "html or empty"),
    ({"kind": "nothing", "params": {"seconds": 1}}, "no parameters"),
    ({"kind": "nothing", "scope": {"every": 0}}, "'every'"),
    ({"kind": "nothing", "scope": {"share": 2}}, "'share'"),
    ({"kind": "nothing", "scope": {"_seen": 2}}, "'_seen'"),
    ({"kind": "nothing", "ttl": True}, "'ttl'"),
    ({"phases": 1}, "A phase"),
    ({"phases": [{"faults": []}]}, "A phase"),
    ({"phases": [{"seconds": 1, "faults": [{"kind": "no"}]}]}, "No fault is called 'no'"),
]


@pytest.mark.parametrize(("spec", "words"), WRONG)
def test_a_fault_that_cannot_be_armed_says_why(carrier, spec, words):
    """400, a sentence that names what is wrong, and nothing is armed."""
    answer = carrier.client.post("/faults", json=spec)
    assert answer.status_code == 400
    assert words in answer.json["error"]
    assert carrier.client.get("/faults").json["faults"] == []


def test_every_kind_can_be_armed_as_it_is(carrier):
    """Each fault has defaults that make sense."""
    for kind in kinds():
        carrier.break_it(kind)
    assert len(carrier.client.get("/faults").json["faults"]) == len(kinds()) >= 20
