"""Which digest each sealed file has now: as the events of its making said, until one says that it was sealed anew."""

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_SAID = "SELECT seq, batch, kind, facts FROM events WHERE kind IN ('accounted', 'shredded', 'corrected', 'recall')"


def upgrade() -> None:
    table = op.create_table(
        "seals",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("owner", sa.String(64), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
    )
    found: dict[tuple[str, str], tuple[str | None, int]] = {}
    for event in op.get_bind().execute(sa.text(f"{_SAID} ORDER BY seq")).mappings():
        for kind, owner, digest in _sealed(event["batch"], event["kind"], json.loads(event["facts"])):
            found[kind, owner] = (digest, event["seq"])
    rows = [
        {"kind": kind, "owner": owner, "digest": digest, "seq": seq}
        for (kind, owner), (digest, seq) in found.items()
        if digest is not None
    ]
    op.bulk_insert(table, rows)


def _sealed(batch: str, kind: str, said: dict[str, Any]) -> Iterator[tuple[str, str, str | None]]:
    """What an event says of sealed files: kind, owner, digest; None: it is gone."""
    if kind == "accounted":
        yield "accounting", batch, said["accounting"]
        yield "evidence", batch, said["evidence"]
    elif kind == "shredded":
        yield "evidence", batch, None
    elif kind == "corrected":
        yield "correction", said["notice"], said["affected"]
    elif "affected.age" in said.get("documents", {}):
        yield "recall", said["case"], said["documents"]["affected.age"]
