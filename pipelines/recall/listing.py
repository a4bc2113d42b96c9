"""The recall list: which released rows their recipient must freeze, sealed to it and signed by the holder.

Format `sluicegate-recall/1`, a folder: `recall.parquet.age` and `recall.csv.age` (columns batch, request_id; the CSV as
`forms.safe` writes it), `manifest.json`, `manifest.json.sig`. The request ids are the recipient's own keys, the only
thing about a row that it can find again; nothing else of a row is in it.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import algorithms, digests
from expectations.base.duck import DuckSettings, parquet, quote
from expectations.base.errors import BadInput, Fault
from expectations.instruments import Agreement
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.release import forms, signed_folder
from pipelines.sealing import Identity

COLUMNS = ["batch", "request_id"]
_PARQUET, _CSV = "recall.parquet", "recall.csv"
KIND = signed_folder.Kind("sluicegate-recall/1", (f"{_PARQUET}.age", f"{_CSV}.age"))
_ORDER = ", ".join(COLUMNS)


def seal_recall(
    folder: Path,
    rows: str,
    *,
    case: str,
    agreement: Agreement,
    packages: Mapping[str, str],
    holder_key: Ed25519PrivateKey,
    created_at: datetime,
    duck: DuckSettings,
) -> dict[str, Any]:
    """Makes the recall list of `case` in `folder`, whole or not at all, in place of an earlier one; gives its manifest.

    rows      anything that can stand in FROM, with columns batch and request_id; the same pair twice counts once
    packages  digest of each package that rows are recalled from, by batch
    Raises Fault if there are no rows, a row has no request id, or it belongs to none of `packages`.
    """
    statement = {
        "case": case,
        "order": "freeze",
        "created_at": created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "holder": agreement.holder.id,
        "requester": agreement.requester.id,
        "agreement": agreement.id,
        "batches": dict(sorted(packages.items())),
    }

    def write(plain: Path) -> dict[str, Any]:
        with quiet("recall.list", duck) as connection:
            return statement | _write_plain(connection, rows, plain, set(packages))

    signed_folder.build(folder, KIND, write, [agreement.keys.recipient], holder_key)
    return signed_folder.stated(folder)


def open_recall(
    folder: Path, identity: Identity, holders: Sequence[str], into: Path, duck: DuckSettings
) -> tuple[dict[str, Any], Path]:
    """The manifest of a recall list and its rows as a Parquet file in `into` (made, 0700), which the caller deletes.
    Raises BadInput as `signed_folder.verify` does, if it was sealed to another key, or if one of its two forms does not
    hold the rows that the manifest names."""
    manifest = signed_folder.verify(folder, KIND, holders)
    signed_folder.unseal(folder, KIND, identity, into)
    opened = into / _PARQUET
    with algorithms.using(signed_folder.algorithm(manifest)), quiet("recall.open", duck) as connection:
        for name, relation in ((_PARQUET, parquet([opened])), (_CSV, f"({forms.read_csv(into / _CSV, COLUMNS)})")):
            if _contents(connection, relation) != {k: manifest[k] for k in ("rows", "content_digest")}:
                raise BadInput("RECALL_CONTENT", "the rows are not those that the manifest names", where=f"{name}.age")
    return manifest, opened


def _write_plain(connection: Connection, rows: str, plain: Path, batches: set[str]) -> dict[str, Any]:
    known = ", ".join(quote(b) for b in sorted(batches)) or "NULL"
    connection.execute(f"CREATE TEMP TABLE recalled AS SELECT DISTINCT batch, request_id FROM {rows}")
    strays = f"count(*) FILTER (request_id IS NULL OR coalesce(batch NOT IN ({known}), true))"
    total, stray = connection.execute(f"SELECT count(*), {strays} FROM recalled").fetchall()[0]
    if total == 0 or stray:
        message = "rows to recall are missing, without a request id, or of a package that is not named"
        raise Fault("RECALL_ROWS", message)
    query = f"SELECT batch, request_id FROM recalled ORDER BY {_ORDER}"
    copy(connection, query, plain / _PARQUET)
    forms.write_csv(connection, query, COLUMNS, plain / _CSV)
    return _contents(connection, "recalled")


def _contents(connection: Connection, relation: str) -> dict[str, Any]:
    rows = connection.execute(f"SELECT count(*) FROM {relation}").fetchall()[0][0]
    return {"rows": rows, "content_digest": digests.content_digest(connection, relation, COLUMNS, _ORDER)}
