"""Setting up who may send: accounts, senders, integrations and their keys. Reached from the command line only."""

import re
import time
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.contract import NUMBER
from gateway.database import Database
from gateway.keys import digest, new_key
from gateway.schema import accounts, integrations, keys, senders
from gateway.segments import GSM7

ALPHANUMERIC = re.compile(r"(?! *$)[A-Za-z0-9 ]{1,11}")  # the letters of GSM 03.40 that networks accept in a sender


class Mistake(Exception):
    """What was asked for cannot be done; the sentence says why."""


def add_integration(
    database: Database,
    name: str,
    sender: str,
    *,
    account: str | None = None,
    rate: int = 50,
    allowed_from: Iterable[str] = (),
    allowed_countries: Iterable[int] = (),
    enabled: bool = True,
) -> str:
    """A new integration with an approved sender; the account is made if need be. Its first key, shown only here."""
    row = {"name": name, "enabled": enabled, **_limits(rate, allowed_from, allowed_countries)}
    with database.write() as connection:
        account_id = _find(connection, accounts, accounts.c.name == (account or name))
        if account_id is None:
            account_id = _insert(connection, accounts, {"name": account or name, "active": True})
        address = {"account_id": account_id, "address": checked_sender(sender), "approved": True}
        row |= {"account_id": account_id, "sender_id": _insert(connection, senders, address)}
        try:
            integration_id = _insert(connection, integrations, row)
        except IntegrityError:
            message = f"There is an integration named {name!r} already"
            raise Mistake(message) from None
        return _issue(connection, integration_id)


def change_integration(database: Database, name: str, changes: dict[str, Any]) -> None:
    """Change an integration's own columns, or `active` of its account, or `approved` of its sender."""
    with database.write() as connection:
        row = _integration(connection, name)
        for table, row_id, columns in (
            (accounts, row.account_id, {"active"}),
            (senders, row.sender_id, {"approved"}),
            (integrations, row.id, {"enabled", "rate", "allowed_from", "allowed_countries"}),
        ):
            values = {column: value for column, value in changes.items() if column in columns and value is not None}
            if values:
                connection.execute(update(table).where(table.c.id == row_id).values(values))


def show_integrations(database: Database) -> list[dict[str, Any]]:
    """Every integration with its account and sender."""
    query = (
        select(
            integrations,
            accounts.c.name.label("account"),
            accounts.c.active.label("account_active"),
            senders.c.address.label("sender"),
            senders.c.approved.label("sender_approved"),
        )
        .join(accounts, accounts.c.id == integrations.c.account_id)
        .outerjoin(senders, senders.c.id == integrations.c.sender_id)
        .order_by(integrations.c.id)
    )
    with database.read() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def issue_key(database: Database, name: str) -> str:
    """One more live key, so that a PBX can change over before the old one is revoked."""
    with database.write() as connection:
        return _issue(connection, _integration(connection, name).id)


def list_keys(database: Database, name: str) -> list[dict[str, Any]]:
    """The keys of an integration; what is stored of them cannot be turned back into a key."""
    with database.read() as connection:
        wanted = keys.c.integration_id == _integration(connection, name).id
        query = select(keys.c.id, keys.c.created_at, keys.c.revoked_at).where(wanted).order_by(keys.c.id)
        return [dict(row) for row in connection.execute(query).mappings()]


def revoke_key(database: Database, key_id: int) -> None:
    """No request with this key is accepted from one second after this on."""
    with database.write() as connection:
        live = (keys.c.id == key_id) & keys.c.revoked_at.is_(None)
        if not connection.execute(update(keys).where(live).values(revoked_at=_now())).rowcount:
            message = f"There is no live key {key_id}"
            raise Mistake(message)


def checked_sender(address: str) -> str:
    """A sender the networks take: E.164, or at most 11 letters, digits and blanks."""
    if re.fullmatch(NUMBER, address) or (ALPHANUMERIC.fullmatch(address) and GSM7.issuperset(address)):
        return address
    message = f"{address!r} is no sender: E.164, or 1 to 11 letters, digits and blanks"
    raise Mistake(message)


def checked_numbers(numbers: Iterable[str]) -> str:
    """E.164 numbers as the schema keeps them."""
    numbers = list(numbers)
    for number in numbers:
        if not re.fullmatch(NUMBER, number):
            message = f"{number!r} is not a number in E.164 format"
            raise Mistake(message)
    return " ".join(numbers)


def _limits(rate: int, allowed_from: Iterable[str], allowed_countries: Iterable[int]) -> dict[str, Any]:
    return {
        "rate": rate,
        "allowed_from": checked_numbers(allowed_from),
        "allowed_countries": " ".join(map(str, allowed_countries)),
    }


def _integration(connection: Connection, name: str) -> Any:  # noqa: ANN401  a row of whatever the table has
    row = connection.execute(select(integrations).where(integrations.c.name == name)).first()
    if row is None:
        message = f"There is no integration named {name!r}"
        raise Mistake(message)
    return row


def _find(connection: Connection, table: Table, condition: ColumnElement[bool]) -> int | None:
    return connection.scalar(select(table.c.id).where(condition))


def _insert(connection: Connection, table: Table, values: dict[str, Any]) -> int:
    return int(connection.execute(insert(table).values(values).returning(table.c.id)).scalar_one())


def _issue(connection: Connection, integration_id: int) -> str:
    key = new_key()
    _insert(connection, keys, {"integration_id": integration_id, "digest": digest(key), "created_at": _now()})
    return key


def _now() -> int:
    return round(time.time() * 1000)
