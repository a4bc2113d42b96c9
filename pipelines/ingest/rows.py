"""Raw rows to canonical rows: standard fields, parsed address, every request-phase rule's codes, and where a row ends.

What needs the whole submission is found apart: duplicate ids before, while decoding, and crowded addresses once every
part has its codes. All else is decided row by row, so that the result does not depend on the size of parts.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from expectations import address
from expectations.base.duck import DuckSettings, parquet, session
from expectations.base.hash_key import HashKey
from expectations.contracts.lists import Origin, Outcome
from expectations.contracts.stages import CANONICAL
from expectations.facts import crowding
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import beside_request
from expectations.names import standard
from expectations.rules.book import request_rules
from expectations.rules.rule import failing_codes
from pipelines.context import BatchContext, sql_request_key
from pipelines.ingest.decode import RAW_GROUP
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import Connection, copy, quiet

_COLUMNS = ", ".join(f'"{name}"' for name in CANONICAL.names)


@dataclass(frozen=True)
class Judge:
    """Worker of the step `ingest.judged`: (index, paths of raw rows) → one part of `rows`."""

    query: str
    hash_key: HashKey
    facilities: Path | None
    duck: DuckSettings

    def __call__(self, item: tuple[int, tuple[str, ...]], attempt: Attempt) -> Iterator[Part]:
        index, paths = item
        rows = sum(pq.read_metadata(path).num_rows for path in paths)
        with session(self.duck.for_rows(rows)) as connection:
            self.hash_key.install(connection)
            standard.setup(connection)
            address.setup(connection, self.facilities)
            query = self.query.replace("{part}", parquet(list(paths)))
            yield write(connection, query, attempt, index)


def write(connection: Connection, query: str, attempt: Attempt, index: int) -> Part:
    """Writes what `query` gives as part `index` of `rows`; counts its requests by their end (open: they go on)."""
    counts: Counter[str] = Counter()
    reader = connection.execute(query).to_arrow_reader(RAW_GROUP)
    with pq.ParquetWriter(attempt.path("rows", index), CANONICAL, compression="zstd") as writer:
        for batch in reader:
            table = pa.Table.from_batches([batch]).cast(CANONICAL)
            writer.write_table(table, row_group_size=RAW_GROUP)
            requests = table.filter(pc.equal(table["origin"], Origin.REQUEST.value))
            for end in pc.value_counts(pc.fill_null(requests["outcome"], "open")).to_pylist():
                counts[end["values"]] += end["counts"]
    return attempt.part("rows", index, **counts)


def judging(context: BatchContext, letter: LetterFacts, duplicates: Sequence[str]) -> str:
    """The query that judges a part of raw rows, which stands in it as {part}."""
    key = sql_request_key(context.hash_key, context.agreement, "request_id")
    premises, left_out = context.agreement.requester.premises, context.agreement.may_be_left_out
    return f"""
    WITH raw AS (FROM {{part}}),
    named AS ({standard.derive("raw")}),
    parsed AS ({address.derive("named", one_line=True, premises=premises, left_out=left_out)}),
    informed AS (
      SELECT *, {key} AS request_key,
        origin = '{Origin.REQUEST}' AND request_id IN (SELECT request_id FROM {parquet(list(duplicates))})
          AS is_duplicate, {beside_request(letter)}
      FROM parsed
    ),
    judged AS (
      SELECT *, {failing_codes(request_rules())} AS failing,
        origin = '{Origin.REQUEST}' AND request_key IN (SELECT request_key FROM {parquet([context.disclosed])})
          AS is_disclosed
      FROM informed
    ),
    ended AS (
      SELECT * EXCLUDE (failing),
        list_sort(failing || CASE WHEN is_duplicate THEN ['DUPLICATE_REQUEST_ID'] ELSE [] END
          || CASE WHEN is_disclosed THEN ['ALREADY_DISCLOSED'] ELSE [] END) AS codes,
        CASE WHEN is_duplicate THEN '{Outcome.DUPLICATE}' WHEN is_disclosed THEN '{Outcome.ALREADY_DISCLOSED}'
          WHEN len(failing) = 0 THEN NULL ELSE '{Outcome.HELD}' END AS outcome
      FROM judged
    )
    SELECT {_COLUMNS} FROM ended ORDER BY ordinal"""


@dataclass(frozen=True)
class FindCrowded:
    """Worker over all parts of `ingest.judged`: the dataset `crowded` (ordinal), empty in most batches."""

    limit: int
    duck: DuckSettings

    def __call__(self, parts: list[Part], attempt: Attempt) -> Iterator[Part]:
        rows = parquet([p.path for p in parts if p.dataset == "rows"])
        with quiet("ingest.judged", self.duck) as connection:
            copy(connection, crowding.sql(rows, self.limit), attempt.path("crowded", 0))
        yield attempt.part("crowded", 0)


@dataclass(frozen=True)
class Settle:
    """Worker of the step `ingest.rows`: a judged part → the same part, its crowded rows held."""

    crowded: str
    duck: DuckSettings

    def __call__(self, judged: Part, attempt: Attempt) -> Iterator[Part]:
        rows, crowded = parquet([judged.path]), parquet([self.crowded])
        touching = f"SELECT 1 FROM {rows} SEMI JOIN {crowded} USING (ordinal) LIMIT 1"
        if pq.read_metadata(self.crowded).num_rows:
            with quiet("ingest.rows", self.duck) as connection:
                if connection.execute(touching).fetchall():
                    yield write(connection, _settled(rows, crowded), attempt, judged.index)
                    return
        yield attempt.shared(judged)


def _settled(rows: str, crowded: str) -> str:
    return f"""
    SELECT {_COLUMNS} FROM (
      SELECT * REPLACE (
        CASE WHEN outcome IS NULL AND len(codes) > 0 THEN '{Outcome.HELD}' ELSE outcome END AS outcome)
      FROM ({crowding.marked(rows, crowded, "a_codes", "codes")}))
    ORDER BY ordinal"""
