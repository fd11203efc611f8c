"""Where each message is: every attempt of the PBX with what the carrier took and reported for it.

Pure. `wait` and `expect` (command line and console) ask their questions here; how the accounts are read is in
`accounts.py`, waiting belongs to who asks, and whether the whole promise was kept is `balance.py`'s to say.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from simulator.ledger.carrier import Delivery, Handover
from simulator.ledger.pbx import Attempt

STATES: Mapping[str, str] = MappingProxyType(
    {
        "tried": "it was written down and left the PBX",
        "accepted": "it was answered 200 with an id",
        "refused": "it was answered with anything else",
        "indeterminate": "it was not answered, or not yet",
        "delivered": "the carrier took it, once or more often",
        "duplicated": "the carrier took it more than once",
    }
)
DUPLICATES = "duplicates"  # in totals: how many deliveries were one too many


@dataclass(frozen=True, slots=True)
class Message:
    """One attempt of the PBX and what became of it. Besides `STATES`, the words of taken receipts are states."""

    attempt: Attempt
    deliveries: tuple[Delivery, ...] = ()
    receipts: tuple[Handover, ...] = ()

    @property
    def states(self) -> frozenset[str]:
        """Every state the message is in: `{"tried", "accepted", "delivered", "DELIVRD"}`."""
        one, copies = self.attempt, len(self.deliveries)
        answered = "accepted" if one.accepted else "indeterminate" if one.indeterminate else "refused"
        carried = ["delivered"] * (copies > 0) + ["duplicated"] * (copies > 1)
        return frozenset({"tried", answered, *carried, *(r.message_status for r in self.receipts if r.taken)})

    def as_document(self) -> dict[str, Any]:
        """The full message for programs: the attempt with its exchange, the deliveries, the receipts, the states."""
        return {
            **asdict(self.attempt),
            "states": sorted(self.states),
            "deliveries": [one._asdict() for one in self.deliveries],
            "receipts": [one._asdict() for one in self.receipts],
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which messages are meant: all that are set must fit. `after` is a number in the PBX's ledger."""

    to: str | None = None
    run: str | None = None
    text: str | None = None  # a part of it
    after: int = 0

    def fits(self, message: Message) -> bool:
        """Whether a message is meant."""
        one = message.attempt
        named = self.to in {None, one.to} and self.run in {None, one.run}
        return named and one.number > self.after and (self.text is None or self.text in one.text)


def messages(
    attempts: Iterable[Attempt], deliveries: Iterable[Delivery], receipts: Iterable[Handover] = ()
) -> list[Message]:
    """Join the accounts: by order id, and what has none by recipient and text, unanswered attempts first.

    Only a delivery that came after an attempt can be its own: a carrier may have worked for others before. Give all
    attempts of a ledger and filter afterwards, or a delivery may be taken for another's.
    """
    tried = list(attempts)
    owners = {one.order_id: one.number for one in reversed(tried) if one.accepted}
    copies: dict[int, list[Delivery]] = defaultdict(list)
    doubtful = _by_content(tried)
    for delivery in deliveries:
        owner = owners.get(delivery.key) if delivery.key else None
        if owner is None:
            waiting = doubtful.get((delivery.to, delivery.text), [])
            owner = next((one.number for one in waiting if one.started_at <= delivery.at), None)
            waiting[:] = [one for one in waiting if one.number != owner]
        if owner is not None:
            copies[owner].append(delivery)
            owners[delivery.key] = owner
    told: dict[str, list[Handover]] = defaultdict(list)
    for receipt in receipts:
        told[receipt.message_id].append(receipt)
    return [
        Message(one, tuple(own), tuple(receipt for copy in own for receipt in told[copy.id]))
        for one in tried
        for own in [copies[one.number]]
    ]


def selected(found: Iterable[Message], wanted: Wanted) -> list[Message]:
    """The messages that are meant."""
    return [message for message in found if wanted.fits(message)]


def arrived(found: Sequence[Message], state: str) -> Message | None:
    """The answer of `wait`: the newest of the messages if it is in the state, else None.

    Only the newest counts, so that yesterday's message to the same number does not answer for today's.
    """
    return found[-1] if found and state in found[-1].states else None


def totals(found: Iterable[Message]) -> dict[str, int]:
    """How many messages are in each state, and how many deliveries were `duplicates`."""
    counts: Counter[str] = Counter(dict.fromkeys((*STATES, DUPLICATES), 0))
    for message in found:
        counts.update(message.states)
        counts[DUPLICATES] += max(len(message.deliveries) - 1, 0)
    return dict(counts)


def unmet(counts: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """The answer of `expect`: a sentence for every total that is not as expected; empty if all are."""
    return [f"{name}: {counts.get(name, 0)}, not {wanted}" for name, wanted in expected.items()
            if counts.get(name, 0) != wanted]  # fmt: skip


def _by_content(tried: Iterable[Attempt]) -> Mapping[tuple[str, str], list[Attempt]]:
    """For each recipient and text the attempts that promised no id, the unanswered first."""
    doubtful: dict[tuple[str, str], list[Attempt]] = defaultdict(list)
    for one in sorted(tried, key=lambda one: not one.indeterminate):
        if not one.accepted:
            doubtful[one.to, one.text].append(one)
    return doubtful
