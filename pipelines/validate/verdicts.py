"""Step `validate.verdicts`: each matched row with its facts on file, the codes of the failed rules, and its outcome."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from expectations import address
from expectations.base.duck import DuckSettings, parquet
from expectations.contracts.lists import Outcome
from expectations.contracts.stages import VERDICT
from expectations.facts import corroboration, persons
from expectations.rules import disclosure
from expectations.rules.rule import failing_codes
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import quiet, table
from pipelines.validate.facts import ADDRESS_FIELDS

STEP = "validate.verdicts"


@dataclass(frozen=True)
class Verdicts:
    """Worker: (index, paths of parts of `matched`) → one part of `verdicts`."""

    matched: tuple[str, ...]
    on_file: tuple[str, ...]
    units: tuple[str, ...]
    tries: tuple[str, ...]  # `counted` of `validate.tries`
    constants: str  # `facts.sql.beside_verdict`
    persons: Path | None  # the holder's lists of persons
    counting: str  # which addresses on file corroborate (`corroboration.counts`)
    facilities: Path | None
    duck: DuckSettings

    def __call__(self, item: tuple[int, tuple[str, ...]], attempt: Attempt) -> Iterator[Part]:
        index, paths = item
        with quiet(STEP, self.duck) as connection:
            address.setup(connection, self.facilities)
            connection.execute(f"CREATE TEMP TABLE m AS SELECT * FROM {parquet(list(paths))}")
            connection.execute(f"CREATE TEMP TABLE facts AS {self._facts()}")
            verdicts = table(connection, self._verdicts(), VERDICT)
        held = verdicts.num_rows - verdicts.column("outcome").null_count
        yield attempt.write("verdicts", index, verdicts, held=held)

    def _facts(self) -> str:
        pack = ", ".join(f"{f} := {f}" for f in ADDRESS_FIELDS)
        # Newest first; equal dates by every field, because the list is evidence and must come out the same each time.
        # Sorting the finished lists takes a tenth of the time of list(… ORDER BY …).
        newest = f"list_reverse_sort(list(struct_pack(start := valid_from, held := struct_pack({pack}))))"
        return f"""
        WITH lists AS (
          SELECT record_id, list_transform({newest}, a -> a.held) AS addresses
          FROM {parquet(list(self.on_file))} SEMI JOIN m USING (record_id) GROUP BY record_id
        ), buildings AS (
          SELECT origin, a_zip, a_number, a_street, max(units) AS units
          FROM {parquet(list(self.units))} GROUP BY ALL
        )
        SELECT m.*, coalesce(addresses, []) AS addresses_on_file,
          coalesce(units, 0) AS units_on_file,  -- the register lists buildings of two units or more only
          coalesce(listed.lists, []) AS lists,
          -- a control row tries nothing
          coalesce(tried.earlier_tries, 0) AS earlier_tries, coalesce(tried.tried_beside, 0) AS tried_beside,
          {self.constants}
        FROM m LEFT JOIN lists USING (record_id)
          LEFT JOIN buildings USING (origin, a_zip, a_number, a_street)
          LEFT JOIN {parquet(list(self.tries))} tried USING (person_key, values_key)
          LEFT JOIN ({persons.lists_sql(self.persons)}) listed USING (record_id)"""

    def _verdicts(self) -> str:
        return f"""
        WITH judged AS (
          SELECT facts.*, corroboration, {failing_codes(disclosure.RULES.values())} AS codes
          FROM facts JOIN ({corroboration.sql("m", "facts", self.counting)}) USING (ordinal)
        )
        SELECT *, CASE WHEN len(codes) > 0 THEN '{Outcome.HELD}' END AS outcome FROM judged ORDER BY ordinal"""
