"""The rows that a recall is about: looked up in the sealed accounting, opened, and proven to be what was disclosed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from expectations.base import algorithms, digests
from expectations.base.algorithms import NAMES
from expectations.base.duck import DuckSettings, parquet, quote
from expectations.base.errors import BadInput, Fault
from expectations.base.hash_key import HashKey
from expectations.codes import CODES
from expectations.contracts.lists import Outcome
from expectations.instruments import Agreement
from pipelines.context import sql_request_key
from pipelines.lake.sql import Connection, copy, quiet

NAME = "recall.affected"
_ORDINALS = "Give one ordinal of a released row a line, each once: sluicegate explain shows how a row ended."


@dataclass(frozen=True)
class Affected:
    """`path`: Parquet (batch, ordinal, request_id, request_key, person_key, codes), by batch and ordinal;
    plaintext, deleted by the caller. `digest`: of (batch, ordinal); `name`: by the same, for good. `batches`, `codes`:
    rows by batch and by code."""

    path: Path
    digest: str
    name: str
    batches: Mapping[str, int]
    codes: Mapping[str, int]


def read_ordinals(source: Path | Sequence[str], batch: str, target: Path, duck: DuckSettings) -> None:
    """Writes the ordinals in `source` (a file with one a line, or Parquet with a column ordinal; or lines) as Parquet
    for `find`."""
    lines: list[list[list[str]]] = []
    with quiet(NAME, duck) as connection:
        if not isinstance(source, Path):
            lines = [[list(source)]]
            rows = "(SELECT o FROM (SELECT trim(unnest($1::VARCHAR[])) AS o) WHERE o NOT IN ('', 'ordinal'))"
        elif source.suffix == ".parquet":
            rows = f"(SELECT CAST(ordinal AS VARCHAR) AS o FROM {parquet([source])})"
        else:  # a separator that no line holds, so that a line is one entry whatever stands in it
            rows = (
                f"(SELECT trim(column0) AS o FROM read_csv({quote(str(source))}, header = false, delim = '\\x1f',"
                " quote = '', escape = '', columns = {'column0': 'VARCHAR'}, auto_detect = false, parallel = false)"
                " WHERE trim(column0) NOT IN ('', 'ordinal'))"
            )
        connection.execute(f"CREATE TEMP TABLE given AS SELECT row_number() OVER () AS line, o FROM {rows}", *lines)
        unreadable = "SELECT min(line) FROM given WHERE coalesce(try_cast(o AS BIGINT) < 0, true)"
        bad = connection.execute(unreadable).fetchall()[0][0]
        if bad is not None:
            where = f"{source.name if isinstance(source, Path) else 'the rows'}, entry {bad}"
            raise BadInput("ORDINAL_UNREADABLE", "an entry is no ordinal", where=where, remedy=_ORDINALS)
        copy(connection, f"SELECT {quote(batch)} AS batch, CAST(o AS BIGINT) AS ordinal FROM given", target)


def batches(selected: Path, duck: DuckSettings) -> list[str]:
    """The batches that a list of rows names; raises BadInput if it has no columns batch and ordinal."""
    with quiet(NAME, duck) as connection:
        _columns(connection, selected)
        found = connection.execute(f"SELECT DISTINCT CAST(batch AS VARCHAR) FROM {parquet([selected])} ORDER BY 1")
        return [row[0] for row in found.fetchall()]


def find(
    selected: Path | None,
    accounting: Mapping[str, Path],
    agreement: Agreement,
    hash_key: HashKey,
    then: Mapping[str, HashKey],
    target: Path,
    duck: DuckSettings,
) -> Affected:
    """Writes the affected rows to `target`, their keys as the ledger has them now.

    selected    Parquet (batch, ordinal; perhaps request_key, person_key and codes); None: every released row
    accounting  opened accounting by batch; hash_key: where the key of the keyed hashes lies; then: as it was, by batch
    Raises BadInput if a selected row was not released, or is a duplicate; Fault if the accounting contradicts itself.
    """
    with quiet(NAME, duck) as connection:
        hash_key.install(connection)
        columns = "ordinal, request_id, request_key, person_key"
        released = " UNION ALL ".join(
            f"SELECT {quote(batch)} AS batch, ordinal, request_id, {_keys(hash_key, then[batch])}"
            f" FROM {parquet([path])} WHERE outcome = '{Outcome.RELEASED}'"
            for batch, path in sorted(accounting.items())
        )
        connection.execute(f"CREATE TEMP TABLE released AS {released}")
        connection.execute(f"CREATE TEMP TABLE selected AS {_selected(connection, selected, accounting)}")
        connection.execute("""
            CREATE TEMP TABLE affected AS
            SELECT r.*, s.codes,
              s.request_key AS listed_request, s.person_key AS listed_person
            FROM selected s JOIN released r USING (batch, ordinal)""")
        _proven(connection, sql_request_key(hash_key, agreement, "request_id"))
        copy(connection, f"SELECT batch, {columns}, codes FROM affected ORDER BY batch, ordinal", target)
        return _counted(connection, target)


def _keys(hash_key: HashKey, then: HashKey) -> str:
    """The keys of a row as they are now, and as accounting and lists have them (`then_…`)."""
    names = ("request_key", "person_key")
    return ", ".join(f"{hash_key.sql_carried(name, then)} AS {name}, {name} AS then_{name}" for name in names)


def without(affected: Path, keys: list[str], target: Path, duck: DuckSettings) -> Affected:
    """The affected rows without those whose request key is in `keys`, in `target`."""
    with quiet(NAME, duck) as connection:
        connection.execute("CREATE TEMP TABLE taken AS SELECT unnest($1::VARCHAR[]) AS request_key", [keys])
        rest = f"SELECT * FROM {parquet([affected])} WHERE request_key NOT IN (SELECT request_key FROM taken)"
        connection.execute(f"CREATE TEMP TABLE affected AS {rest}")
        copy(connection, "SELECT * FROM affected ORDER BY batch, ordinal", target)
        return _counted(connection, target)


def with_records(affected: Path, records: Mapping[str, Path], target: Path, duck: DuckSettings) -> None:
    """The list of affected persons: the affected rows with the register's record_id, where `records` (Parquet of
    ordinal and record_id, by batch) has it."""
    with quiet(NAME, duck) as connection:
        each = (f"SELECT {quote(b)} AS batch, ordinal, record_id FROM {parquet([p])}" for b, p in records.items())
        known = " UNION ALL ".join(each)
        known = known or "SELECT NULL::VARCHAR AS batch, NULL::BIGINT AS ordinal, NULL::BIGINT AS record_id WHERE false"
        rows = f"SELECT * FROM {parquet([affected])} LEFT JOIN ({known}) USING (batch, ordinal) ORDER BY batch, ordinal"
        copy(connection, rows, target)


def _selected(connection: Connection, selected: Path | None, batches: Iterable[str]) -> str:
    kinds = {"request_key": "VARCHAR", "person_key": "VARCHAR", "codes": "VARCHAR[]"}
    if selected is None:
        return f"SELECT batch, ordinal, {', '.join(f'NULL::{k} AS {n}' for n, k in kinds.items())} FROM released"
    there = _columns(connection, selected)
    columns = (f"{n if n in there else 'NULL'}::{k} AS {n}" for n, k in kinds.items())
    here = ", ".join(map(quote, batches))
    rows = f"SELECT batch, ordinal::BIGINT AS ordinal, {', '.join(columns)} FROM {parquet([selected])}"
    return f"{rows} WHERE batch IN ({here})"


def _columns(connection: Connection, selected: Path) -> set[str]:
    found = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {parquet([selected])}").fetchall()}
    if not {"batch", "ordinal"} <= found:
        remedy = "sluicegate lookback makes one."
        raise BadInput("NO_LIST", "the list of rows has no columns batch and ordinal", remedy=remedy)
    return found


def _proven(connection: Connection, request_key: str) -> None:
    def one(query: str) -> Any:
        return connection.execute(query).fetchall()[0][0]

    asked = one("SELECT count(*) FROM selected")
    distinct = one("SELECT count(*) FROM (SELECT DISTINCT batch, ordinal FROM selected)")
    if asked == 0:
        raise BadInput("NO_ROWS", "there are no rows to recall", remedy=_ORDINALS)
    if asked != distinct:
        raise BadInput("ROW_TWICE", f"{asked - distinct} of the rows are duplicates", remedy=_ORDINALS)
    if missing := asked - one("SELECT count(*) FROM affected"):
        raise BadInput("NOT_RELEASED", f"{missing} of the {asked} rows were not released", remedy=_ORDINALS)
    differ = "listed_request <> then_request_key OR listed_person <> then_person_key"
    if wrong := one(f"SELECT count(*) FROM affected WHERE {differ}"):
        message = f"{wrong} rows of the list are not the disclosures of these ordinals"
        raise BadInput("OTHER_ROWS", message, remedy="Make the list again: sluicegate lookback.")
    if one(f"SELECT count(*) FROM affected WHERE coalesce(request_key <> {request_key}, true)"):
        message = "request ids of the accounting are not those that were disclosed"
        raise Fault("ACCOUNTING_CHANGED", message, remedy="Run sluicegate ledger verify.")


def _counted(connection: Connection, path: Path) -> Affected:
    batches = dict(connection.execute("SELECT batch, count(*) FROM affected GROUP BY ALL ORDER BY ALL").fetchall())
    each = "SELECT code, count(*) FROM (SELECT unnest(codes) AS code FROM affected) GROUP BY ALL ORDER BY ALL"
    codes = dict(connection.execute(each).fetchall())
    if set(codes) - set(CODES):
        remedy = "See sluicegate rules."
        raise BadInput("CODE_UNKNOWN", "the list of rows gives a reason that is no code", remedy=remedy)
    rows = ("affected", ["batch", "ordinal"], "batch, ordinal")
    digest = name = digests.content_digest(connection, *rows)
    if algorithms.in_force() is not NAMES:
        with algorithms.using(NAMES):
            name = digests.content_digest(connection, *rows)
    return Affected(path, digest, name, batches, codes)
