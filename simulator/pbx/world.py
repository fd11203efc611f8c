"""What a scenario is played against: a provider, perhaps a carrier to look at and break, perhaps a whole lab."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contracts.target import Target
from simulator.carrier.controls import ask
from simulator.lab import Lab
from simulator.ledger.accounts import deliveries
from simulator.ledger.balance import Balance, balance, kinds
from simulator.ledger.pbx import PbxLedger


@dataclass(slots=True)
class World:
    """One run of one scenario. `since` is the carrier's last message before it; `stop`: a step went wrong."""

    target: Target
    ledger: PbxLedger
    run: str
    directory: Path
    carrier_url: str | None = None
    lab: Lab | None = None
    since: int = 0
    left: int | None = None  # how many more messages may be accepted
    stop: threading.Event = field(default_factory=threading.Event)

    def carrier(self, method: str, path: str, spec: object = None) -> dict[str, Any]:
        """Ask the carrier's simulator API."""
        return ask(self.carrier_url or "", method, path, spec=spec)

    def gateway(self, *words: object) -> dict[str, Any]:
        """Run a gateway command in the lab; its JSON, or what it printed."""
        printed = self.lab.smslab("gateway", *map(str, words)) if self.lab else ""
        try:
            return dict(json.loads(printed))
        except (ValueError, TypeError):
            return {"printed": printed}

    def view(self, names: Mapping[str, Any]) -> dict[str, Any]:
        """What became of this run's messages so far: counts of the balance, and receipts if asked for."""
        account = balance(self.ledger.attempts(self.run), deliveries(self.carrier_url or "", self.since))
        counts: dict[str, Any] = {kind: len(getattr(account, kind)) for kind, _, _ in kinds()}
        counts["balanced"] = account.is_true
        if any(name.startswith("receipts") for name in names):
            counts["receipts"] = self._receipts(account)
        return counts

    def _receipts(self, account: Balance) -> Mapping[str, int]:
        ours = set(account.accepted)
        orders = self.lab.orders() if self.lab else []
        return Counter(str(order["message_status"]) for order in orders if order["id"] in ours)

    def last_message(self) -> int:
        """The number of the carrier's newest message."""
        return max((one.seq for one in deliveries(self.carrier_url or "")), default=0)

    @contextmanager
    def mended(self) -> Iterator[None]:
        """Whatever was broken inside is well again afterwards."""
        try:
            yield
        finally:
            if self.carrier_url:
                self.carrier("POST", "/reset")


def until(stop: threading.Event, seconds: float) -> Iterator[None]:
    """Turns of looking, until the time is up or `stop` is set; the last look is after the end."""
    end, pause = time.monotonic() + seconds, 0.02
    while time.monotonic() < end and not stop.is_set():
        yield
        stop.wait(min(pause, max(end - time.monotonic(), 0)))
        pause = min(pause * 1.5, 0.5)
    yield
