"""Disclosed records that a register correction has touched since, and the notice of them to whoever has them.

5 USC 552a(c)(4): whoever a record was disclosed to is told of a correction. Format `sluicegate-correction/1`, a folder:
`corrections.parquet.age` and `corrections.csv.age` (batch, request_id, effective_on), `manifest.json`,
`manifest.json.sig`. The notice says which disclosures were corrected and since when, not what stands there now: that
would be a new disclosure, and needs a new request.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from expectations.base import algorithms, digests
from expectations.base.algorithms import NAMES
from expectations.base.duck import DuckSettings, parquet, quote
from expectations.base.hash_key import HashKey
from expectations.contracts.lists import Outcome
from expectations.instruments import Agreement
from pipelines.context import sql_person_key
from pipelines.lake.sql import Connection, copy, quiet
from pipelines.register.delta import Kind
from pipelines.release import forms, signed_folder

COLUMNS = ("batch", "request_id", "effective_on")
_PARQUET, _CSV = "corrections.parquet", "corrections.csv"
KIND = signed_folder.Kind("sluicegate-correction/1", (f"{_PARQUET}.age", f"{_CSV}.age"))
STEP = "recall.corrected"
_ORDER = "batch, ordinal, delta"


def find(
    batch: str,
    accounting: Path,
    target: Path,
    *,
    changed: Sequence[str],
    known: Sequence[str],
    until: date,
    hash_key: HashKey,
    duck: DuckSettings,
) -> int:
    """Writes the released rows of a batch whose record was corrected since: batch, ordinal, request_id, delta,
    effective_on; gives how many.

    changed, known   files of `corrections.changes`: of all register versions, and of the one that the batch ran against
    until            corrections in effect on that day count
    hash_key         where the key of the keyed hashes lies, as the batch was hashed with it
    """
    before = f"AND delta NOT IN (SELECT delta FROM {parquet(list(known))})" if known else ""
    keys = f"""
        SELECT {sql_person_key(hash_key, "record_id")} AS person_key, delta, min(effective_on) AS effective_on
        FROM {parquet(list(changed))}
        WHERE kind IN {Kind.sql(looks_back=True)} AND effective_on <= DATE {quote(str(until))} {before} GROUP BY ALL"""
    rows = f"""
        SELECT {quote(batch)} AS batch, ordinal, request_id, delta, effective_on
        FROM {parquet([accounting])} JOIN ({keys}) USING (person_key)
        WHERE outcome = '{Outcome.RELEASED}' ORDER BY {_ORDER}"""
    with quiet(STEP, duck) as connection:
        hash_key.install(connection)
        copy(connection, rows, target)
        return int(connection.execute(f"SELECT count(*) FROM {parquet([target])}").fetchall()[0][0])


def outstanding(
    found: Sequence[Path], before: Sequence[Path], target: Path, duck: DuckSettings
) -> tuple[str, dict[str, int]]:
    """Writes the rows of `found` of which no notice (`before`: the rows of each) was made; gives their name, by batch,
    ordinal and delta, and disclosures by batch."""
    done = f"ANTI JOIN {parquet(list(before))} told USING (batch, ordinal, delta)" if before else ""
    with quiet(STEP, duck) as connection:
        copy(connection, f"SELECT * FROM {parquet(list(found))} found {done} ORDER BY {_ORDER}", target)
        rows = parquet([target])
        with algorithms.using(NAMES):  # the same rows are the same notice
            name = digests.content_digest(connection, rows, ["batch", "ordinal", "delta"], _ORDER)
        counted = f"SELECT batch, count(DISTINCT ordinal) FROM {rows} GROUP BY ALL ORDER BY ALL"
        return name, dict(connection.execute(counted).fetchall())


def seal_notice(
    folder: Path,
    rows: Path,
    *,
    notice: str,
    agreement: Agreement,
    packages: Mapping[str, str],
    holder_key: Ed25519PrivateKey,
    created_at: datetime,
    duck: DuckSettings,
) -> None:
    """Makes the notice in `folder`, sealed to the agreement's recipient and signed by the holder. `rows`: as
    `outstanding` wrote them; `packages`: digest by batch."""
    statement = {
        "notice": notice,
        "created_at": created_at.astimezone(UTC).isoformat(timespec="seconds"),
        "holder": agreement.holder.id,
        "requester": agreement.requester.id,
        "agreement": agreement.id,
        "batches": dict(sorted(packages.items())),
        "source": "5 USC 552a(c)(4)",
    }

    def write(plain: Path) -> dict[str, Any]:
        with quiet(STEP, duck) as connection:
            return statement | _write_plain(connection, rows, plain)

    signed_folder.build(folder, KIND, write, [agreement.keys.recipient], holder_key)


def _write_plain(connection: Connection, rows: Path, plain: Path) -> dict[str, Any]:
    newest = f"SELECT batch, request_id, max(effective_on)::VARCHAR AS effective_on FROM {parquet([rows])} GROUP BY ALL"
    query = f"{newest} ORDER BY {', '.join(COLUMNS)}"
    copy(connection, query, plain / _PARQUET)
    forms.write_csv(connection, query, COLUMNS, plain / _CSV)
    return {"rows": connection.execute(f"SELECT count(*) FROM ({newest})").fetchall()[0][0]}
