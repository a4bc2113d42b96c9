"""What the requests bring to the match: blocking keys, standardised fields, expected namesakes."""

from collections.abc import Iterable
from typing import NamedTuple

from expectations.base import duck
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match.blocking import request_keys_sql
from pipelines.match.steps import Step, execute
from pipelines.register import keys
from pipelines.register.prepare import PERSON

# Birth dates are spread over about this many days: the chance that two persons share one (matching.md).
BIRTH_DAYS = 25_000


class Requests(NamedTuple):
    """All canonical rows, and the names of a register: the one item of the step `match.blocking`."""

    rows: tuple[str, ...]
    names: tuple[str, ...]
    settings: duck.DuckSettings


def write(item: Requests, attempt: Attempt) -> Iterable[Part]:
    """Worker: datasets `blocking_keys` (key, ordinal) of the rows still open, and the register's `names`."""
    with quiet("match.blocking", item.settings) as con:
        execute(con, steps(duck.parquet(list(item.rows)), duck.parquet(list(item.names))))
        for dataset in ("blocking_keys", "names"):
            copy(con, f"FROM {dataset}", attempt.path(dataset, 0), compression="uncompressed")  # read at once, and once
            yield attempt.part(dataset, 0)


def steps(rows: str, names: str) -> list[Step]:
    """Both can stand in FROM."""
    borne = f"\n    SELECT kind, name, sum(n) AS n FROM {names} GROUP BY kind, name"
    return [
        Step("names", "bearers of each name in the register", borne),
        Step("blocking_keys", "every blocking key of every row still open", request_keys_sql(rows)),
    ]


def requests_sql(rows: str, names: str, persons: int) -> str:
    """The requests with candidate pairs, with the namesakes to expect by name and birth date in a register of so many
    persons, and the share of them who bear the middle initial too.

    λ = N · p(first) · p(last) / 25,000. A name that nobody bears counts as borne once: it is rare, not impossible."""
    return f"""
    SELECT ordinal, origin, {PERSON}, {keys.TIN} AS k_tin,
      a_kind, a_number, a_street, a_unit, a_urb, a_zip,
      CAST(greatest(f.n, 1) AS DOUBLE) * greatest(l.n, 1) / {persons} / {BIRTH_DAYS} AS namesakes,
      CAST(greatest(m.n, 1) AS DOUBLE) / {persons} AS middle_share
    FROM {rows} r
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'first') f ON f.name = r.s_first
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'middle') m ON m.name = r.s_middle
    LEFT JOIN (SELECT name, n FROM {names} WHERE kind = 'last') l ON l.name = r.s_last1
    SEMI JOIN pair_counts USING (ordinal)"""
