"""A try is a set of values, not an address only: its column is named for that. Old tries stay, as sets of their own."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE tries RENAME COLUMN address_key TO values_key")
