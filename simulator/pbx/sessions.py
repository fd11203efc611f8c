"""Agents at their desks: they open sessions, type at human pace, and let customers wait in the queue.

One open session per pair of numbers, as in the PBX. A simulation of its own time from a seed; when a message
is due says nothing about when its answer comes.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import NamedTuple

from simulator.pbx.pacing import arrivals
from simulator.people import Note, People

KEYS = 6.0  # characters an agent types per second
PASTED = 15.0  # seconds; what would take longer comes from a template
PAUSE = 8.0  # mean seconds until an agent goes on in a session
MESSAGES = 3  # mean messages in a session
AT_ONCE = 5  # sessions one agent keeps open


class Said(NamedTuple):
    """One message of an agent, `due` in seconds."""

    due: float
    agent: int
    note: Note


@dataclass(slots=True)
class _Session:
    customer: str
    left: int
    agent: int = 0


class Office:
    """`agents` people who together send about `rate` messages a second, if there are enough of them.

    `haste` makes hands and customers so many times faster. `waited` counts sessions that had to queue.
    """

    def __init__(self, people: People, seed: int, agents: int, haste: float = 1.0) -> None:
        self._people, self._dice, self._haste = people, Random(f"sessions {seed}"), haste
        self._free, self._open = [0.0] * agents, [0] * agents
        self._queue: deque[_Session] = deque()
        self._events: list[tuple[float, int, _Session, Note | None]] = []
        self._pairs: set[str] = set()
        self._order = count()
        self.waited = 0

    def work(self, profile: str, rate: float, duration: float, seed: int) -> Iterator[Said]:
        """What is said until `duration`, in order of time."""
        for at in arrivals(profile, rate / MESSAGES, duration, seed):
            yield from self._until(at)
            self._arrive(at)
        yield from self._until(duration)

    def _until(self, end: float) -> Iterator[Said]:
        while self._events and self._events[0][0] < end:
            now, _, session, note = heappop(self._events)
            if note is None:
                self._type(now, session)
                continue
            yield Said(now, session.agent, note)
            self._said(now, session)

    def _arrive(self, now: float) -> None:
        customer = next(number for number in iter(self._people.number, None) if number not in self._pairs)
        self._pairs.add(customer)
        session = _Session(customer, 1 + int(self._dice.expovariate(1 / (MESSAGES - 0.5))))
        if min(self._open) < AT_ONCE:
            self._assign(now, session)
        else:
            self.waited += 1
            self._queue.append(session)

    def _assign(self, now: float, session: _Session) -> None:
        session.agent = self._open.index(min(self._open))
        self._open[session.agent] += 1
        self._push(now, session, None)

    def _type(self, now: float, session: _Session) -> None:
        note = self._people.note(session.customer)
        begin = max(now, self._free[session.agent])
        done = begin + min(len(note.text) / KEYS, PASTED) / self._haste
        self._free[session.agent] = done
        self._push(done, session, note)

    def _said(self, now: float, session: _Session) -> None:
        session.left -= 1
        if session.left:
            self._push(now + self._dice.expovariate(self._haste / PAUSE), session, None)
            return
        self._open[session.agent] -= 1
        self._pairs.discard(session.customer)
        if self._queue:
            self._assign(now, self._queue.popleft())

    def _push(self, at: float, session: _Session, note: Note | None) -> None:
        heappush(self._events, (at, next(self._order), session, note))
