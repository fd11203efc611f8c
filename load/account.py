"""Both sides of the account of a run: what was sent, from its records, and what the carrier took, asked over HTTP.

Nobody else may send through that carrier during the run: what they sent would be a phantom here.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from load.checks import Evidence
from load.plan import Plan
from load.record import SEND, Request
from simulator.ledger.balance import balance
from simulator.ledger.carrier import Delivery
from simulator.ledger.pbx import Attempt, PbxLedger

PAGE = 1000
Orders = Callable[[], list[dict[str, Any]]]


def last_seq(carrier_url: str) -> int:
    """The number of the last message that the carrier took so far."""
    return max((delivery.seq for delivery in _deliveries(carrier_url, 0)), default=0)


def balanced(evidence: Evidence, plan: Plan, after: int, pbx_ledger: Path, orders: Orders | None = None) -> Evidence:
    """The evidence with both ledgers: the PBX's is written from the records, the carrier's may still grow.

    What the carrier took up to message `after` is not of this run. Without the gateway's `orders` a message
    that is still queued when the time for draining is over counts as lost.
    """
    epoch, url = evidence.records.event("start").get("epoch", 0.0), plan.carrier_url or ""
    sent = [request for request in evidence.records.requests if request.operation == SEND]
    run = f"load-{plan.directory.name if plan.directory else ''}-{epoch:.0f}"
    with PbxLedger(pbx_ledger) as ledger:
        ledger.record_many(_attempt(run, plan, epoch, request) for request in sent)
        attempts = list(ledger.attempts(run))
    promised = {request.order_id for request in sent if request.order_id}
    last = max((request.done for request in sent), default=0.0)
    found = _drained(url, after, promised, epoch + last + plan.profile.thresholds.drain_s)
    taken = {delivery.key: delivery.at - epoch for delivery in found if delivery.key in promised}
    drained = max(0.0, max(taken.values(), default=0.0) - last) if taken.keys() == promised else None
    account = balance(attempts, found, orders() if orders and drained is None else None)
    return replace(evidence, balance=account, deliveries=taken, drained_s=drained)


def _drained(url: str, after: int, promised: set[str], deadline: float) -> list[Delivery]:
    found: list[Delivery] = []
    while True:
        found += _deliveries(url, found[-1].seq if found else after)
        if promised <= {delivery.key for delivery in found} or time.time() > deadline:
            return found
        time.sleep(0.2)


def _deliveries(url: str, after: int) -> Iterator[Delivery]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as carrier:
        while page := carrier.get("/messages", params={"after": after, "limit": PAGE}).json()["messages"]:
            for row in page:
                yield Delivery(**{name: row[name] for name in Delivery._fields})
            after = page[-1]["seq"]


def _attempt(run: str, plan: Plan, epoch: float, request: Request) -> Attempt:
    to, text = plan.message(request.n, request.turn)
    return Attempt(
        0,
        run,
        plan.from_number,
        to,
        text,
        started_at=epoch + request.sent,
        finished_at=None if request.status is None else epoch + request.done,
        status=request.status,
        code=request.code,
        order_id=request.order_id,
    )
