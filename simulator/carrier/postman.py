"""Hands receipts over to the gateway: signed, at their time, again and again until they are taken."""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from heapq import heappop, heappush
from itertools import count
from sqlite3 import ProgrammingError
from threading import Condition, Thread

import httpx

from simulator.carrier.fault import Receipt
from simulator.ledger.carrier import CarrierLedger

TRIES = 8


class Postman:
    """Receipts in the order of their time. Nothing moves until `start` or `hand_over` is called.

    A receipt not answered with 2xx comes back after 1, 2, 4 ... seconds, `TRIES` times in all. Receipts that
    wait are in memory: those of a carrier that is killed never come, as with many real ones.
    """

    def __init__(
        self, url: str, secret: str, ledger: CarrierLedger, client: httpx.Client, clock: Callable[[], float]
    ) -> None:
        self._url, self._secret, self._ledger = url, secret.encode(), ledger
        self._client, self._clock = client, clock
        self._waiting: list[tuple[float, int, int, Receipt]] = []
        self._order = count()
        self._news = Condition()
        self._stopped = False
        self._threads: list[Thread] = []

    def post(self, receipts: Iterable[Receipt]) -> None:
        """Take receipts for later."""
        with self._news:
            for receipt in receipts:
                heappush(self._waiting, (receipt.due, next(self._order), 1, receipt))
            self._news.notify_all()

    def start(self, threads: int = 4) -> None:
        """Begin to deliver in the background; ends with the process or with `stop`."""
        self._threads = [Thread(target=self._round, name="postman", daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the background end, with up to a second for what it holds in its hands."""
        with self._news:
            self._stopped = True
            self._news.notify_all()
        for thread in self._threads:
            thread.join(1.0)

    def hand_over(self) -> bool:
        """Try the first receipt that is due now; False if none is."""
        with self._news:
            if not self._waiting or self._waiting[0][0] > self._clock():
                return False
            _, _, attempt, receipt = heappop(self._waiting)
        if not self._try(receipt) and attempt < TRIES:
            later = self._clock() + 2 ** (attempt - 1)
            with self._news:
                heappush(self._waiting, (later, next(self._order), attempt + 1, receipt))
        return True

    def _round(self) -> None:
        try:
            while not self._stopped:
                if not self.hand_over():
                    with self._news:
                        rest = self._waiting[0][0] - self._clock() if self._waiting else 60.0
                        self._news.wait(max(0.001, min(rest, 60.0)))
        except (RuntimeError, ProgrammingError):
            if not self._stopped:  # else the client or the ledger was closed under a slow call
                raise

    def _try(self, receipt: Receipt) -> bool:
        now = self._clock()
        body = json.dumps(
            {
                "receipt_id": receipt.receipt_id,
                "order_id": receipt.delivery.key,
                "message_id": receipt.delivery.id,
                "message_status": receipt.message_status,
                "at": datetime.fromtimestamp(receipt.at, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
                "sent_at": now,
            }
        ).encode()
        signature = hmac.new(self._secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Signature-256": f"sha256={signature}"}
        try:
            status = self._client.post(self._url, content=body, headers=headers).status_code
        except (httpx.HTTPError, httpx.InvalidURL):
            status = None
        self._ledger.note_receipt(receipt.receipt_id, receipt.delivery.id, receipt.message_status, now, status)
        return status is not None and 200 <= status < 300
