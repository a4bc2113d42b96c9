"""The raw register on disk: `persons/*.parquet` and `addresses/*.parquet`, checked, and cut into ranges of record ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import contracts, duck
from expectations.errors import BadInput
from pipelines.sql import quiet

BINS = 4096


@dataclass(frozen=True)
class Source:
    """Files of a raw register whose columns are what the contracts say."""

    persons: tuple[str, ...]
    addresses: tuple[str, ...]


def open_source(folder: Path) -> Source:
    """The raw register in `folder`; raises BadInput if a table is missing, cannot be read or has other columns."""
    return Source(
        _files(folder, "persons", contracts.REGISTER_PERSON), _files(folder, "addresses", contracts.REGISTER_ADDRESS)
    )


def _files(folder: Path, table: str, wanted: pa.Schema) -> tuple[str, ...]:
    paths = sorted((folder / table).glob("*.parquet"))
    if not paths:
        raise BadInput(
            "REGISTER_MISSING",
            f"the register has no {table}",
            where=f"{table}/",
            remedy=f"Point to a folder with persons/ and addresses/; sluicegate schema register_{table.removesuffix('s').removesuffix('e')} prints the columns.",
        )
    for path in paths:
        _check(path, table, wanted)
    return tuple(str(p) for p in paths)


def _check(path: Path, table: str, wanted: pa.Schema) -> None:
    where = f"{table}/{path.name}"
    try:
        found = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        raise BadInput(
            "REGISTER_UNREADABLE",
            "a part is not a whole Parquet file",
            where=where,
            remedy="Copy it again from its source.",
        ) from None
    for field in wanted:
        if field.name not in found.names or found.field(field.name).type != field.type:
            raise BadInput(
                "REGISTER_COLUMNS",
                f"column {field.name} is missing or not {field.type}",
                where=where,
                remedy="Write the columns that sluicegate schema prints.",
            )


def ranges(source: Source, part_rows: int, settings: duck.DuckSettings) -> list[tuple[int, int]]:
    """Ranges [low, high] of record ids with about `part_rows` persons each, in order, without overlap.

    Raises BadInput if there is no person, or if real and decoy records (below zero) are mixed.
    """
    persons = duck.parquet(list(source.persons))
    with quiet("persons/", settings) as con:
        low, high = con.execute(f"SELECT min(record_id), max(record_id) FROM {persons}").fetchone() or (None, None)
        if low is None:
            raise BadInput("REGISTER_EMPTY", "the register holds nobody", where="persons/", remedy="Check its source.")
        if low == 0 or (low < 0) != (high < 0):
            raise BadInput(
                "REGISTER_IDS",
                "record ids must all lie above zero (below zero for decoys)",
                where="persons/",
                remedy="Renumber the records.",
            )
        width = (high - low) // BINS + 1
        bins = con.execute(
            f"SELECT (record_id - {low}) // {width} AS bin, count(*) FROM {persons} GROUP BY bin ORDER BY bin"
        ).fetchall()
    return _packed(bins, low, high, width, part_rows)


def _packed(bins: list[tuple[int, int]], low: int, high: int, width: int, part_rows: int) -> list[tuple[int, int]]:
    cuts, rows = [low], 0
    for number, count in bins:
        if rows and rows + count > part_rows:
            cuts.append(low + number * width)
            rows = 0
        rows += count
    ends = [cut - 1 for cut in cuts[1:]] + [high]
    return list(zip(cuts, ends, strict=True))
