"""Alembic's entry: runs the migrations on the URL that `gateway.database.initialise` hands over."""

from alembic import context
from sqlalchemy import NullPool, create_engine, text

from gateway.schema import metadata

engine = create_engine(context.config.attributes["url"], hide_parameters=True, poolclass=NullPool)
with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":  # two processes may start at once
            connection.execute(text("SELECT pg_advisory_xact_lock(730015)"))
        context.run_migrations()
