"""A campaign: one text to up to 1,000 contacts at the channel's rate, in the states the PBX shows.

The ledger is the truth of who was written to, so a campaign that was stopped or killed goes on without writing
to anybody twice by its own doing; only a definite refusal is ever sent again, and only when asked.
"""

import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from contracts.target import Target
from simulator.ledger.pbx import Attempt, PbxLedger
from simulator.pbx.contacts import Contact, fill
from simulator.pbx.engine import Engine, Result
from simulator.pbx.habits import Habits
from simulator.pbx.live import play
from simulator.pbx.personas import PERSONAS
from simulator.pbx.plan import Shot
from simulator.pbx.tally import Tally

State = Literal["draft", "scheduled", "pending", "executing", "completed", "stop", "retrying"]
TROUBLE = 5  # messages in a row without any answer, or with the key refused, stop a campaign


@dataclass(slots=True)
class Campaign:
    """One campaign; `path` is where its state is kept. `show` is told every new state."""

    name: str
    from_number: str
    text: str
    contacts: Sequence[Contact]
    path: Path
    show: Callable[[State], None] = lambda _: None
    state: State = "draft"
    run: str = ""  # its run in the PBX's ledger
    _trouble: int = field(default=0, repr=False)

    def __post_init__(self) -> None:
        """The run is named for the campaign unless it is told otherwise."""
        self.run = self.run or f"campaign {self.name}"

    def fingerprint(self) -> str:
        """What makes it this campaign and no other: sender, text and recipients."""
        parts = [self.from_number, self.text, *(contact.number for contact in self.contacts)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def recall(self) -> None:
        """Take up the state a former process left. Raises ValueError if the name belongs to another campaign."""
        if self.path.exists():
            kept = json.loads(self.path.read_text(encoding="utf-8"))
            if not isinstance(kept, dict) or kept.get("fingerprint") != self.fingerprint():
                raise ValueError(f"There is another campaign named {self.name}; choose a new name.")
            self.state = kept.get("state", self.state)

    def enter(self, state: State) -> None:
        """Be in a state, and have it on disk."""
        self.state = state
        kept = {"name": self.name, "state": state, "fingerprint": self.fingerprint()}
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(kept), encoding="utf-8")
        os.replace(beside, self.path)  # noqa: PTH105 - Path.replace says less about being atomic
        self.show(state)

    def remaining(self, ledger: PbxLedger, *, retry: bool) -> list[Contact]:
        """Who is still to be written to: never tried, or with `retry` definitely refused the last time."""
        last: dict[str, Attempt] = {attempt.to: attempt for attempt in ledger.attempts(self.run)}
        return [c for c in self.contacts if c.number not in last or (retry and _refused(last[c.number]))]

    def execute(
        self,
        target: Target,
        ledger: PbxLedger,
        rate: float,
        *,
        retry: bool = False,
        budget: int | None = None,
        habits: Habits | None = None,
        on_result: Callable[[Result], None] = lambda _: None,
    ) -> Tally:
        """Write to everybody who remains, `rate` messages a second; ends completed, or stop when in trouble."""
        with self._alone(ledger_of=self.path):
            todo = self.remaining(ledger, retry=retry)
            self.enter("retrying" if retry else "executing")

            def look(result: Result) -> None:
                bad = result.outcome.status is None or result.outcome.status == 401
                self._trouble = self._trouble + 1 if bad else 0
                engine.stopping = engine.stopping or self._trouble >= TROUBLE
                on_result(result)

            engine = Engine(target, ledger, self.run, budget=budget, habits=habits, on_result=look)
            tally = play(engine, self._shots(todo, rate))
            left = len(self.remaining(ledger, retry=False)) - tally.guarded
            self.enter("stop" if left else "completed")
        return tally

    def wait_until(self, at: float, clock: Callable[[], float], sleep: Callable[[float], None] = time.sleep) -> None:
        """Stay scheduled until `at` (epoch seconds)."""
        if at > clock():
            self.enter("scheduled")
        while (left := at - clock()) > 0:
            sleep(min(left, 1.0))

    def _shots(self, contacts: Sequence[Contact], rate: float) -> Iterator[Shot]:
        for number, contact in enumerate(contacts):
            text = fill(self.text, contact.fields)
            body = PERSONAS["office"].body({"from": self.from_number, "to": contact.number, "text": text})
            who = (self.from_number, contact.number, text)
            yield Shot(number / rate, number, 0, "office", "sendmessage", 0, *who, body)

    @contextmanager
    def _alone(self, ledger_of: Path) -> Iterator[None]:
        """One campaign at a time in a directory, as in a PBX; the others are pending."""
        with (ledger_of.parent / ".campaign.lock").open("w", encoding="utf-8") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.enter("pending")
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _refused(attempt: Attempt) -> bool:
    return attempt.status is not None and not attempt.accepted
