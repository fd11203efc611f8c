"""The two accounts as they stand: the PBX's from its file, the carrier's from its file or from the carrier itself.

What they mean together is not read here: see `watch.py` and `balance.py`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from simulator.carrier.controls import ask
from simulator.ledger import watch
from simulator.ledger.carrier import CarrierLedger, Delivery, Handover
from simulator.ledger.pbx import PbxLedger

PAGE = 1000
Row = TypeVar("Row")


def deliveries(carrier: Path | str, after: int = 0) -> Iterator[Delivery]:
    """What the carrier took after `seq`; a `Path` is its ledger, a `str` its URL (click error if nobody answers)."""
    if isinstance(carrier, Path):
        with CarrierLedger(carrier, create=False) as ledger:
            yield from ledger.deliveries(after)
    else:
        yield from _pages(
            carrier, "messages", "seq", after, lambda row: Delivery(*(row[name] for name in Delivery._fields))
        )


def receipts(carrier: Path | str) -> Iterator[Handover]:
    """Every try of the carrier to hand over a receipt."""
    if isinstance(carrier, Path):
        with CarrierLedger(carrier, create=False) as ledger:
            yield from ledger.handovers()
    else:
        yield from _pages(
            carrier, "receipts", "number", 0, lambda row: Handover(*(row[name] for name in Handover._fields))
        )


def messages(pbx: Path, carrier: Path | str | None) -> list[watch.Message]:
    """Every message of the PBX's ledger with what became of it. A ledger that is not there yet is empty.

    The carrier is asked first: attempts are written down before they leave, so each delivery finds its own.
    """
    taken, told = ([*deliveries(carrier)], [*receipts(carrier)]) if carrier else ([], [])
    if not pbx.exists():
        return []
    with PbxLedger(pbx, create=False) as ledger:
        return watch.messages(ledger.attempts(), taken, told)


def _pages(url: str, what: str, key: str, after: int, read: Callable[[dict[str, Any]], Row]) -> Iterator[Row]:
    while page := ask(url, "GET", f"/{what}", params={"after": after, "limit": PAGE})[what]:
        yield from map(read, page)
        after = page[-1][key]
