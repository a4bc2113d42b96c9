"""SQL that brings the columns of a raw table into the contract's names and types."""

import re
from typing import Any

import pyarrow as pa

from expectations.base import digests, duck
from expectations.base.errors import BadInput
from pipelines.register.table import Table

ROW = "_row"  # of its file, counted from 1, header not counted
_ID, _DATE = pa.int64(), pa.date32()
_SQL = {_ID: "BIGINT", _DATE: "DATE", pa.string(): "VARCHAR"}
_ANY_ADDRESS = ("street", "unit", "urbanization", "city", "state", "zip")
_FAULT = "register fault"
_FAULTS = {
    "id": ("REGISTER_ID", "{} is not a whole number", "Give each record a whole number above zero as its id."),
    "negative": ("REGISTER_IDS", "{} is not above zero (below zero are control records)", "Renumber the records."),
    "date": ("REGISTER_DATE", "{} cannot be read as a date", "Correct it, or date_format or nulls in mapping.toml."),
    "empty": ("REGISTER_EMPTY_FIELD", "{} is empty", "Fill it in, or write a default in mapping.toml."),
}


def direct(table: Table) -> str:
    """A FROM clause over Parquet that needs no reading of text; filters reach the files."""
    files = duck.parquet(list(table.paths))
    if table.plain:
        return files
    renamed = f"(SELECT {_renamed(table)} FROM {files})"
    values = ", ".join(f"{_with_default(table, f.name, f.name)} AS {f.name}" for f in table.schema)
    return f"(SELECT {values} FROM {renamed} {_some_address(table)})"


def of_parquet(table: Table, path: str) -> str:
    """A FROM clause with the row's number and its columns under the contract's names, as they lie in one file."""
    files = f"read_parquet({duck.quote(path)}, file_row_number = true)"
    return f"(SELECT file_row_number + 1 AS {ROW}, {_renamed(table)} FROM {files})"


def read(table: Table, relation: str) -> str:
    """A SELECT of the contract's columns from a relation that has them as text, and the row's number.

    A row that cannot be read ends the query with an error for `bad_row`.
    """
    texts = ", ".join(f"{_text(table, f)} AS {f.name}" for f in table.schema)
    values = ", ".join(f"{_with_default(table, f.name, _typed(table, f))} AS v_{f.name}" for f in table.schema)
    faults = " ".join(f"WHEN {test} THEN '{name} {kind}'" for test, name, kind in _tests(table))
    message = f"error('{_FAULT} ' || {ROW} || ' ' || _fault)"
    return f"""
    SELECT {", ".join(f"v_{n} AS {n}" for n in table.schema.names)} FROM (
      SELECT *, CASE {faults} END AS _fault FROM (
        SELECT *, {values} FROM (
          SELECT {ROW}, {texts} FROM {relation}
        ) {_some_address(table)}
      )
    ) WHERE CASE WHEN _fault IS NULL THEN true ELSE {message} END"""


def bad_row(table: Table, path: str, error: Exception) -> BadInput | None:
    """What DuckDB's error says of a row that `read` refused, without a value; None if it is another error."""
    said = re.search(rf"{_FAULT} ([0-9]+) ([a-z_]+) ([a-z]+)\Z", str(error))
    if said is None or said[2] not in table.schema.names or said[3] not in _FAULTS:
        return None
    return fault(said[3], table, path, said[2], int(said[1]))


def fault(kind: str, table: Table, path: str, field: str, row: int) -> BadInput:
    """The error on a field of a row (counted from 1); `kind`: see `_FAULTS`."""
    code, message, remedy = _FAULTS[kind]
    return BadInput(code, message.format(field), where=f"{table.where(path)}, row {row}", remedy=remedy)


def required(table: Table) -> list[str]:
    """The fields of the files that must not be empty, and for which there is no default."""
    needed = (f.name for f in table.schema if f.name in table.columns and not f.nullable)
    return [name for name in needed if _default(table, name) is None]


def first_empty(table: Table, path: str, field: str) -> str:
    """A SELECT of the first row of a Parquet file, counted from 1, whose `field` is null; null if there is none."""
    rows = f"(FROM {of_parquet(table, path)}{'' if table.plain else f' {_some_address(table)}'})"
    return f"SELECT min({ROW}) FROM {rows} WHERE {field} IS NULL"


def reading(table: Table) -> Any:
    """What `read` and `direct` do with a table, for the inputs of a step."""
    return [table.format, table.layout.delimiter, _renamed(table), digests.name_of_json(read(table, "RAW"))]


def _renamed(table: Table) -> str:
    """Columns under the contract's names; those that are not there are null."""
    there = {field: '"' + name.replace('"', '""') + '"' for field, name in table.columns.items()}
    return ", ".join(f"{there.get(f.name, f'CAST(NULL AS {_SQL[f.type]})')} AS {f.name}" for f in table.schema)


def _passes(table: Table, field: pa.Field) -> bool:
    """Whether a column is no text, or not there."""
    return field.name not in table.columns or (field.name in table.typed and field.type != pa.string())


def _text(table: Table, field: pa.Field) -> str:
    """Text without blanks around it; nothing, or what stands for nothing, is null."""
    if _passes(table, field):
        return field.name
    trimmed = f"nullif(trim({field.name}), '')"
    nulls = ", ".join(duck.quote(n.strip()) for n in table.layout.nulls)
    return f"CASE WHEN {trimmed} NOT IN ({nulls}) THEN {trimmed} END" if nulls else trimmed


def _typed(table: Table, field: pa.Field) -> str:
    name = field.name
    if _passes(table, field) or field.type == pa.string():
        return name
    if field.type == _DATE:
        form, pattern = duck.quote(table.layout.date_format), duck.quote(table.layout.date_pattern)
        return f"CASE WHEN regexp_full_match({name}, {pattern}) THEN CAST(try_strptime({name}, {form}) AS DATE) END"
    # a cast alone takes 1.5 and 1e3 for whole numbers
    return f"CASE WHEN regexp_full_match({name}, '-?[0-9]{{1,19}}') THEN TRY_CAST({name} AS BIGINT) END"


def _with_default(table: Table, name: str, value: str) -> str:
    default = _default(table, name)
    if default is None:
        return value
    return f"coalesce({value}, CAST({duck.quote(str(default))} AS {_SQL[table.schema.field(name).type]}))"


def _default(table: Table, name: str) -> Any:
    return getattr(getattr(table.layout, "defaults", None), name, None)


def _some_address(table: Table) -> str:
    """Leaves out the rows of a wide extract that have no address."""
    parts = [c for c in _ANY_ADDRESS if c in table.schema.names]
    return f"WHERE coalesce({', '.join(parts)}) IS NOT NULL" if parts else ""


def _tests(table: Table) -> list[tuple[str, str, str]]:
    """(what is wrong, column, kind of fault), in the order in which they are reported."""
    tests = [("v_record_id < 1", "record_id", "negative")]
    for field in table.schema:
        name = field.name
        if not _passes(table, field) and field.type != pa.string():
            unread = _typed(table, field)
            tests.append((f"{name} IS NOT NULL AND {unread} IS NULL", name, "id" if field.type == _ID else "date"))
        if not field.nullable:
            tests.append((f"v_{name} IS NULL", name, "empty"))
    return tests
