"""A table of addresses to verdicts: the ingest stage's screens, then `expectations.address` on what they let through.

The address alone is judged; the id is carried along. A row that the screens take out has their code, as it would in ingest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from expectations import address
from expectations.duck import DuckSettings, session
from expectations.errors import BadInput, Fault
from pipelines.ingest import blocks
from pipelines.lake.failures import no_values
from pipelines.lake.workplace import workplace
from pipelines.preflight import verdicts
from pipelines.preflight.pieces import FIELDS, ID, Piece
from pipelines.preflight.read_csv import read_csv
from pipelines.preflight.read_parquet import read_parquet

_CHUNK = 250_000  # rows judged by one query: its fixed cost is a few tenths of a second
_BAD = pa.schema([("row", pa.int64()), ("code", pa.string())])
_COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


@dataclass(frozen=True)
class _Table:
    id_type: pa.DataType
    fields: list[str]
    pieces: Iterator[Piece]


def check_addresses(file: Path, out: Path, *, premises: Sequence[str] = (), duck: DuckSettings) -> verdicts.Tally:
    """Judges the addresses of `file` (.csv, .csv.gz, .csv.zst or .parquet) and writes VERDICTS to `out`; gives the counts.

    premises   the requester's own addresses, if they are known (agreement)

    Raises BadInput, and leaves no VERDICTS: FILE_MISSING, FILE_UNREADABLE, UNKNOWN_FORMAT, SAME_FILE, NO_ROWS, those of a
    table without an id or an address (`pieces.fields_of`), and those of the readers.
    """
    tally = verdicts.Tally()
    with no_values(verdicts.NAME), workplace(out, file, verdicts.NAME) as work, _opened(file) as table:
        settings = replace(duck, temp=str(work / "spill"))
        with verdicts.writing(out, work, table.id_type, tally) as write, session(settings) as connection:
            address.setup(connection)
            query = _judging(table.fields, premises)
            for chunk in _chunks(table.pieces):
                write(_judged(connection, query, chunk))
            if tally.rows == 0:
                raise BadInput("NO_ROWS", "the file has no rows", where=file.name, remedy="Give at least one.")
    return tally


@contextmanager
def _opened(file: Path) -> Iterator[_Table]:
    """The table in `file`, by the end of its name."""
    if not file.is_file():
        raise BadInput("FILE_MISSING", "there is no such file or folder", where=file.name, remedy="Check its name.")
    try:
        file.open("rb").close()
    except OSError:
        raise BadInput(
            "FILE_UNREADABLE", "the file cannot be read", where=file.name, remedy="Check its permissions."
        ) from None
    packing = _COMPRESSIONS.get(file.suffix)
    if (Path(file.stem).suffix if packing else file.suffix) == ".csv":
        with blocks.opened(file, packing or "none", file.name) as source:
            yield _Table(pa.string(), *read_csv(source))
    elif file.suffix == ".parquet":
        yield _Table(*read_parquet(file, file.name))
    else:
        raise BadInput(
            "UNKNOWN_FORMAT", "the file is neither CSV nor Parquet by its name", where=file.name,
            remedy="Name it .csv, .csv.gz, .csv.zst or .parquet.",
        )  # fmt: skip


def _chunks(pieces: Iterator[Piece]) -> Iterator[list[Piece]]:
    held: list[Piece] = []
    for one in pieces:
        held.append(one)
        if sum(p.read.count for p in held) >= _CHUNK:
            yield held
            held = []
    if held:
        yield held


def _judging(fields: list[str], premises: Sequence[str]) -> str:
    """The query over `good` (row and address fields) and `bad` (row, code)."""
    absent = ", ".join(f"CAST(NULL AS VARCHAR) AS {f}" for f in FIELDS if f not in fields)
    good = f"(SELECT *{', ' + absent if absent else ''} FROM good)"
    parsed = address.derive(good, one_line="address" in fields, premises=premises)
    return f"""
        SELECT {address.complete("a_codes")} AS complete, a_codes AS codes, row FROM ({parsed})
        UNION ALL SELECT false, [code], row FROM bad ORDER BY row"""


def _judged(connection: duckdb.DuckDBPyConnection, query: str, chunk: list[Piece]) -> pa.Table:
    """The verdicts of a chunk with their ids before them; raises Fault if a row was lost or doubled."""
    good = [p.read.table.append_column("row", pa.array(p.read.rows)) for p in chunk]
    bad = [{"row": r.row, "code": r.code} for p in chunk for r in p.read.rejects]
    connection.register("good", pa.concat_tables(good))
    connection.register("bad", pa.Table.from_pylist(bad, schema=_BAD))
    table = connection.execute(query).to_arrow_table()
    ids = pa.chunked_array([p.ids for p in chunk])
    rows = table["row"].to_numpy()
    if len(rows) != len(ids) or not np.array_equal(rows, np.arange(rows[0], rows[0] + len(ids))):
        raise Fault("COUNTS_DIFFER", "rows were lost or doubled", where=verdicts.NAME)
    return table.add_column(0, ID, ids)
