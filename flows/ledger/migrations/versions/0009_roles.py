"""Operators have roles, and several keys. Who was enrolled before may do what all could: everything. What was signed on
a hold can be void."""

import base64
import binascii
import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_ALL = json.dumps(["approver", "auditor", "instrument_keeper", "operator", "viewer"])


def upgrade() -> None:
    for table in ("batches", "halts"):
        op.add_column(table, sa.Column("voided", sa.BigInteger))
    keys = op.create_table(
        "operator_keys",
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("operator", sa.String(64), nullable=False, index=True),
        sa.Column("key_line", sa.Text, nullable=False),
        sa.Column("added_at", sa.String(32), nullable=False),
        sa.Column("removed_at", sa.String(32)),
    )
    before = op.get_bind().execute(sa.text("SELECT name, key_line, enrolled_at, revoked_at FROM operators"))
    operators = [dict(row) for row in before.mappings()]
    op.drop_table("operators")
    made = op.create_table(
        "operators",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("roles", sa.Text, nullable=False),
        sa.Column("changed", sa.BigInteger, nullable=False),
        sa.Column("enrolled_at", sa.String(32), nullable=False),
        sa.Column("revoked_at", sa.String(32)),
    )
    enrolled = _enrolled()
    for row in operators:
        line, times = row.pop("key_line"), {"added_at": row["enrolled_at"], "removed_at": None}
        fingerprint = hashlib.sha256(_blob(line)).hexdigest()
        op.bulk_insert(made, [{**row, "roles": _ALL, "changed": enrolled.get(row["name"], 0)}])
        op.bulk_insert(keys, [{"fingerprint": fingerprint, "operator": row["name"], "key_line": line, **times}])


def _enrolled() -> dict[str, int]:
    """The event that enrolled each operator."""
    found = op.get_bind().execute(sa.text("SELECT seq, facts FROM events WHERE kind = 'operator' ORDER BY seq"))
    said = [(seq, json.loads(facts)) for seq, facts in found]
    return {one["operator"]: seq for seq, one in said if one.get("enrolled")}


def _blob(line: str) -> bytes:
    try:
        return base64.b64decode(line.partition(" ")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""
