"""Each event names the algorithm that it is hashed with; those of before, which name none, with SHA-256."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("scheme", sa.String(16)))
