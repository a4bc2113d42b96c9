"""The holder's lists of persons: whose records may not be disclosed at all, and who an order still allows.

`persons.csv` in the home tree: record_id, list. Two lists are the holder's own: `informant` (disclosure would identify
a confidential informant or seriously impair a tax investigation: 26 USC 6103(i)(6)) and `protected`. Others are named
by court orders (`only.persons`, `barred`). A hit on the holder's own lists is kept in the sealed evidence only:
everywhere else the row reads like one for which no record was found.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import duckdb

from expectations.base import duck
from expectations.base.errors import BadInput
from expectations.contracts.lists import SECRET

NAME = "persons.csv"
KEPT = "persons.parquet"  # beside each batch, as it was when the submission was received
_FORM = "Write a CSV in UTF-8 with the columns record_id and list, one person and list a line."
_LIST = "[A-Za-z0-9][A-Za-z0-9._-]{1,63}"


def keep(source: Path, target: Path, settings: duck.DuckSettings) -> int:
    """Writes the lists in the CSV `source` as Parquet (record_id BIGINT, list VARCHAR; sorted); returns how many pairs.

    Raises BadInput, and writes nothing, if it cannot be read or a line is no person on a list: a list that is half read
    would protect half of those on it.
    """
    with duck.session(settings) as con:
        try:
            con.execute(f"""CREATE TEMP TABLE raw AS SELECT row_number() OVER () AS line, *
                FROM read_csv({duck.quote(str(source))}, all_varchar = true, header = true, delim = ',', quote = '"',
                  escape = '"', strict_mode = true, null_padding = false, parallel = false)""")
            columns = [row[0] for row in con.execute("DESCRIBE raw").fetchall()]
        except duckdb.Error:
            _refuse("the lists of persons cannot be read")
        if not {"record_id", "list"} <= set(columns):
            _refuse("the lists of persons have no columns record_id and list")
        good = f"coalesce(try_cast(trim(record_id) AS BIGINT) > 0 AND regexp_full_match(trim(list), '{_LIST}'), false)"
        bad = con.execute(f"SELECT min(line), count(*) FROM raw WHERE NOT {good}").fetchall()[0]
        if bad[1]:
            _refuse(f"entry {bad[0]} is no person on a list; there are {bad[1]} such entries")
        copied = f"""COPY (
            SELECT DISTINCT CAST(trim(record_id) AS BIGINT) AS record_id, trim(list) AS list FROM raw ORDER BY ALL
          ) TO {duck.quote(str(target))} (FORMAT parquet)"""
        return int(con.execute(copied).fetchall()[0][0])


def lists_sql(kept: Path | None) -> str:
    """A SELECT of record_id and lists (sorted): nobody, without a file."""
    return f"SELECT record_id, list_sort(list(list)) AS lists FROM ({_pairs(kept)}) GROUP BY record_id"


def _pairs(kept: Path | None) -> str:
    nobody = "SELECT 0::BIGINT AS record_id, ''::VARCHAR AS list WHERE false"
    return nobody if kept is None else f"SELECT record_id, list FROM {duck.parquet([kept])}"


def names(kept: Path | None, settings: duck.DuckSettings) -> tuple[str, ...]:
    """The lists in `kept` that somebody is on, sorted."""
    if kept is None:
        return ()
    with duck.session(settings) as con:
        found = con.execute(f"SELECT DISTINCT list FROM {duck.parquet([kept])} ORDER BY list").fetchall()
    return tuple(name for (name,) in found)


def held_back(kept: Path | None, required: Sequence[str], barred: Sequence[str], eligible: str) -> str:
    """A SELECT of (ordinal, secret) of the rows of `eligible` (ordinal, record_id) that may not be released by the
    lists in `kept`: `secret` if on one of the holder's own; or on one of `barred`, or not on every list of `required`
    (court orders).

    A barred list that nobody is on any more was lost: then everybody may be on it.
    """
    on, there = "coalesce(lists, [])", f"(SELECT coalesce(list(DISTINCT list), []) FROM ({_pairs(kept)}))"
    secret = f"list_has_any({on}, {list(SECRET)})"
    allowed = f"""NOT list_has_any({on}, {list(barred)}::VARCHAR[]) AND list_has_all({on}, {list(required)}::VARCHAR[])
      AND list_has_all({there}, {list(barred)}::VARCHAR[])"""
    listed = f"{eligible} LEFT JOIN ({lists_sql(kept)}) USING (record_id)"
    return f"SELECT ordinal, {secret} AS secret FROM {listed} WHERE {secret} OR NOT ({allowed})"


def _refuse(why: str) -> NoReturn:
    raise BadInput("PERSONS_UNREADABLE", why, where=NAME, remedy=_FORM) from None
