"""Agents at their desks: they open sessions, type at human pace, and take customers from their message queue.

A PBX has message queues with agents of their own; a customer waits in one of them, or for the agent who knows him.
One open session per pair of numbers. A simulation of its own time from a seed; when a message is due says nothing
about when its answer comes.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
OWN = 0.3  # share of sessions that an agent starts or that ask for him by name; the others are the queue's


class Size(NamedTuple):
    """What a PBX of up to so many extensions has: message queues, and agents in each of them (Yeastar's figures)."""

    extensions: float
    queues: int
    agents: int


SIZES = (Size(500, 32, 60), Size(float("inf"), 128, 120))


class Said(NamedTuple):
    """One message of an agent, `due` in seconds; agents are numbered through all PBXs."""

    due: float
    agent: int
    pbx: int
    note: Note


@dataclass(slots=True)
class _Session:
    customer: str
    left: int
    queue: "Queue"
    agent: int = 0


@dataclass(slots=True)
class Queue:
    """One message queue of a PBX: its agents, who of them has how many sessions open, and who waits for whom."""

    pbx: int
    agents: range
    waiting: deque[_Session] = field(default_factory=deque)  # for whoever is free first
    asking: dict[int, deque[_Session]] = field(default_factory=dict)  # for one agent
    open: dict[int, int] = field(default_factory=dict)

    def freest(self) -> int:
        """The agent with the fewest sessions; among equals the one who comes first."""
        return min(self.agents, key=lambda agent: self.open.get(agent, 0))

    def next_for(self, agent: int) -> _Session | None:
        """Who is served by an agent who has a place again: his own customers first, then the queue's."""
        line = self.asking.get(agent) or self.waiting
        return line.popleft() if line else None


def staff(agents: int, pbxs: int = 1, queues: int | None = None) -> list[Queue]:
    """The agents over PBXs and their queues, as evenly as can be; by default as few queues as hold them.

    Raises ValueError with a sentence for what no PBX has: more queues, more agents in one, or a queue without any.
    """
    found: list[Queue] = []
    first = 0
    for pbx in range(pbxs):
        share = _part(agents, pbxs, pbx)
        size = next(size for size in SIZES if share <= size.extensions)
        wanted = queues or -(-share // size.agents)
        if wanted > size.queues or -(-share // max(wanted, 1)) > size.agents:
            raise ValueError(
                f"A PBX of {share} agents has at most {size.queues} message queues of {size.agents} agents each."
            )
        if wanted > share or not share:
            raise ValueError(f"{agents} agents are too few for {pbxs} PBXs with {max(wanted, 1)} queues each.")
        for queue in range(wanted):
            end = first + _part(share, wanted, queue)
            found.append(Queue(pbx, range(first, end)))
            first = end
    return found


def _part(whole: int, parts: int, number: int) -> int:
    return whole * (number + 1) // parts - whole * number // parts


class Office:
    """The agents of all `queues`, who together send about `rate` messages a second, if there are enough of them.

    `shares` is how the customers are shared among the PBXs (empty: evenly); `haste` makes hands and customers so many
    times faster. `waited` counts sessions that had to queue.
    """

    def __init__(
        self, people: People, seed: int, queues: Sequence[Queue], haste: float = 1.0, shares: Sequence[float] = ()
    ) -> None:
        self._people, self._dice, self._haste = people, Random(f"sessions {seed}"), haste
        self.queues = queues
        size = {pbx: sum(len(queue.agents) for queue in queues if queue.pbx == pbx) for pbx in {q.pbx for q in queues}}
        self._weights = [len(q.agents) / size[q.pbx] * (shares[q.pbx] if shares else size[q.pbx]) for q in queues]
        self._free: dict[int, float] = {}
        self._events: list[tuple[float, int, _Session, Note | None]] = []
        self._pairs: set[tuple[int, str]] = set()
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
            yield Said(now, session.agent, session.queue.pbx, note)
            self._said(now, session)

    def _arrive(self, now: float) -> None:
        queue = self._dice.choices(self.queues, self._weights)[0]
        numbers = iter(self._people.number, None)
        customer = next(number for number in numbers if (queue.pbx, number) not in self._pairs)
        self._pairs.add((queue.pbx, customer))
        session = _Session(customer, 1 + int(self._dice.expovariate(1 / (MESSAGES - 0.5))), queue)
        named = self._dice.choice(queue.agents) if self._dice.random() < OWN else None
        agent = queue.freest() if named is None else named
        if queue.open.get(agent, 0) < AT_ONCE:
            self._assign(now, session, agent)
        else:
            self.waited += 1
            (queue.waiting if named is None else queue.asking.setdefault(named, deque())).append(session)

    def _assign(self, now: float, session: _Session, agent: int) -> None:
        session.agent = agent
        session.queue.open[agent] = session.queue.open.get(agent, 0) + 1
        self._push(now, session, None)

    def _type(self, now: float, session: _Session) -> None:
        note = self._people.note(session.customer)
        begin = max(now, self._free.get(session.agent, 0.0))
        done = begin + min(len(note.text) / KEYS, PASTED) / self._haste
        self._free[session.agent] = done
        self._push(done, session, note)

    def _said(self, now: float, session: _Session) -> None:
        session.left -= 1
        if session.left:
            self._push(now + self._dice.expovariate(self._haste / PAUSE), session, None)
            return
        queue, agent = session.queue, session.agent
        queue.open[agent] -= 1
        self._pairs.discard((queue.pbx, session.customer))
        if waiting := queue.next_for(agent):
            self._assign(now, waiting, agent)

    def _push(self, at: float, session: _Session, note: Note | None) -> None:
        heappush(self._events, (at, next(self._order), session, note))
