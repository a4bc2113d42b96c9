"""The forms in which rows leave: Parquet, and CSV that a spreadsheet cannot run as a formula.

A value that starts with = + - @ tab, CR or LF gets a leading apostrophe. One that starts with apostrophes before such a
character gets one more, so that `raw` undoes exactly what `safe` did, and the CSV can be proven equal to what was
checked.
"""

from collections.abc import Iterable
from pathlib import Path

import duckdb

from expectations import codes
from expectations.base.duck import quote
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE

ORDER = ", ".join(f"{name} NULLS FIRST" for name in RELEASE.names)  # total: equal rows are equal
RETURN_COLUMNS = ("file", "row", "request_id", "code", "message", "fix")
_STARTS = r"[=+\-@\t\r\n]"


def safe(column: str) -> str:
    """SQL for `column` as a spreadsheet may read it."""
    return f"CASE WHEN regexp_matches({column}, '^''*{_STARTS}') THEN '''' || {column} ELSE {column} END"


def raw(column: str) -> str:
    """SQL for the value that `safe` was made from."""
    return f"CASE WHEN regexp_matches({column}, '^''+{_STARTS}') THEN {column}[2:] ELSE {column} END"


def write_csv(connection: duckdb.DuckDBPyConnection, query: str, columns: Iterable[str], target: Path) -> None:
    """`query` as CSV (RFC 4180, UTF-8, header; text quoted and formula-safe, numbers as they are), in its order."""
    shown = ", ".join(f"{safe(c)} AS {c}" for c in columns)
    form = f"FORMAT csv, HEADER, FORCE_QUOTE ({', '.join(columns)})"
    connection.execute(f"COPY (SELECT * REPLACE ({shown}) FROM ({query})) TO {quote(str(target))} ({form})")


def read_csv(path: Path, columns: Iterable[str]) -> str:
    """A SELECT of the rows of a CSV that `write_csv` made, all text, the apostrophes taken off again."""
    names = list(columns)
    kinds = ", ".join(f"{quote(c)}: 'VARCHAR'" for c in names)
    return (
        f"SELECT {', '.join(f'{raw(c)} AS {c}' for c in names)} FROM read_csv({quote(str(path))}, header = true,"
        f" columns = {{{kinds}}}, auto_detect = false, delim = ',', quote = '\"', escape = '\"', parallel = false)"
    )


def returns(outcomes: str) -> str:
    """The return file: one line for each code that the requester sees, of all rows not released, in their order. It
    says where the row stands in the requester's own files, since a rejected row may have no readable id."""
    return f"""
    SELECT o.file, o.row, o.request_id, t.code, t.message, t.fix
    FROM (SELECT file, row, request_id, unnest(told) AS code FROM {outcomes} WHERE outcome <> '{Outcome.RELEASED}') o
      LEFT JOIN ({codes.sql_words()}) t USING (code)
    ORDER BY o.file, o.row, t.code"""
