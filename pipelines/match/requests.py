"""What the requests bring to the match: keys, standardised fields, expected namesakes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from expectations import duck
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match.steps import Step, execute
from pipelines.register import keys
from pipelines.register.prepare import PERSON

# Birth dates are spread over about this many days: the chance that two persons share one (matching.md).
BIRTH_DAYS = 25_000


class Requests(NamedTuple):
    """A piece of work: all canonical rows, and the names of a register."""

    rows: tuple[str, ...]
    names: tuple[str, ...]
    settings: duck.DuckSettings


def write(item: Requests, attempt: Attempt) -> Iterable[Part]:
    """Worker: datasets `keys` (key with its kind, ordinal) of the rows still open, and `names` (kind, name, n) of the register."""
    with quiet("match.keys", item.settings) as con:
        execute(con, steps(duck.parquet(list(item.rows)), duck.parquet(list(item.names))))
        for dataset in ("keys", "names"):
            copy(con, f"FROM {dataset}", attempt.path(dataset, 0), compression="uncompressed")  # read at once, and once
            yield attempt.part(dataset, 0)


def steps(rows: str, names: str) -> list[Step]:
    return [
        Step("names", "bearers of each name in the register", f"\n    SELECT kind, name, sum(n) AS n FROM {names} GROUP BY kind, name"),
        Step("keys", "every key of every row still open", keys_sql(rows)),
    ]  # fmt: skip


def requests_sql(rows: str, names: str, persons: int) -> str:
    """The rows of table `met`, with the namesakes to expect by name and birth date in a register of so many persons, and
    the share of them who bear the middle initial too.

    λ = N · p(first) · p(last) / 25,000. A name that nobody bears counts as borne once: it is rare, not impossible."""
    return f"""
    SELECT ordinal, origin, {PERSON}, {keys.TIN} AS k_tin, a_kind, a_number, a_street, a_unit, a_urb, a_zip,
      CAST(greatest(f.n, 1) AS DOUBLE) * greatest(l.n, 1) / {persons} / {BIRTH_DAYS} AS namesakes,
      CAST(greatest(m.n, 1) AS DOUBLE) / {persons} AS middle_share
    FROM {rows} r
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'first') f ON f.name = r.s_first
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'middle') m ON m.name = r.s_middle
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'last') l ON l.name = r.s_last1
    SEMI JOIN met USING (ordinal)"""


def keys_sql(rows: str) -> str:
    made = [
        ("tin", keys.TIN),
        ("birth", keys.birth("t_last1")),
        ("birth", keys.birth("t_last2")),
        ("birth", keys.birth("t_first", given="s_last")),  # the two names in each other's field
        ("home_last", keys.home_last("t_last1")),
        ("home_last", keys.home_last("t_last2")),
        ("home_first", keys.home_first()),
        ("area_birth", keys.area_birth()),
    ]
    each = ", ".join(keys.of_kind(kind, key) for kind, key in made)
    return f"""
    SELECT key, ordinal FROM (
      SELECT ordinal, unnest([{each}]) AS key
      FROM (SELECT *, {keys.TEXTS}, {keys.PLACE_TEXTS} FROM {rows} WHERE outcome IS NULL)
    ) WHERE key IS NOT NULL"""
