"""Steps `validate.tried` and `validate.tries`: what each row would confirm of whom, and how many such tries there are.

A try is a set of values (address, birth date, TIN, each given or not) tried on a person, whatever became of the row
(`pipelines.match.tried`). Each set counts once in the agreement's period. Two effects of rows on each other are kept in
bounds as well (infra/docs/tries.md): rows of one batch that try different sets on one person are held together, and
that counts as one more try; and a set that was released before stays free, so that its answer shows nothing of other
rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from expectations.base.duck import DuckSettings, parquet
from expectations.base.hash_key import HashKey
from expectations.contracts.lists import Origin
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet

TRIED, STEP = "validate.tried", "validate.tries"


@dataclass(frozen=True)
class Tried:
    """Worker: (index, path of a part of `ingest.rows`) → one part of `tried` (ordinal, record_id, person_key,
    values_key): a line for each request and each record on which it is a try."""

    tries: tuple[str, ...]  # of `match.candidates`
    person_key: str  # SQL, as is the next
    values_key: str
    hash_key: HashKey
    duck: DuckSettings

    def __call__(self, item: tuple[int, str], attempt: Attempt) -> Iterator[Part]:
        index, path = item
        query = f"""
        SELECT r.ordinal, t.record_id, {self.person_key} AS person_key, {self.values_key} AS values_key
        FROM {parquet([path])} r JOIN {parquet(list(self.tries))} t USING (ordinal)
        WHERE r.outcome IS NULL AND r.origin = '{Origin.REQUEST}' ORDER BY r.ordinal, t.record_id"""
        with quiet(TRIED, self.duck) as connection:
            self.hash_key.install(connection)
            copy(connection, query, attempt.path("tried", index))
        yield attempt.part("tried", index)


@dataclass(frozen=True)
class Tries:
    """Worker, once for a batch: parts `counted` (see `counted`; only what is not 0) and `tries` (person_key,
    values_key): what the ledger keeps, a try `together` for each person whose rows are held together included."""

    tried: tuple[str, ...]
    before: str  # Parquet of `BatchContext.tries`
    together: str  # SQL of the key of that try
    hash_key: HashKey
    duck: DuckSettings

    def __call__(self, _item: object, attempt: Attempt) -> Iterator[Part]:
        with quiet(STEP, self.duck) as connection:
            self.hash_key.install(connection)
            found = counted(parquet(list(self.tried)), parquet([self.before]))
            connection.execute(f"CREATE TEMP TABLE counted AS {found}")
            some = "SELECT * FROM counted WHERE earlier_tries > 0 OR tried_beside > 0 ORDER BY ALL"
            copy(connection, some, attempt.path("counted", 0))
            query = f"""
            SELECT person_key, values_key FROM counted
            UNION SELECT person_key, {self.together} FROM counted WHERE tried_beside > 0 ORDER BY ALL"""
            copy(connection, query, attempt.path("tries", 0))
        yield attempt.part("counted", 0)
        yield attempt.part("tries", 0)


def counted(own: str, before: str) -> str:
    """A SELECT of person_key, values_key, earlier_tries, tried_beside: of each set that a batch tries on a person, how
    many other sets count, of whatever batch, and how many of them rows of the same batch try; 0 of a released one.

    own      relation with person_key and values_key: what the batch tries
    before   relation with batch, person_key and values_key: what batches that were answered had tried in the period;
             values_key is null where the batch disclosed the person's record
    """
    return f"""
    WITH own AS MATERIALIZED (SELECT DISTINCT person_key, values_key FROM {own}),
    earlier AS MATERIALIZED (SELECT batch, person_key, values_key FROM {before} SEMI JOIN own USING (person_key)),
    -- what a batch disclosed, and tried nothing else on that person, was right
    released AS (
      SELECT DISTINCT person_key, any_value(values_key) AS values_key FROM earlier GROUP BY batch, person_key
      HAVING count(values_key) = 1 AND count(*) > count(values_key)),
    totals AS (
      SELECT person_key, CAST(count(*) AS INTEGER) AS n FROM (
        SELECT person_key, values_key FROM own
        UNION SELECT person_key, values_key FROM earlier WHERE values_key IS NOT NULL)
      GROUP BY person_key),
    fresh AS (
      SELECT person_key, CAST(count(*) AS INTEGER) AS n
      FROM own ANTI JOIN released USING (person_key, values_key) GROUP BY person_key)
    SELECT person_key, values_key,
      CASE WHEN r.values_key IS NULL THEN totals.n - 1 ELSE 0 END AS earlier_tries,
      CASE WHEN r.values_key IS NULL THEN fresh.n - 1 ELSE 0 END AS tried_beside
    FROM own JOIN totals USING (person_key) LEFT JOIN fresh USING (person_key)
      LEFT JOIN released r USING (person_key, values_key)"""
