"""A raw register that is not Parquet in the contract's types becomes one, file by file, before it is cut into ranges.

CSV cannot be entered at a record id; so it is read once, in a stream, by the reader of submissions, which knows each
row's number (see `read.csv`).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, assert_never

import duckdb
import pyarrow as pa

from expectations.base import duck
from expectations.base.errors import BadInput, SluicegateError
from pipelines import lake
from pipelines.lake import Attempt, Part
from pipelines.lake import runner as runners
from pipelines.lake.sql import copy, quiet
from pipelines.register import columns
from pipelines.register.mapping import RegisterFormat
from pipelines.register.records import batches
from pipelines.register.required import refuse_empty
from pipelines.register.source import Raw, Source
from pipelines.register.table import Table


class File(NamedTuple):
    """A piece of work: one file of a table."""

    table: str
    number: int
    path: str


@dataclass(frozen=True)
class Convert:
    """Worker: one file as a part of dataset `persons` or `addresses`, in the contract's columns, in the file's order."""

    tables: dict[str, Table]
    settings: duck.DuckSettings

    def __call__(self, item: File, attempt: Attempt) -> Iterable[Part]:
        table = self.tables[item.table]
        with quiet(table.where(item.path), self.settings) as con:
            with readable(con, table, item.path) as relation:
                copy(con, columns.read(table, relation), attempt.path(table.name, item.number))
            yield attempt.part(table.name, item.number)


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
    """Where the source of the register `target` lies as Parquet while it is prepared: in plaintext, as the register is."""
    return target.with_name(f".{target.name}.raw")


@contextmanager
def in_parquet(
    raw: Raw,
    folder: Path,
    settings: duck.DuckSettings,
    *,
    runner: str = runners.EMBEDDED,
    progress: lake.Progress | None = None,
) -> Iterator[Source]:
    """The raw register as `Source` for the time of a build, by way of a lake step in `folder` for what needs it.

    The step stays where the build is interrupted, so that the next one goes on from there; it is deleted once the build
    is done, or has found the register at fault. Raises BadInput on a row that cannot be read.
    """
    with nothing_left(folder):
        yield _source(raw, folder, settings, runner, progress)
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def nothing_left(folder: Path) -> Iterator[None]:
    """Deletes the unfinished step in `folder` where its source turns out to be at fault: the next will be another."""
    try:
        yield
    except BadInput:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _source(
    raw: Raw, working: Path, settings: duck.DuckSettings, runner: str, progress: lake.Progress | None
) -> Source:
    tables = {t.name: t for t in (raw.persons, raw.addresses)}
    for table in tables.values():
        if table.direct:
            refuse_empty(table, settings)
    items = [File(t.name, n, p) for t in tables.values() if not t.direct for n, p in enumerate(t.paths)]
    if not items:
        return Source(columns.direct(raw.persons), columns.direct(raw.addresses))
    worker = Convert(tables, replace(settings, preserve_order=True))
    step = lake.run_step(working, raw.identity, items, worker, runner=runner, progress=progress)
    found = {name: columns.direct(t) if t.direct else duck.parquet(step.paths(name)) for name, t in tables.items()}
    return Source(found["persons"], found["addresses"])
