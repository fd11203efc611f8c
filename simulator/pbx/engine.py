"""Sends a stream of shots when they are due, whatever the answers do, and writes every try down before it leaves.

One event loop. Attempts that are due together are written down together; answers at most `FLUSH` seconds after
they came, so a killed process leaves open lines at worst, never unwritten ones.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from contracts.judge import judge_answer
from contracts.target import Target
from simulator.ledger.pbx import PbxLedger
from simulator.pbx import batch
from simulator.pbx.guard import refusal
from simulator.pbx.habits import Habits
from simulator.pbx.line import Letter, Line
from simulator.pbx.outcome import FAILED, SENT, Outcome, Reply, outcome, without
from simulator.pbx.pacing import Tempo
from simulator.pbx.pbx import again, pause, seen, unmet
from simulator.pbx.personas import PERSONAS, Persona
from simulator.pbx.plan import Shot
from simulator.pbx.tally import Tally

FLUSH = 0.05  # seconds an answer may wait to be written down
BATCH = 64  # attempts written down in one transaction
IN_FLIGHT = 800  # requests open at once (1,024 files is a common limit); more wait, still counted from their due time
NAP = 0.05  # seconds between looks at the operator's wishes while nothing is due


class Result(NamedTuple):
    """One shot that is over."""

    shot: Shot
    outcome: Outcome


class Engine:
    """Plays shots against one target. `keys` are each PBX's keys; `budget` is how many may be accepted.

    `seed` is where the shots come from; it stands in the ledger beside each of them. `phase` says to which phase of a
    profile a due time belongs, to be counted apart.
    """

    def __init__(
        self,
        target: Target,
        ledger: PbxLedger,
        run: str,
        *,
        keys: Sequence[Sequence[str]] = (),
        budget: int | None = None,
        habits: Habits | None = None,
        seed: int | None = None,
        phase: Callable[[float], int] | None = None,
        on_result: Callable[[Result], None] = lambda _: None,
    ) -> None:
        self.target, self.tally, self.tempo, self.stopping = target, Tally(), Tempo(), False
        self._ledger, self._run, self._seed, self._keys = ledger, run, seed, keys or [(target.key,)]
        self.left, self._on_result, self._phase = budget, on_result, phase
        self._personas = {name: _at_home(persona, habits) for name, persona in PERSONAS.items()}
        self._over: list[batch.Closed] = []
        self._lines: dict[str, Line] = {}
        self._begun = 0.0

    def now(self) -> float:
        """Real seconds since the start."""
        return time.monotonic() - self._begun

    async def run(self, stream: Iterable[Shot]) -> Tally:
        """Send everything; returns when the last answer is in and written down."""
        waiting = _Waiting(self._guarded(stream))
        self._begun = time.monotonic()
        try:
            async with self._ready(), asyncio.TaskGroup() as tasks:
                await self._send_all(waiting, tasks)
        except ExceptionGroup as group:  # a ledger that cannot be written to, most likely: one of them says it all
            raise group.exceptions[0] from group
        return self.tally

    def _guarded(self, stream: Iterable[Shot]) -> Iterator[Shot]:
        """The shots without those that the receiver guard keeps back."""
        for shot in stream:
            if shot.operation == "sendmessage" and refusal(self.target.only_to, shot.content):
                self.tally.guarded += 1
            else:
                yield shot

    async def _send_all(self, waiting: "_Waiting", tasks: asyncio.TaskGroup) -> None:
        while waiting.next and not self.stopping:
            open_now = self.tally.started - self.tally.finished
            if self.left is not None and self.left <= 0 and not open_now:
                break
            room = min(BATCH, IN_FLIGHT - open_now, BATCH if self.left is None else self.left)
            group = waiting.due(self.tempo, self.now(), room)
            for shot, line in self._write_down(group):
                tasks.create_task(self._play(shot, line))
            await asyncio.sleep(0 if group else self._nap(waiting.next))

    def _nap(self, shot: Shot | None) -> float:
        """Until the next shot is due, but never so long that a change of mind goes unnoticed."""
        wait = self.tempo.when(shot.due) - self.now() if shot else 0.0
        return min(wait, NAP) if wait > 0 else NAP / 10

    @asynccontextmanager
    async def _ready(self) -> AsyncIterator[None]:
        """Lines to the provider, and a clerk who writes answers down now and then."""
        for url in {self.target.send_url, self.target.verify_url or self.target.send_url}:
            self._lines[url] = Line(url, self._personas["office"].habits.answer_limit)
        clerk = asyncio.create_task(self._clerk())
        try:
            yield
        finally:
            clerk.cancel()
            self._flush()
            for line in self._lines.values():
                await line.close()

    async def _clerk(self) -> None:
        while True:
            await asyncio.sleep(FLUSH)
            self._flush()

    def _flush(self) -> None:
        over, self._over = self._over, []
        batch.close_many(self._ledger, over)

    def _write_down(self, group: list[Shot]) -> Iterator[tuple[Shot, int]]:
        """The shots about to leave, each with its ledger line (0: verifications have none)."""
        sends = [shot for shot in group if shot.operation == "sendmessage"]
        if self.left is not None:
            self.left -= len(sends)
        opened = (batch.Opened(self._run, shot.from_number, shot.to, shot.text, self._time(shot)) for shot in sends)
        numbers = iter(batch.open_many(self._ledger, opened) if sends else ())
        for shot in group:
            yield shot, next(numbers) if shot.operation == "sendmessage" else 0

    async def _play(self, shot: Shot, line: int) -> None:
        due = self.tempo.when(shot.due)
        self.tally.begin(due, self.now())
        persona, tries, result = self._personas[shot.persona], 0, None
        while True:
            tries += 1
            reply = await self._exchange(shot, persona)
            result = self._close(shot, line, reply, tries)
            if self.left is not None and line and not result.sent and result.status is not None:
                self.left += 1
            if tries > persona.habits.retries or result.sent or not again(persona.habits, result):
                break
            await asyncio.sleep(pause(persona.habits, reply))
            if self.left is not None and self.left <= 0:
                break
            line = next(number for _, number in self._write_down([shot]))
        latency = self.now() - due
        for tally in (self.tally, *([self.tally.phase(self._phase(shot.due))] if self._phase else [])):
            tally.end(shot.operation, result, latency)
        self._on_result(Result(shot, result))

    async def _exchange(self, shot: Shot, persona: Persona) -> Reply:
        url, headers = self.target.send_url, self._headers(shot, persona)
        if shot.operation == "verify":
            url = self.target.verify_url or url
        parts = urlsplit(url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if shot.operation == "sendmessage":
            letter = Letter("POST", path, headers, shot.content, persona.dribble)
        else:
            joint = "&" if parts.query else "?"
            letter = Letter("GET", f"{path}{joint}challenge={quote(shot.content)}", headers, b"", persona.dribble)
        reply = await self._lines[url].exchange(letter, persona.habits.timeout)
        return without(headers[0][1].removeprefix("Bearer "), reply)

    def _headers(self, shot: Shot, persona: Persona) -> tuple[tuple[str, str], ...]:
        keys = self._keys[shot.pbx % len(self._keys)]
        key = keys[min(shot.key, len(keys) - 1)]
        named = {name for name, _ in persona.headers}
        agent = () if "User-Agent" in named else (("User-Agent", persona.habits.user_agent),)
        return (("Authorization", f"Bearer {key}"), *agent, *persona.headers)

    def _time(self, shot: Shot) -> float:
        """What the PBX of this shot takes for the time."""
        return time.time() + self._personas[shot.persona].habits.clock_offset

    def _close(self, shot: Shot, line: int, reply: Reply, tries: int) -> Outcome:
        if not line:
            return _verified(reply, shot.content.decode())
        result = outcome(reply, self._personas[shot.persona].habits.success)
        headers = self._headers(shot, self._personas[shot.persona])
        origin = {"persona": shot.persona} | ({} if self._seed is None else {"seed": self._seed})
        record = {"event": result.as_event(), **origin}
        exchange = seen(self.target.send_url, headers, shot.content, reply, tries) | record
        self._over.append(batch.Closed(line, self._time(shot), result.status, result.code, result.order_id, exchange))
        return result


def _at_home(persona: Persona, habits: Habits | None) -> Persona:
    """A persona without habits of its own has the channel's."""
    return replace(persona, habits=habits) if habits and persona.habits == Habits() else persona


def _verified(reply: Reply, challenge: str) -> Outcome:
    """A verification as an outcome: sent means that the challenge came back."""
    result = outcome(reply)
    if reply.answer is None:
        return result
    found = judge_answer("verify", "GET", reply.answer)
    if unmet(reply, challenge):
        error = result.send_error or "auth_fail"
        return Outcome(FAILED, error, unmet(reply, challenge), result.status, result.code, None, 0.0, 1, found)
    return Outcome(SENT, None, None, result.status, None, None, reply.seconds, 1, found)


class _Waiting:
    """The rest of the stream, one shot ahead."""

    def __init__(self, stream: Iterator[Shot]) -> None:
        self._stream = stream
        self.next = next(stream, None)

    def due(self, tempo: Tempo, now: float, room: int) -> list[Shot]:
        group: list[Shot] = []
        while self.next and len(group) < room and tempo.when(self.next.due) <= now:
            group.append(self.next)
            self.next = next(self._stream, None)
        return group
