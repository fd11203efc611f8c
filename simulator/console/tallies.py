"""The balance as counts, kept by the index itself while messages change: a page asks for a few rows, never for all.

What is true and false is said by `simulator.ledger.balance`; here each message has exactly one outcome, so the counts
of a room add up to what it sent.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from simulator.console.projection import Projection
from simulator.ledger.balance import kinds

# Which balance each outcome belongs to, where it has another word, and what balance does not know.
WORDS: Final = {"accepted": "pending"}
MEANINGS: Final = {"open": "written down, and not answered yet"}
ORDER: Final = (
    "delivered", "accepted", "open", "refused", "refused by carrier", "expired", "cancelled", "indeterminate",
    "lost", "duplicated", "altered", "phantom", "false id", "refused yet delivered", "disputed",
)  # fmt: skip

COUNTS: Final = """
SELECT outcome, elsewhere, taken, sum(number) AS number FROM tallies WHERE ? IN ('', room)
GROUP BY outcome, elsewhere, taken
"""
WRONG: Final = """
SELECT outcome, sum(tallies.number) AS number FROM tallies WHERE outcome IN ({}) AND tallies.number > 0 GROUP BY outcome
"""
BY_RUN: Final = """
SELECT run, max(room) AS room, outcome, sum(number) AS number FROM tallies
WHERE run IN (SELECT value FROM json_each(?)) AND NOT elsewhere GROUP BY run, outcome
"""
IDS: Final = """
SELECT coalesce(order_id, '#' || attempt) FROM messages WHERE outcome = ? AND ? IN ('', room) ORDER BY number
"""


class Count(NamedTuple):
    """How many messages came to one outcome; `wrong`: a single one of them breaks the promise."""

    name: str
    outcome: str
    meaning: str
    wrong: bool
    number: int


class Account(NamedTuple):
    """The balance of a room, or of everybody. `elsewhere`: accepted by the gateway from somebody who is not here."""

    sent: int
    counts: tuple[Count, ...]
    elsewhere: int
    unanswered_delivered: int

    @property
    def wrong(self) -> list[Count]:
        """What breaks the promise."""
        return [one for one in self.counts if one.wrong and one.number]

    @property
    def is_true(self) -> bool:
        """Nothing wrong was found."""
        return not self.wrong


def account(projection: Projection, room: str = "") -> Account:
    """The balance as it stands; the cost is that of the runs, not of their messages."""
    found = projection.rows(COUNTS, (room,))
    own = [row for row in found if not row["elsewhere"] or row["outcome"] in wrong_outcomes()]
    numbers = {outcome: sum(row["number"] for row in own if row["outcome"] == outcome) for outcome in ORDER}
    told = _told()
    return Account(
        sent=sum(row["number"] for row in found if not row["elsewhere"]),
        counts=tuple(Count(*told[outcome], numbers[outcome]) for outcome in ORDER),
        elsewhere=sum(row["number"] for row in found if row not in own),
        unanswered_delivered=sum(row["number"] for row in own if row["outcome"] == "indeterminate" and row["taken"]),
    )


def wrong_now(projection: Projection) -> Mapping[str, int]:
    """What breaks the promise, for everybody, by name; empty if the balance is true. Asked for each page."""
    outcomes = wrong_outcomes()
    rows = projection.rows(WRONG.format(", ".join("?" * len(outcomes))), outcomes)
    return {row["outcome"]: row["number"] for row in rows}


def by_run(projection: Projection, runs: Iterable[str]) -> Mapping[str, Mapping[str, int]]:
    """What the messages of some runs came to: `{run: {outcome: number}}`."""
    found: dict[str, dict[str, int]] = {run: {} for run in runs}
    for row in projection.rows(BY_RUN, (json.dumps(list(found)),)):
        if row["number"]:
            found[row["run"]][row["outcome"]] = row["number"]
    return found


def ids(projection: Projection, outcome: str, room: str = "") -> list[str]:
    """The order ids of an outcome, `#7` for attempt 7 that has none."""
    return [row[0] for row in projection.rows(IDS, (outcome, room))]


def wrong_outcomes() -> tuple[str, ...]:
    """The outcomes that break the promise, as `simulator.ledger.balance` has it."""
    return tuple(outcome for _, outcome, _, wrong in _told().values() if wrong)


def _told() -> dict[str, tuple[str, str, str, bool]]:
    """For each outcome its name, itself, its meaning and whether it is wrong."""
    known = {name.replace("_", " "): (meaning, wrong) for name, meaning, wrong in kinds()}

    def said(outcome: str) -> tuple[str, str, str, bool]:
        name = WORDS.get(outcome, outcome)
        return (name, outcome, *known.get(name, (MEANINGS.get(outcome, ""), False)))

    return dict(zip(ORDER, map(said, ORDER), strict=True))
