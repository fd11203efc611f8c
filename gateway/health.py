"""The carrier's health as every process knows it: the breaker, kept in one row of the database."""

from sqlalchemy import Connection, select, update

from gateway.breaker import Breaker
from gateway.schema import carrier

ROW = select(carrier.c.failures, carrier.c.open_until).where(carrier.c.id == 1)


def breaker(connection: Connection, *, lock: bool = False) -> Breaker:
    """The breaker now; locked, it cannot change before the transaction ends."""
    failures, open_until = connection.execute(ROW.with_for_update() if lock else ROW).one()
    return Breaker(failures, open_until / 1000)


def keep(connection: Connection, state: Breaker) -> None:
    """Tell everybody."""
    values = {"failures": state.failures, "open_until": round(state.open_until * 1000)}
    connection.execute(update(carrier).where(carrier.c.id == 1).values(values))
