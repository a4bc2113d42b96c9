"""Who took a batch in by hand. Of those of before nobody said so."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("batches", sa.Column("received_by", sa.String(64)))
