"""A second opinion on addresses: a sample of the eligible rows, judged by other code (`expectations.address.twin`)."""

from typing import Any

import duckdb

from expectations.address.twin import judge
from expectations.base.duck import DuckSettings, session
from expectations.codes import BLOCKING_ADDRESS_CODES

SAMPLE = 200
_FIELDS = ("address", "street", "unit", "city", "state", "zip")


def opinions(rows: str, verdicts: str, left_out: tuple[str, ...] = (), duck: DuckSettings | None = None) -> str:
    """A SELECT of (ordinal, blocking: number of blocking codes; NULL: the twin raised) for up to SAMPLE eligible rows
    of each origin.

    `left_out`: what the agreement lets be left out. Control rows take no place of a request's in the sample: each
    origin has its own. The sample is the same for the same rows. Values stay in this
    function; what it returns holds ordinals and counts.
    """
    query = f"""
        SELECT r.ordinal, {", ".join(f"r.{f}" for f in _FIELDS)}
        FROM {rows} r SEMI JOIN (SELECT ordinal FROM {verdicts} WHERE outcome IS NULL) v ON r.ordinal = v.ordinal
        QUALIFY {SAMPLE} >= row_number() OVER (
          PARTITION BY r.origin ORDER BY md5(CAST(r.ordinal AS VARCHAR)), r.ordinal)
        ORDER BY r.ordinal"""
    try:
        with session(duck) as connection:
            sample = connection.execute(query).fetchall()
    except duckdb.Error:
        sample = []  # an empty sample is an error of the check that looks at it
    found = [(row[0], _blocking(dict(zip(_FIELDS, row[1:], strict=True)), left_out)) for row in sample]
    ordinals = ", ".join("NULL" if n is None else str(int(n)) for n, _ in found)
    counts = ", ".join("NULL" if n is None else str(n) for _, n in found)
    return f"SELECT unnest([{ordinals}]::BIGINT[]) AS ordinal, unnest([{counts}]::INTEGER[]) AS blocking"


def _blocking(row: dict[str, Any], left_out: tuple[str, ...]) -> int | None:
    try:
        return len(set(judge(row, left_out)) & set(BLOCKING_ADDRESS_CODES))
    except Exception:  # whatever the twin stumbles over, it has not found the row good
        return None
