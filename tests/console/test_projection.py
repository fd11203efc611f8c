"""The index: what a message has come to, whatever order its steps are read in, from where the last reading stopped."""

import pytest

from simulator.console.follower import GRACE
from simulator.console.search import Wanted, find
from simulator.console.sources import BATCH
from simulator.ledger.pbx import Attempt
from tests.console.conftest import TO, open_bench


def refused(bench):
    """An attempt that is refused."""
    bench.answers(bench.tries(), None, 400, "10001")


def duplicated(bench):
    """A message that the carrier takes twice."""
    bench.sends("A")
    bench.takes("A")
    bench.takes("A", window=0)


def no_answer_but_delivered(bench):
    """A message that was taken, and whose answer was lost."""
    bench.answers(bench.tries(), None, None)
    bench.takes("A")


def refused_yet_delivered(bench):
    """A message that was refused and taken all the same."""
    refused(bench)
    bench.takes("A")


LIVES = [
    ("open", lambda bench: bench.tries()),
    ("indeterminate", lambda bench: bench.answers(bench.tries(), None, None)),
    ("refused", refused),
    ("false id", lambda bench: bench.answers(bench.tries(), None, 200)),
    ("accepted", lambda bench: bench.sends("A")),
    ("delivered", lambda bench: (bench.sends("A"), bench.takes("A"))),
    ("altered", lambda bench: (bench.sends("A"), bench.takes("A", "Hell"))),
    ("altered", lambda bench: (bench.sends("A"), bench.takes("A", to="+639171234568"))),
    ("duplicated", duplicated),
    ("refused by carrier", lambda bench: (bench.sends("A"), bench.logs("refused", "A", reason="422"))),
    ("expired", lambda bench: (bench.sends("A"), bench.logs("expired", "A"))),
    ("indeterminate", no_answer_but_delivered),
    ("refused yet delivered", refused_yet_delivered),
]


@pytest.mark.parametrize(("outcome", "lives"), LIVES, ids=[f"{name} {n}" for n, (name, _) in enumerate(LIVES)])
def test_a_message_comes_to_what_its_steps_say(outcome, lives, bench):
    """Each way a message can go has a word of its own."""
    lives(bench)

    assert bench.outcomes() == [outcome]


def test_the_order_of_reading_does_not_matter(bench):
    """What gateway and carrier did is found before the PBX has its answer, and joined when it comes."""
    number = bench.tries()
    bench.logs("accepted", "A", to="+6391******67")
    bench.takes("A")
    bench.carrier.note_receipt("r", "SIM000000000001", "DELIVRD", bench.clock(), 204)
    bench.logs("receipt", "A", status="DELIVRD")
    assert bench.outcomes() == ["open"]

    bench.answers(number, "A")

    (row,) = bench.rows()
    assert (row["outcome"], row["gateway"], row["taken"], row["receipt"]) == ("delivered", "accepted", 1, "DELIVRD")
    bench.logs("submitted", "A")
    bench.rows()
    bench.clock.now += GRACE + 1
    assert len(bench.rows()) == 1


def test_reading_goes_on_where_it_stopped(bench, tmp_path):
    """A console that is started again reads what is new and nothing twice."""
    bench.sends("A")
    bench.takes("A")
    bench.logs("accepted", "A")
    bench.rows()
    bench.projection.close()

    with open_bench(bench.lab, tmp_path / "console.sqlite", bench.clock) as again:
        bench.sends("B")
        rows = again.rows()
        steps = again.projection.rows("SELECT source FROM steps ORDER BY source")

    assert [row["order_id"] for row in rows] == ["A", "B"]
    assert [step["source"] for step in steps] == ["carrier", "gateway"]


def test_two_consoles_on_one_lab_do_not_count_twice(bench, tmp_path):
    """Two followers of the same lab share one index: each thing is taken in by one of them."""
    bench.sends("A")
    bench.logs("accepted", "A")
    bench.takes("A")

    with open_bench(bench.lab, tmp_path / "console.sqlite", bench.clock) as other:
        bench.rows()
        rows = other.rows()

    assert [row["outcome"] for row in rows] == ["delivered"]
    assert len(find(bench.projection, Wanted(q="Hello"))) == 1


