"""The first form of the ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

DIGEST, NAME, TIME, WORD = sa.String(64), sa.String(64), sa.String(32), sa.String(16)
STATES = (
    "received",
    "ingested",
    "matched",
    "validated",
    "sealed",
    "prepared",
    "published",
    "held",
    "failed",
    "refused",
    "rejected",
    "withdrawn",
    "unreadable",
    "expired",
)


def upgrade() -> None:
    _batches()
    _audit()
    _disclosures()
    _registry()


def _batches() -> None:
    op.create_table(
        "batches",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("submission", DIGEST, nullable=False, unique=True),
        sa.Column("requester", NAME, nullable=False),
        sa.Column("agreement", NAME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("decided_on", sa.Date, nullable=False),
        sa.Column("instruments", sa.Text, nullable=False),
        sa.Column("register", NAME, nullable=False),
        sa.Column("rows", sa.BigInteger, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("resumes", WORD),
        sa.Column("hold", sa.BigInteger),
        sa.Column("checkpoint", WORD),
        sa.Column("content_digest", DIGEST),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("cites", sa.Text, nullable=False),
        sa.Column("package_digest", DIGEST),
        sa.Column("merkle_root", DIGEST),
        sa.CheckConstraint(f"state IN ({', '.join(repr(s) for s in STATES)})", name="batch_state_known"),
    )
    op.create_index("ix_batches_state", "batches", ["state"])


def _audit() -> None:
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("batch", NAME),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("facts", sa.Text, nullable=False),
        sa.Column("previous", DIGEST, nullable=False),
        sa.Column("hash", DIGEST, nullable=False),
    )
    op.create_index("ix_events_batch", "events", ["batch"])
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("batch", NAME, sa.ForeignKey("batches.name")),
        sa.Column("hold", sa.BigInteger, nullable=False),
        sa.Column("checkpoint", WORD, nullable=False),
        sa.Column("content_digest", DIGEST, nullable=False),
        sa.Column("decision", WORD, nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("operator", NAME, nullable=False),
        sa.Column("key_line", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.UniqueConstraint("hold", "decision", "key_line", name="decision_once"),
    )
    op.create_index("ix_decisions_batch", "decisions", ["batch"])


def _disclosures() -> None:
    op.create_table(
        "claims",
        sa.Column("requester", NAME, primary_key=True),
        sa.Column("agreement", NAME, primary_key=True),
        sa.Column("request_key", DIGEST, primary_key=True),
        sa.Column("person_key", DIGEST, nullable=False),
        sa.Column("batch", NAME, sa.ForeignKey("batches.name"), nullable=False),
    )
    op.create_index("claims_of_batch", "claims", ["batch", "request_key"])
    op.create_table(
        "tries",
        sa.Column("requester", NAME, primary_key=True),
        sa.Column("person_key", DIGEST, primary_key=True),
        sa.Column("address_key", DIGEST, primary_key=True),
        sa.Column("at", TIME, nullable=False),
    )


def _registry() -> None:
    op.create_table(
        "instruments",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", NAME, nullable=False),
        sa.Column("digest", DIGEST, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("enrolled_at", TIME, nullable=False),
        sa.Column("enrolled_by", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_instruments_id", "instruments", ["id"])
    op.create_table(
        "operators",
        sa.Column("name", NAME, primary_key=True),
        sa.Column("key_line", sa.Text, nullable=False, unique=True),
        sa.Column("enrolled_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
    )
    op.create_table(
        "halts",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("operator", NAME, nullable=False),
        sa.Column("reason", NAME, nullable=False),
        sa.Column("resumed_at", TIME),
    )
