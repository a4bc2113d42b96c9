"""The forms in which rows leave: Parquet, and CSV that a spreadsheet cannot run as a formula.

A value that starts with = + - @ tab, CR or LF gets a leading apostrophe. One that starts with apostrophes before such a
character gets one more, so that `raw` undoes exactly what `safe` did, and the CSV can be proven equal to what was
checked.
"""

import gzip
import shutil
from collections.abc import Iterable
from pathlib import Path

import duckdb

from expectations import codes
from expectations.base.duck import quote
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE

ORDER = ", ".join(f"{name} NULLS FIRST" for name in RELEASE.names)  # total: equal rows are equal
RETURN_COLUMNS = ("file", "row", "request_id", "code")
CODE_COLUMNS = ("code", "message", "fix")
# of packages of format 1: the words stood in every line
OLD_RETURN_COLUMNS = (*RETURN_COLUMNS, "message", "fix")
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


def compress(plain: Path, target: Path) -> None:
    """`plain` as gzip in `target`, the same bytes for the same content: a size must not tell how threads were timed."""
    with (
        plain.open("rb") as source,
        target.open("wb") as sink,
        gzip.GzipFile(filename="", mode="wb", fileobj=sink, compresslevel=6, mtime=0) as packed,
    ):
        shutil.copyfileobj(source, packed, 1 << 20)
    plain.unlink()


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
    SELECT file, row, request_id, code
    FROM (SELECT file, row, request_id, unnest(told) AS code FROM {outcomes} WHERE outcome <> '{Outcome.RELEASED}')
    ORDER BY file, row, code"""


def meanings() -> str:
    """The table of codes: every code that a requester may see, whatever this package returns."""
    return f"{codes.sql_words()} ORDER BY code"
