"""Whom a fault hits: recipients, senders, a count or a share of them. Faults themselves know nothing of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.ledger.carrier import Message


@dataclass
class Scope:
    """All given conditions must hold. Counting is by message, among those that fit the first three.

    to, prefix: the recipient, or how it begins; sender: the exact `from`; first: only the first N; every:
    each Nth; share: this part of them (0 to 1), drawn from `seed`.
    """

    to: str | None = None
    prefix: str | None = None
    sender: str | None = None
    first: int | None = None
    every: int | None = None
    share: float | None = None
    seed: int = 0
    _seen: int = field(default=0, init=False, repr=False)
    _rng: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Rules: `every` is at least 1, `share` at most 1."""
        if self.every == 0 or (self.share or 0) > 1:
            raise ValueError("In a scope 'every' is at least 1 and 'share' at most 1.")
        self._rng = Random(self.seed)

    @property
    def everything(self) -> bool:
        """No condition at all: then calls that carry no readable message are hit as well."""
        return all(value is None for value in (self.to, self.prefix, self.sender, self.first, self.every, self.share))

    def select(self, messages: Sequence[Message]) -> Sequence[int]:
        """The indexes of the messages that are hit; counts and draws as it goes."""
        if self.everything:
            return range(len(messages))
        return [index for index, message in enumerate(messages) if self._fits(message) and self._turn()]

    def _fits(self, message: Message) -> bool:
        return (
            self.to in (None, message.to)
            and message.to.startswith(self.prefix or "")
            and self.sender in (None, message.from_number)
        )

    def _turn(self) -> bool:
        self._seen += 1
        return (
            (self.first is None or self._seen <= self.first)
            and (self.every is None or self._seen % self.every == 0)
            and (self.share is None or self._rng.random() < self.share)
        )
