"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

Serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _create_parties()
    _create_orders()
    _create_records()


def _create_parties() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("name", sa.String(127), nullable=False, unique=True),
        sa.Column("active", sa.Boolean, nullable=False),
    )
    op.create_table(
        "senders",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("account_id", Serial, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("address", sa.String(16), nullable=False),
        sa.Column("approved", sa.Boolean, nullable=False),
    )
    op.create_table(
        "integrations",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("account_id", Serial, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("sender_id", Serial, sa.ForeignKey("senders.id")),
        sa.Column("name", sa.String(127), nullable=False, unique=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("allowed_from", sa.Text, nullable=False),
        sa.Column("allowed_countries", sa.Text, nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("id", Serial, primary_key=True),
        sa.Column("integration_id", Serial, sa.ForeignKey("integrations.id"), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )


def _create_records() -> None:
    op.create_table("voids", sa.Column("id", sa.String(23), primary_key=True))
    op.create_table(
        "carrier",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("open_until", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO carrier (id, failures, open_until) VALUES (1, 0, 0)")
    op.create_table(
        "receipts",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("order_id", sa.String(23), nullable=False),
        sa.Column("message_status", sa.String(8), nullable=False),
        sa.Column("received_at", sa.BigInteger, nullable=False),
    )


def _create_orders() -> None:
    op.create_table(
        "orders",
        sa.Column("seq", Serial, primary_key=True),
        sa.Column("id", sa.String(23), nullable=False, unique=True),
        sa.Column("integration_id", sa.BigInteger, nullable=False),
        sa.Column("key_id", sa.BigInteger, nullable=False),
        sa.Column("sender", sa.String(16), nullable=False),
        sa.Column("from_number", sa.String(16), nullable=False),
        sa.Column("to_number", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("encoding", sa.String(5), nullable=False),
        sa.Column("segments", sa.Integer, nullable=False),
        sa.Column("accepted_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(9), nullable=False, server_default="queued"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("first_attempt_at", sa.BigInteger),
        sa.Column("carrier_id", sa.String(64)),
        sa.Column("reason", sa.Text),
        sa.Column("message_status", sa.String(8)),
        sa.Column("finished_at", sa.BigInteger),
    )
    queued = sa.text("state = 'queued'")
    op.create_index("orders_due", "orders", ["integration_id", "due_at"], sqlite_where=queued, postgresql_where=queued)


def downgrade() -> None:
    """Drop everything."""
    for table in ("receipts", "carrier", "voids", "orders", "keys", "integrations", "senders", "accounts"):
        op.drop_table(table)
