"""The console asks for two factors: when a key was shown, from where, and wrong tries by place. Sessions and locks of
before end."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DELETE FROM console_sessions")
    op.execute("DELETE FROM console_accounts WHERE operator = ''")
    with op.batch_alter_table("console_sessions") as table:
        table.add_column(sa.Column("proved_at", sa.String(32)))
        table.add_column(sa.Column("source", sa.String(64), nullable=False))
    with op.batch_alter_table("console_accounts") as table:
        table.drop_column("failures")
        table.drop_column("locked_until")
    op.create_table(
        "console_wrong",
        sa.Column("operator", sa.String(64), primary_key=True),
        sa.Column("source", sa.String(64), primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.String(32)),
        sa.Column("tried_at", sa.String(32), nullable=False),
    )
