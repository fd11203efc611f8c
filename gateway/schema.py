"""The tables. Times are UTC epoch milliseconds. `migrations/` creates them; a test proves the two equal.

An order waits for the carrier while `state` is queued. Being claimed is no state of its own: a claim moves `due_at`
past the end of the lease, so the order of a dispatcher that died becomes due again by itself.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    literal_column,
    text,
)

metadata: Final = MetaData()
Serial = BigInteger().with_variant(Integer, "sqlite")

accounts: Final = Table(
    "accounts",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", String(127), nullable=False, unique=True),
    Column("active", Boolean, nullable=False),
)

senders: Final = Table(
    "senders",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("address", String(16), nullable=False),
    Column("approved", Boolean, nullable=False),
)

integrations: Final = Table(
    "integrations",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("account_id", ForeignKey("accounts.id"), nullable=False),
    Column("sender_id", ForeignKey("senders.id")),
    Column("name", String(127), nullable=False, unique=True),
    Column("enabled", Boolean, nullable=False),
    Column("rate", Integer, nullable=False),  # requests per second, both endpoints together, per key
    Column("allowed_from", Text, nullable=False),  # numbers joined by blanks; empty: any
    Column("allowed_countries", Text, nullable=False),  # calling codes joined by blanks; empty: any
)

keys: Final = Table(
    "keys",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("integration_id", ForeignKey("integrations.id"), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256; 256 random bits need no slow hash
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

orders: Final = Table(
    "orders",
    metadata,
    Column("seq", Serial, primary_key=True),
    Column("id", String(23), nullable=False, unique=True),
    Column("integration_id", BigInteger, nullable=False),
    Column("key_id", BigInteger, nullable=False),
    Column("sender", String(16), nullable=False),
    Column("from_number", String(16), nullable=False),
    Column("to_number", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("encoding", String(5), nullable=False),
    Column("segments", Integer, nullable=False),
    Column("accepted_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", String(9), nullable=False, server_default="queued"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("first_attempt_at", BigInteger),
    Column("carrier_id", String(64)),
    Column("reason", Text),  # why it is refused, or the last failed attempt
    Column("message_status", String(8)),
    Column("finished_at", BigInteger),
    Index("orders_due", "integration_id", "due_at", sqlite_where=text("state = 'queued'"),
          postgresql_where=text("state = 'queued'")),
)  # fmt: skip

# What waits for the carrier. Written into the statement: with a parameter in its place a planner that does not know
# the value yet passes the partial index by.
QUEUED: Final = orders.c.state == literal_column("'queued'")

# An id answered with 10007 after a failed commit. Writing it overwrites what the failed commit may have left in the
# write-ahead log, so that a crash cannot bring a refused order back.
voids: Final = Table("voids", metadata, Column("id", String(23), primary_key=True))

# What every process knows of the carrier: one row, the circuit breaker's state.
carrier: Final = Table(
    "carrier",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("open_until", BigInteger, nullable=False),
)

# Receipts already applied, so that a repeated one is recognised.
receipts: Final = Table(
    "receipts",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("order_id", String(23), nullable=False),
    Column("message_status", String(8), nullable=False),
    Column("received_at", BigInteger, nullable=False),
)
