"""Disclosures by person: to whom a person's record was disclosed, and how many persons a report counts, without a scan."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("claims_of_person", "claims", ["requester", "person_key", "batch"])
