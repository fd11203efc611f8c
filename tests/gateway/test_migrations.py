"""Migrations: what they make is what `schema.py` says, once and again."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import gateway
from gateway.database import HEAD, DatabaseFault, initialise
from gateway.schema import metadata


@pytest.fixture
def engine(tmp_path):
    """A migrated database."""
    url = f"sqlite:///{tmp_path / 'gateway.sqlite'}"
    initialise(url)
    opened = create_engine(url)
    yield opened
    opened.dispose()


def test_the_migrated_tables_are_the_schemas(engine):
    """Tables, columns, types, constraints and indexes agree."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_revision():
    """The constant that saves looking the migrations up is kept up to date."""
    config = Config()
    config.set_main_option("script_location", f"{gateway.__path__[0]}/migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_a_second_start_changes_nothing(engine):
    """Initialising an initialised database keeps what is in it."""
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO voids VALUES ('kept')")
    initialise(str(engine.url))
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM voids").scalar() == 1
        assert connection.exec_driver_sql("SELECT count(*) FROM carrier").scalar() == 1


def test_a_database_of_another_version_is_refused(engine):
    """A revision we do not know means that a newer gateway was here: nothing is touched."""
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseFault, match="another version"):
        initialise(str(engine.url))


def test_a_database_from_before_the_first_release_is_refused(engine):
    """It has our revision and lacks a column that came later: said at the start, not with every message."""
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE orders DROP COLUMN key_id")
    with pytest.raises(DatabaseFault, match=r"orders\.key_id; move it away"):
        initialise(str(engine.url))
