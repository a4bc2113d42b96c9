"""How many of each group of people are found: a wrongly withheld match is an error too, and it does not fall evenly.

A group is told from the raw request and the raw record of its person, so it can be told in any set with a truth.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from expectations import duck
from pipelines.match.compare import NICKNAMES

_PLAIN = "regexp_replace(upper(strip_accents(concat_ws(' ', {side}.street, {side}.unit))), '[^A-Z0-9]+', ' ', 'g')"
_NAMES = "concat(q.first_name, q.last_name, p.first_name, p.last_name)"
# name → SQL over the request q, its person p on file and their last known address a
GROUPS = {
    "two surnames": "regexp_matches(concat_ws('|', trim(q.last_name), trim(p.last_name)), '[^| ][ -][^| ]')",
    "accent, hyphen or apostrophe": f"regexp_matches({_NAMES}, '[^A-Za-z .]')",
    "suffix": "q.suffix IS NOT NULL OR p.suffix IS NOT NULL",
    "another address": f"q.street IS NOT NULL AND a.street IS NOT NULL AND {_PLAIN.format(side='q')} <> {_PLAIN.format(side='a')}",
    "names transposed": "upper(q.first_name) = upper(p.last_name) AND upper(q.last_name) = upper(p.first_name)",
    "nickname": "(upper(q.first_name), upper(p.first_name)) IN (SELECT (name, nickname) FROM nicknames)",
    "another surname": "jaro_winkler_similarity(upper(q.last_name), upper(p.last_name)) < 0.7",
    "a name left out": "q.first_name IS NULL OR q.last_name IS NULL OR p.first_name IS NULL OR p.last_name IS NULL",
}


class Group(NamedTuple):
    """`people` on file of this group who were asked for, how many of them were matched, and to someone else."""

    name: str
    people: int
    matched: int
    false: int

    def __str__(self) -> str:
        return f"{self.name:29} {self.people:>7,}, recall {self.matched / self.people:.3f}, false {self.false:,}"


def found(requests: Path, raw: Path, truth: Path, out: Path) -> list[Group]:
    """The groups that occur. `requests`, `truth` and `out` (Parquet) have one order; `raw` is a raw register."""
    with duck.session() as con:
        con.execute(f"""
            CREATE TEMP TABLE nicknames AS WITH listed AS (
              FROM read_csv({duck.quote(str(NICKNAMES))}, skip = 2, header = true, all_varchar = true)
            ) SELECT name, nickname FROM listed UNION SELECT nickname, name FROM listed""")
        flags = ", ".join(f"coalesce({sql}, false) AS g{n}" for n, sql in enumerate(GROUPS.values()))
        con.execute(f"""
            CREATE TEMP TABLE flagged AS
            SELECT {flags}, coalesce(o.record_id = t.record_id, false) AS hit, o.record_id <> t.record_id AS wrong
            FROM {_rows(truth)} t JOIN {_rows(out)} o USING (file_row_number)
              JOIN (FROM {_rows(requests)} UNION ALL BY NAME SELECT NULL::VARCHAR AS suffix WHERE false) q USING (file_row_number)
              JOIN '{raw}/persons/*.parquet' p ON p.record_id = t.record_id
              LEFT JOIN (FROM '{raw}/addresses/*.parquet' WHERE valid_to IS NULL) a ON a.record_id = t.record_id""")
        rows = [
            Group(name, *con.execute(f"SELECT count(*), sum(hit::INT), count(*) FILTER (wrong) FROM flagged WHERE g{n}").fetchall()[0])
            for n, name in enumerate(GROUPS)
        ]  # fmt: skip
    return [row for row in rows if row.people]


def _rows(path: Path) -> str:
    return f"read_parquet({duck.quote(str(path))}, file_row_number = true)"
