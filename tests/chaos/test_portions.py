"""A long run in portions: what is done is kept, what is missing is done next time, and Ctrl-C loses nothing."""

import json
import sys

from simulator.chaos.portions import Journal, Portion
from tests.servers.conftest import until

# On SIGTERM it ends early and says so, as a run of chaos does.
PATIENT = """
import signal, sys
signal.signal(signal.SIGTERM, lambda *_: (print('{"stopped": 1}', flush=True), sys.exit()))
open("listening", "w").close()
signal.pause()
"""


def printing(name, document, code=0):
    """A portion that prints this document, and leaves a mark each time it runs."""
    program = f"import sys; open({name!r}, 'a').write('x'); print({json.dumps(document)!r}); sys.exit({code})"
    return lambda folder: Portion(name, (sys.executable, "-c", program), folder)


def test_what_was_done_is_not_done_again(tmp_path):
    """A second journal on the same file runs only what is missing: what was never begun, failed, or was stopped."""
    first = [printing("a", {"n": 1}), printing("b", {"n": 2}, code=1), printing("c", {}, code=3)]
    portions = [make(tmp_path) for make in [*first, printing("d", {"stopped": 1})]]
    journal = Journal(tmp_path / "journal")
    journal.work(portions, 2, 60)
    with journal.path.open("a") as file:
        file.write('\n{"e": {"n"')  # the power went off here

    again = Journal(tmp_path / "journal")
    assert [portion.name for portion in again.missing(portions)] == ["c", "d"]
    again.work(portions, 2, 60)

    assert again.done == {"a": {"n": 1}, "b": {"n": 2}, "d": {"stopped": 1}}
    assert again.failed == {"c": "exit 3"}
    assert [(tmp_path / name).read_text() for name in "abcd"] == ["x", "x", "xx", "xx"]


def test_nothing_is_begun_when_time_is_up(tmp_path):
    """With no seconds left nothing runs, and nothing counts as failed."""
    journal = Journal(tmp_path / "journal")

    journal.work([printing("a", {})(tmp_path)], 1, -1)

    assert (journal.done, journal.failed, (tmp_path / "a").exists()) == ({}, {}, False)


def test_ctrl_c_ends_what_runs_and_keeps_its_result(tmp_path):
    """Ctrl-C while the second runs: it is asked to end, and what it says is kept; the third is not begun."""
    patient = Portion("patient", (sys.executable, "-c", PATIENT), tmp_path)
    journal, told = Journal(tmp_path / "journal"), []

    def tell(line):
        told.append(line)
        if len(told) == 1:
            until((tmp_path / "listening").exists)
            raise KeyboardInterrupt

    journal.work([printing("first", {"n": 1})(tmp_path), patient, printing("third", {})(tmp_path)], 1, 60, tell)

    assert journal.done == {"first": {"n": 1}, "patient": {"stopped": 1}}
    assert told == ["first: done; 2 portions are left", "stopping: what runs comes to its end"]
