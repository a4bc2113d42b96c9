"""Tables that the events rebuild: one for the signatures of people, tries by batch, and times as the events have them.

What the events of older versions did not say is vouched for afterwards, by an operator: `sluicegate ledger baseline`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

DIGEST, NAME, TIME, WORD = sa.String(64), sa.String(64), sa.String(32), sa.String(16)
# Each old try has the time of the newest batch that made it. Of two batches received in one moment, the one that made
# tries.
_TRIES = """INSERT INTO tries (batch, person_key, address_key)
SELECT batch, person_key, address_key FROM (
  SELECT person_key, address_key, COALESCE(
    (SELECT name FROM batches AS b WHERE b.requester = t.requester AND b.received_at = t.at ORDER BY CASE WHEN EXISTS (
      SELECT 1 FROM events AS e WHERE e.batch = b.name AND e.kind = 'tries') THEN 0 ELSE 1 END, name LIMIT 1),
    (SELECT name FROM batches AS b WHERE b.requester = t.requester ORDER BY received_at DESC, name LIMIT 1)
  ) AS batch FROM tries_before AS t) AS moved
WHERE batch IS NOT NULL ORDER BY 1, 2, 3"""


def upgrade() -> None:
    op.add_column("batches", sa.Column("evidence", WORD))
    op.execute(
        "UPDATE batches SET evidence = (SELECT min(kind) FROM events"
        " WHERE events.batch = batches.name AND kind IN ('shredding', 'shredded'))"
    )
    _signatures([*_endorsements(), *_recalls(), *_decisions()])
    _tries()
    _times()


def _signatures(rows: list[dict[str, Any]]) -> None:
    table = op.create_table(
        "signatures",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("signer", NAME, primary_key=True),
        sa.Column("purpose", WORD, nullable=False),
        sa.Column("text", sa.LargeBinary, nullable=False),
        sa.Column("key_line", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
    )
    op.bulk_insert(table, rows)
    op.drop_table("endorsements")
    op.drop_table("recall_signatures")


def _endorsements() -> Iterator[dict[str, Any]]:
    events = _rows("SELECT * FROM events WHERE kind IN ('enrolled', 'operator')")
    said = {e["seq"]: json.loads(e["facts"]) for e in events}
    for row in _rows("SELECT seq, operator AS signer, key_line, signature FROM endorsements"):
        facts = said.get(row["seq"], {})
        text = {name: facts.get(name) for name in ("operator", "key", "enrolled")}
        if "instrument" in facts:
            text = {name: facts[name] for name in ("kind", "digest")}
            text |= {"id": facts["instrument"], "after": facts.get("version", 1) - 1}
        purpose = "instrument" if "instrument" in facts else "operator"
        yield {**row, "purpose": purpose, "text": _json(text)}


def _recalls() -> Iterator[dict[str, Any]]:
    for row in _rows("SELECT seq, proof, signer, key_line, signature, said AS text FROM recall_signatures"):
        yield {**row, "purpose": "attestation" if row.pop("proof") == "attestation" else "recall"}


def _decisions() -> list[dict[str, Any]]:
    """Decisions are numbered by their events from now on; one that no event tells of has a number below zero."""
    events = _rows("SELECT seq, facts FROM events WHERE kind = 'decision'")
    numbers = {json.loads(e["facts"])["signature"]: e["seq"] for e in events}
    rows = _rows("SELECT * FROM decisions")
    for row in rows:
        row["seq"] = numbers.pop(hashlib.sha256(row["signature"].encode()).hexdigest(), -row["id"])
    op.drop_table("decisions")
    names = {"checkpoint": WORD, "content_digest": DIGEST, "decision": WORD, "reason": NAME, "operator": NAME}
    table = op.create_table(
        "decisions",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("batch", NAME, sa.ForeignKey("batches.name")),
        sa.Column("hold", sa.BigInteger, nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in names.items()),
        sa.UniqueConstraint("hold", "decision", "operator", name="decision_once"),
    )
    op.create_index("ix_decisions_batch", "decisions", ["batch"])
    op.bulk_insert(table, [{name: row[name] for name in ("seq", "at", "batch", "hold", *names)} for row in rows])
    signed, held = [], ("hold", "checkpoint", "content_digest", "decision")
    for row in rows:
        text = _json({"batch": row["batch"] or "", **{name: row[name] for name in held}})
        kept = {name: row[name] for name in ("seq", "key_line", "signature")}
        signed.append({**kept, "signer": row["operator"], "purpose": "decision", "text": text})
    return signed


def _tries() -> None:
    op.rename_table("tries", "tries_before")
    op.create_table(
        "tries",
        sa.Column("batch", NAME, sa.ForeignKey("batches.name"), primary_key=True),
        sa.Column("person_key", DIGEST, primary_key=True),
        sa.Column("address_key", DIGEST, primary_key=True),
    )
    op.execute(_TRIES)
    op.drop_table("tries_before")


def _times() -> None:
    """A row's time was taken a moment before, or after, that of its event, which counts."""
    for table, column in (("decisions", "at"), ("halts", "at"), ("instruments", "enrolled_at")):
        of_event = f"(SELECT at FROM events WHERE events.seq = {table}.seq)"
        op.execute(f"UPDATE {table} SET {column} = COALESCE({of_event}, {table}.{column})")
    connection = op.get_bind()
    for event in _rows("SELECT at, facts FROM events WHERE kind IN ('operator', 'resumed') ORDER BY seq"):
        said = json.loads(event["facts"])
        column = "enrolled_at" if said.get("enrolled") else "revoked_at"
        table, key, column = ("halts", "seq", "resumed_at") if "halt" in said else ("operators", "name", column)
        query = f"UPDATE {table} SET {column} = :at WHERE {key} = :key AND {column} IS NOT NULL"
        connection.execute(sa.text(query), {"at": event["at"], "key": said.get("halt", said.get("operator"))})


def _rows(query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in op.get_bind().execute(sa.text(query)).mappings()]


def _json(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
