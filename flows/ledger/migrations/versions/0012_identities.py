"""Identities at an OpenID Connect provider, by which operators come into the console. No event says what they are."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "console_identities",
        sa.Column("identity", sa.String(64), primary_key=True),
        sa.Column("operator", sa.String(64), nullable=False, index=True),
        sa.Column("issuer", sa.String(64), nullable=False),
        sa.Column("bound_at", sa.String(32), nullable=False),
    )
