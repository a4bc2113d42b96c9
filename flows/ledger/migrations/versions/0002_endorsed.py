"""Versions of instruments are numbered, and the signatures that enrolled them are kept.

What was enrolled before, in the name of operators who had not signed, keeps counting, since an order that fell away
would widen; `ledger verify` says that it lacks its signatures. The names stay in the chain.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NUMBERED = """UPDATE instruments SET version = (
  SELECT count(*) FROM instruments AS earlier WHERE earlier.id = instruments.id AND earlier.seq <= instruments.seq)"""


def upgrade() -> None:
    op.create_table(
        "endorsements",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("operator", sa.String(64), primary_key=True),
        sa.Column("key_line", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    op.add_column("instruments", sa.Column("version", sa.Integer))
    op.execute(_NUMBERED)
    with op.batch_alter_table("instruments") as table:
        table.alter_column("version", existing_type=sa.Integer, nullable=False)
        table.drop_column("enrolled_by")
        table.create_unique_constraint("version_once", ["id", "version"])