def test_a_torn_line_is_read_when_it_is_whole(bench):
    """The gateway dies, or is caught, in the middle of a line: half a line is no event, and no event is lost."""
    bench.sends("A")
    line = bench.line("submitted", "A")
    bench.writes(line[:20])
    assert bench.rows()[0]["gateway"] is None

    bench.writes(line[20:] + "\n")

    assert bench.rows()[0]["gateway"] == "submitted"


def test_lines_that_are_no_events_are_skipped(bench):
    """Tracebacks, half JSON, other JSON and binary rubbish in the log hurt nobody."""
    bench.sends("A")
    with bench.lab.gateway_log.open("ab") as log:
        log.write(b'Traceback\n{"half": \n[1]\n{"event": "x", "at": 5}\n\xff\xfe\n{"event": "x", "at": "never"}\n')
    bench.logs("submitted", "A")

    assert bench.rows()[0]["gateway"] == "submitted"


def test_a_source_that_cannot_be_read_keeps_nobody_from_the_others(bench):
    """A broken ledger is said on every page, and what the others wrote is shown all the same."""
    bench.sends("A")
    bench.lab.carrier_ledger.write_text("no database" * 1000)
    bench.logs("submitted", "A")

    assert bench.rows()[0]["gateway"] == "submitted"
    assert "cannot follow the carrier" in bench.get("/")

    bench.lab.carrier_ledger.unlink()
    bench.rows()
    assert "cannot follow" not in bench.get("/")


def test_a_log_that_was_cut_is_read_from_its_start(bench):
    """A log that is shorter than what was read of it is a new one."""
    bench.sends("A")
    bench.logs("accepted", "A", much="x" * 500)
    bench.rows()
    bench.lab.gateway_log.write_text(bench.line("submitted", "A") + "\n")

    assert bench.rows()[0]["gateway"] == "submitted"


def test_a_ledger_that_was_replaced_is_another_lab(bench):
    """Where the PBX's ledger is a new file, everything is forgotten and read anew."""
    bench.sends("A", "of the old lab")
    bench.rows()
    bench.pens.pop().close_file()
    for file in bench.lab.directory.glob("pbx.sqlite*"):
        file.rename(file.with_name("old-" + file.name))
    bench.sends("B", "of the new lab")

    assert [row["text"] for row in bench.rows()] == ["of the new lab"]
    assert not find(bench.projection, Wanted(q="old lab"))


def test_an_index_of_another_make_is_built_anew(bench, tmp_path):
    """What an older console left, or what is no database at all, is thrown away."""
    bench.sends("A")
    other = tmp_path / "other.sqlite"
    other.write_text("no database" * 100)

    with open_bench(bench.lab, other, bench.clock) as fresh:
        assert fresh.outcomes() == ["accepted"]


def test_an_order_nobody_here_sent_is_shown_as_a_strangers(bench):
    """A real PBX has no ledger here: after a while its orders are messages from elsewhere."""
    bench.logs("accepted", "A", to="+6391******67")
    bench.takes("A", "by hand")
    assert bench.rows() == []

    bench.clock.now += GRACE + 1
    (row,) = bench.rows()

    assert (row["attempt"], row["text"], row["outcome"]) == (None, "by hand", "delivered")


def test_a_late_answer_takes_its_order_back(bench):
    """An attempt that is answered after it was given up as a stranger's is one message, not two."""
    number = bench.tries()
    bench.takes("A", "other text")
    bench.rows()
    bench.clock.now += GRACE + 1
    assert len(bench.rows()) == 2

    bench.answers(number, "A")

    assert [(row["attempt"], row["outcome"]) for row in bench.rows()] == [(1, "altered")]


def test_an_unanswered_attempt_owns_what_was_taken_for_it(bench):
    """Of two equal attempts the one without an answer owns the order that nobody was told of."""
    refused(bench)
    bench.answers(bench.tries(), None, None)
    bench.takes("A")

    assert [row["taken"] for row in bench.rows()] == [0, 1]


def test_more_than_a_batch_is_taken_in_bounded_steps(bench):
    """One look takes at most a batch of each source, and `catch_up` takes all."""
    attempts = [Attempt(0, "bulk", "+1", TO, f"text {n}", 1.0, 2.0, 200, None, f"ID{n}") for n in range(BATCH + 500)]
    bench.pbx.record_many(attempts)

    assert bench.follower.step()
    first = bench.projection.rows("SELECT count(*) FROM messages")[0][0]

    assert (first, len(bench.rows())) == (BATCH, BATCH + 500)
