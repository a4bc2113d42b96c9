"""What the requests bring to the match: blocking keys, standardised fields, expected namesakes."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from expectations.base import duck
from expectations.contracts.lists import Origin
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match.blocking import request_keys_sql
from pipelines.match.steps import Step, execute
from pipelines.register import keys
from pipelines.register.prepare import PERSON

# Birth dates are spread over about this many days: the chance that two persons share one (matching.md).
BIRTH_DAYS = 25_000


class Requests(NamedTuple):
    """All canonical rows, and the names of the register of each origin: the one item of the step `match.blocking`."""

    rows: tuple[str, ...]
    names: Mapping[Origin, tuple[str, ...]]
    settings: duck.DuckSettings


def write(item: Requests, attempt: Attempt) -> Iterable[Part]:
    """Worker: datasets `blocking_keys` (key, ordinal) of the rows still open, and the registers' `names`."""
    with quiet("match.blocking", item.settings) as con:
        names = {origin: duck.parquet(list(paths)) for origin, paths in item.names.items()}
        execute(con, steps(duck.parquet(list(item.rows)), names))
        for dataset in ("blocking_keys", "names"):
            copy(con, f"FROM {dataset}", attempt.path(dataset, 0), compression="uncompressed")  # read at once, and once
            yield attempt.part(dataset, 0)


def steps(rows: str, names: Mapping[Origin, str]) -> list[Step]:
    """`rows`, and the names of each origin's register, can stand in FROM."""
    return [
        Step("names", "bearers of each name in the register of each origin", names_sql(names)),
        Step("blocking_keys", "every blocking key of every row still open", request_keys_sql(rows)),
    ]


def names_sql(names: Mapping[Origin, str]) -> str:
    """A SELECT of origin, kind, name and n, from the `names` of each origin's register."""
    each = (
        f"SELECT '{origin}' AS origin, kind, name, sum(n) AS n FROM {borne} GROUP BY kind, name"
        for origin, borne in names.items()
    )
    return "\n    " + "\n    UNION ALL ".join(each)


def requests_sql(rows: str, names: str, persons: Mapping[Origin, int]) -> str:
    """The requests with candidate pairs, with the namesakes to expect by name and birth date in the register of their
    origin, which holds so many `persons`, and the share of them who bear the middle initial too. `names`: see
    `names_sql`.

    λ = N · p(first) · p(last) / 25,000. A name that nobody bears counts as borne once: it is rare, not impossible."""
    count = "CASE r.origin {} END".format(" ".join(f"WHEN '{origin}' THEN {n}" for origin, n in persons.items()))
    joined = "\n    ".join(
        f"LEFT JOIN (SELECT origin, name, n FROM {names} WHERE kind = '{kind}') {alias}"
        f" ON {alias}.origin = r.origin AND {alias}.name = r.{column}"
        for kind, alias, column in (("first", "f", "s_first"), ("middle", "m", "s_middle"), ("last", "l", "s_last1"))
    )
    return f"""
    SELECT ordinal, r.origin, {PERSON}, {keys.TIN} AS k_tin,
      a_kind, a_number, a_street, a_unit, a_urb, a_zip,
      CAST(greatest(f.n, 1) AS DOUBLE) * greatest(l.n, 1) / {count} / {BIRTH_DAYS} AS namesakes,
      CAST(greatest(m.n, 1) AS DOUBLE) / {count} AS middle_share
    FROM {rows} r
    {joined}
    SEMI JOIN pair_counts USING (ordinal)"""
