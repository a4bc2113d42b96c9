"""One table of a raw register: its files, and the contract's columns that were found in them."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.errors import BadInput
from expectations.base.total import total
from pipelines.read.blocks import MAX_LINE
from pipelines.read.csv import header
from pipelines.register.mapping import NAME, Layout, RegisterFormat


@dataclass(frozen=True)
class Table:
    """`columns`: contract column → its name in the files; `typed`: those that are in the contract's type already."""

    folder: str
    name: str
    schema: pa.Schema
    layout: Layout
    format: RegisterFormat
    paths: tuple[str, ...]
    columns: dict[str, str]
    typed: frozenset[str]
    plain: bool  # as the contract has it: Parquet, nothing mapped

    @property
    def direct(self) -> bool:
        """Whether Parquet can be read as it lies; else text must be read into types first."""
        return self.format is RegisterFormat.PARQUET and self.typed == set(self.columns) and not self.layout.nulls

    def where(self, path: str) -> str:
        """A file as people know it."""
        return Path(path).relative_to(self.folder).as_posix()


def open_table(
    folder: Path, name: str, schema: pa.Schema, layout: Layout, form: RegisterFormat, paths: list[Path], lenient: bool
) -> Table:
    """The table in `paths`; raises BadInput if a file cannot be read or lacks a column.

    lenient   a column that may be null may be missing, unless the layout gives its name
    """
    found = {}
    for path in paths:
        where = path.relative_to(folder).as_posix()
        found[where] = _columns(_TYPES[form](path, where, layout), where, schema, layout, lenient)
    first, *others = found.items()
    for where, other in others:
        if other != first[1]:
            raise _columns_error("the columns or their types are not those of the first file", where)
    columns = {field: source for field, source, _ in first[1]}
    typed = frozenset(field for field, _, as_wanted in first[1] if as_wanted)
    plain = form is RegisterFormat.PARQUET and not lenient
    names = tuple(str(p) for p in paths)
    return Table(str(folder), name, schema, layout, form, names, columns, typed, plain)


_Type: TypeAlias = "pa.DataType | None"  # None: text of a CSV, whatever it says
_Column = tuple[str, str, bool]  # contract column, its name in the file, whether it has the contract's type


def _columns(
    types: list[tuple[str, _Type]], where: str, schema: pa.Schema, layout: Layout, lenient: bool
) -> list[_Column]:
    # DuckDB takes names that differ in case only for the same
    twice = Counter(name.lower() for name, _ in types)
    kinds = dict(types)
    found: list[_Column] = []
    for field in schema:
        source = layout.columns.get(field.name, field.name)
        named = source if source == field.name else f"{source} ({field.name})"
        if source not in kinds:
            default = getattr(getattr(layout, "defaults", None), field.name, None)
            if lenient and field.name not in layout.columns and (field.nullable or default is not None):
                continue
            raise _columns_error(f"column {named} is missing or not {field.type}", where)
        if twice[source.lower()] > 1:
            raise _columns_error(f"column {named} is a duplicate", where)
        kind = kinds[source]
        text = kind is None or (lenient and kind == pa.string())
        if kind != field.type and not text:
            raise _columns_error(f"column {named} is missing or not {field.type}", where)
        found.append((field.name, source, kind == field.type))
    return found


def _columns_error(message: str, where: str) -> BadInput:
    ways = "Write the columns that sluicegate schema prints, or give their names (and the delimiter of a CSV)"
    return BadInput("REGISTER_COLUMNS", message, where=where, remedy=f"{ways} in {NAME}.")


def _of_parquet(path: Path, where: str, _layout: Layout) -> list[tuple[str, _Type]]:
    try:
        return [(f.name, f.type) for f in pq.read_schema(path)]
    except (pa.ArrowException, OSError):
        raise _unreadable("a part is not a whole Parquet file", where) from None


def _of_csv(path: Path, where: str, layout: Layout) -> list[tuple[str, _Type]]:
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_LINE)
    except OSError:
        raise _unreadable("a file cannot be opened", where) from None
    if not line.strip():
        raise BadInput("FILE_EMPTY", "the file has no header", where=where, remedy="Give a header and rows.")
    return [(name, None) for name in header(line.removesuffix(b"\n"), where, layout.delimiter)]


# How the columns of each format are found.
_TYPES = total(RegisterFormat, {RegisterFormat.PARQUET: _of_parquet, RegisterFormat.CSV: _of_csv})


def _unreadable(message: str, where: str) -> BadInput:
    return BadInput("REGISTER_UNREADABLE", message, where=where, remedy="Copy it again from its source.")
