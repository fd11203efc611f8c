"""What every gateway command starts with: its settings, its database, and no traceback for anybody."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import SQLAlchemyError

from gateway.administration import Mistake
from gateway.database import Database, DatabaseFault, initialise, open_database
from gateway.settings import Settings, from_env


def settings() -> Settings:
    """The process's settings, or a usage error."""
    try:
        return from_env(os.environ)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None


@contextmanager
def sentences() -> Iterator[None]:
    """Whatever goes wrong inside becomes one sentence and an exit code."""
    try:
        yield
    except (Mistake, DatabaseFault) as fault:
        raise click.ClickException(str(fault)) from None
    except SQLAlchemyError as fault:
        cause = str(getattr(fault, "orig", fault)).splitlines()[0]
        raise click.ClickException(f"The database cannot be used: {cause}") from None


@contextmanager
def database() -> Iterator[Database]:
    """The database, initialised if it is new."""
    with sentences():
        url = settings().database_url
        initialise(url)
        opened = open_database(url)
        try:
            yield opened
        finally:
            opened.close()
