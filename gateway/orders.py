"""SMS orders: created durably, or provably not; listed for whoever asks."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from gateway.admission import Admission
from gateway.baton import Baton, Fate, Row
from gateway.body import Message
from gateway.contract import UNAVAILABLE, Refusal
from gateway.crash import Point, go_on
from gateway.database import Database
from gateway.events import Accepted, EventLog
from gateway.ids import Ids
from gateway.message import Content
from gateway.metrics import Metrics
from gateway.parties import Integration
from gateway.schema import orders
from gateway.settings import Settings

PAGE = 1000  # orders read at once when all are listed: no transaction stays open meanwhile
DRAWS = 5  # ids tried before giving up; a second draw is already a one-in-millions event


class Orders:
    """Where accepted messages are kept until the carrier has them. `wake` is called when there is work for it."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        admission: Admission,
        ids: Ids,
        clock: Callable[[], float],
        log: EventLog,
        metrics: Metrics,
        wake: Callable[[], None],
        point: Point = go_on,
    ) -> None:
        self._database = database
        self._validity = round(settings.validity * 1000)
        self._admission = admission
        self._ids = ids
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._wake = wake
        self._point = point
        self._baton = Baton(self._write, patience=settings.request_deadline, afterwards=self._note)

    def create(self, integration: Integration, message: Message, content: Content) -> str:
        """The id of the new order, which is on disk; or 10007.

        A refusal is definite unless the event log has an `indeterminate` line for its id.
        """
        for _ in range(DRAWS):
            order_id = self._ids.draw()
            fate = self._baton.submit(self._row(order_id, integration, message, content))
            if fate is not Fate.DUPLICATE:
                return self._answer(order_id, fate)
        raise Refusal(UNAVAILABLE, "No order id could be drawn")

    def _answer(self, order_id: str, fate: Fate) -> str:
        if fate is Fate.COMMITTED:
            return order_id
        if fate is Fate.UNKNOWN:
            self._metrics.indeterminate.inc()
            self._log.error("indeterminate", order=order_id)
        raise Refusal(UNAVAILABLE, "The order could not be stored", retry_after=5)

    def _row(self, order_id: str, integration: Integration, message: Message, content: Content) -> Row:
        now = round(self._clock() * 1000)
        return (
            order_id,
            integration.id,
            integration.key_id,
            integration.sender,
            message.from_number,
            message.to,
            content.text,
            content.segments.encoding,
            content.segments.parts,
            now,
            now + self._validity,
            now,
        )

    def _write(self, rows: Sequence[Row]) -> list[Fate]:
        """What the baton calls: never raises, so nobody who waits is left without an answer."""
        try:
            self._point("before-commit")
            fates = self._database.insert(rows)
            self._point("after-commit")
        except Exception:  # noqa: BLE001  whoever waits for the batch must get an answer
            self._log.exception("insert failed")
            return [Fate.UNKNOWN] * len(rows)
        self._admission.added(fates.count(Fate.COMMITTED))
        self._wake()
        return fates

    def _note(self, rows: Sequence[Row], fates: Sequence[Fate]) -> None:
        """What can wait until the answers are on their way: numbers and log lines, once a batch."""
        stored = fates.count(Fate.COMMITTED)
        self._metrics.batch.observe(len(rows))
        self._metrics.accepted.inc(stored)
        done = (row for row, fate in zip(rows, fates, strict=True) if fate is Fate.COMMITTED)
        self._log.accepted(Accepted(row[0], row[1], row[2], row[5], row[6], row[8]) for row in done)
        if failed := len(fates) - stored - fates.count(Fate.DUPLICATE):
            self._log.error("not stored", orders=failed, reason=self._database.insert.fault)


def listed(database: Database, after: int = 0, **filters: str) -> Iterator[dict[str, Any]]:
    """Orders, oldest first, whose number is above `after` and whose columns equal the given values."""
    query = select(orders).order_by(orders.c.seq).limit(PAGE)
    for name, value in filters.items():
        query = query.where(orders.c[name] == value)
    with database.read() as connection:
        while rows := connection.execute(query.where(orders.c.seq > after)).mappings().all():
            yield from map(dict, rows)
            after = rows[-1]["seq"]
