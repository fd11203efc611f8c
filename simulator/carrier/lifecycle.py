"""What happens to a message after it was taken: which receipt, when. Who hands it over is the postman's part."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from simulator.carrier.fault import SMPP, Receipt
from simulator.ledger.carrier import Delivery


@dataclass(frozen=True)
class Profile:
    """Shares of the final statuses (any weights) and their delays in seconds.

    The final receipt is due `delay` plus up to `spread` seconds after the taking; `enroute` sends one before.
    """

    shares: Mapping[str, float] = field(default_factory=lambda: {"DELIVRD": 1})
    delay: float = 0.5
    spread: float = 0.0
    enroute: bool = False

    def __post_init__(self) -> None:
        """Rule: SMPP's words, with weights that are numbers from 0 and not all 0."""
        weights = list(self.shares.values())
        if not set(self.shares) <= set(SMPP) or not all(isinstance(one, int | float) and one >= 0 for one in weights):
            raise ValueError(f"Shares are numbers from 0, of {', '.join(SMPP)}.")
        if weights and not sum(weights):
            raise ValueError("At least one share is above 0.")

    def plan(self, delivery: Delivery, rng: Random) -> list[Receipt]:
        """The receipts of one message. A message without a key has no order to report on: none."""
        if not self.shares or delivery.key is None:
            return []
        (final,) = rng.choices(list(self.shares), list(self.shares.values()))
        due = delivery.at + self.delay + rng.random() * self.spread
        statuses = [("ENROUTE", delivery.at)] * self.enroute + [(final, due)]
        return [Receipt(f"{delivery.id}-{word}", delivery, word, at, at) for word, at in statuses]


PROFILES = {
    "delivered": Profile(),
    "mixed": Profile({"DELIVRD": 90, "UNDELIV": 5, "EXPIRED": 3, "REJECTD": 2}, 1.0, 4.0, enroute=True),
    "failing": Profile({"UNDELIV": 60, "REJECTD": 30, "UNKNOWN": 10}, 1.0, 4.0),
    "none": Profile({}),
}
