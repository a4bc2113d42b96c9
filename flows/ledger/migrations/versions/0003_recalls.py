"""Recall cases, the claims that they recall, and the signatures that their steps rest on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DIGEST, NAME, TIME, WORD = sa.String(64), sa.String(64), sa.String(32), sa.String(16)


def upgrade() -> None:
    op.create_table(
        "recall_cases",
        sa.Column("id", NAME, primary_key=True),
        *(sa.Column(name, NAME, nullable=False) for name in ("requester", "agreement", "reason")),
        sa.Column("discovered_at", TIME, nullable=False),
        sa.Column("batches", sa.Text, nullable=False),
        sa.Column("codes", sa.Text, nullable=False),
        sa.Column("affected", DIGEST, nullable=False),
        sa.Column("state", NAME, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recalled",
        sa.Column("requester", NAME, primary_key=True),
        sa.Column("agreement", NAME, primary_key=True),
        sa.Column("request_key", DIGEST, primary_key=True),
        sa.Column("case_id", NAME, sa.ForeignKey("recall_cases.id"), nullable=False),
    )
    op.create_index("recalled_in_case", "recalled", ["case_id", "request_key"])
    op.create_table(
        "recall_signatures",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("case_id", NAME, sa.ForeignKey("recall_cases.id"), nullable=False),
        sa.Column("proof", WORD, nullable=False),
        sa.Column("signer", NAME, nullable=False),
        sa.Column("key_line", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sa.Column("said", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_recall_signatures_case_id", "recall_signatures", ["case_id"])
