"""A raw register that is not Parquet in the contract's types becomes one, file by file, before it is cut into ranges.

CSV cannot be entered at a record id; so it is read once, in a stream, by the reader of submissions, which knows each
row's number (see `read.csv`).
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base import duck
from expectations.base.errors import BadInput, SluicegateError
from pipelines import lake
from pipelines.lake import Attempt, Part
from pipelines.lake.runner import EMBEDDED
from pipelines.lake.sql import copy, quiet
from pipelines.register import columns
from pipelines.register.mapping import RegisterFormat
from pipelines.register.records import batches
from pipelines.register.source import Raw, Source
from pipelines.register.table import Table


@dataclass(frozen=True)
class Convert:
    """Worker: a file as a part of dataset `persons` or `addresses`, in the contract's columns and the file's order."""

    tables: dict[str, Table]
    settings: duck.DuckSettings

    def __call__(self, item: tuple[str, int, str], attempt: Attempt) -> Iterable[Part]:
        name, number, path = item
        table = self.tables[name]
        with quiet(table.where(path), self.settings) as con:
            with readable(con, table, path) as relation:
                copy(con, columns.read(table, relation), attempt.path(name, number))
            yield attempt.part(name, number)


@contextmanager
def readable(con: duckdb.DuckDBPyConnection, table: Table, path: str) -> Iterator[str]:
    """A FROM clause of one file for `columns.read`; raises BadInput with the row that cannot be read."""
    errors: list[SluicegateError] = []  # DuckDB turns what a stream raises into an error of its own
    match table.format:
        case RegisterFormat.PARQUET:
            relation = columns.of_parquet(table, path)
        case RegisterFormat.CSV:
            relation = "records"
            con.register(relation, batches(table, path, errors))
        case _:
            assert_never(table.format)
    try:
        yield relation
    except (duckdb.Error, pa.ArrowException) as error:
        raise (errors[0] if errors else columns.bad_row(table, path, error) or error) from None


def working(target: Path) -> Path:
    """Where the source of the register `target` lies as Parquet while it is prepared: in plaintext, as that is."""
    return target.with_name(f".{target.name}.raw")


@contextmanager
def in_parquet(
    raw: Raw,
    folder: Path,
    settings: duck.DuckSettings,
    *,
    runner: str = EMBEDDED,
    progress: lake.Progress | None = None,
) -> Iterator[Source]:
    """The raw register as `Source` for the time of a build, by way of a lake step in `folder` for what needs it.

    The step stays where the build is interrupted, so that the next one goes on from there; it is deleted once the build
    is done, or has found the register at fault. Raises BadInput on a row that cannot be read.
    """
    tables = {t.name: t for t in (raw.persons, raw.addresses)}
    with nothing_left(folder):
        for table in (t for t in tables.values() if t.direct):
            _refuse_empty(table, settings)
        found = {name: columns.direct(t) for name, t in tables.items() if t.direct}
        items = [(t.name, n, p) for t in tables.values() if not t.direct for n, p in enumerate(t.paths)]
        if items:
            worker = Convert(tables, replace(settings, preserve_order=True))
            step = lake.run_step(folder, raw.identity, items, worker, runner=runner, progress=progress)
            found |= {name: duck.parquet(step.paths(name)) for name, t in tables.items() if not t.direct}
        yield Source(**found)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Deletes the unfinished step in `folder` where its source turns out to be at fault: the next will be another."""
    try:
        yield
    except BadInput:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _refuse_empty(table: Table, settings: duck.DuckSettings) -> None:
    """Raises BadInput with file, row and field if a field of a table that is read as it lies is empty and must not be:
    rows without an id would be lost.

    Of what is read from text `columns.read` says it. Here nothing else is read for it: Parquet says in its footer how
    many nulls a column has, so that a register of any size costs its footers.
    """
    for path in table.paths:
        footer = pq.read_metadata(Path(path))
        for field in columns.required(table):
            if not _may_be_null(footer, table.columns[field]):
                continue
            with quiet(table.where(path), settings) as con:
                row = (con.execute(columns.first_empty(table, path, field)).fetchone() or (None,))[0]
            if row is not None:
                raise columns.fault("empty", table, path, field, row)


def _may_be_null(footer: pq.FileMetaData, column: str) -> bool:
    """What the footer says of a column; true where it says nothing."""
    index = [footer.schema.column(n).path for n in range(footer.num_columns)].index(column)
    groups = (footer.row_group(n).column(index).statistics for n in range(footer.num_row_groups))
    return any(it is None or not it.has_null_count or it.null_count > 0 for it in groups)
