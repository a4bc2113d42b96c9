"""Rows at crowded addresses: found once every part has its codes, since only the whole batch shows them, and held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq

from expectations.base.duck import DuckSettings, parquet
from expectations.contracts.lists import Outcome
from expectations.contracts.stages import CANONICAL
from expectations.facts import crowding
from pipelines.ingest.rows import write
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet


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
        if self._touches(judged):
            with quiet("ingest.rows", self.duck) as connection:
                yield write(connection, self._query(judged), attempt, judged.index)
        else:
            yield attempt.shared(judged)

    def _touches(self, judged: Part) -> bool:
        if pq.read_metadata(self.crowded).num_rows == 0:
            return False
        with quiet("ingest.rows", self.duck) as connection:
            rows, crowded = parquet([judged.path]), parquet([self.crowded])
            return bool(
                connection.execute(f"SELECT 1 FROM {rows} SEMI JOIN {crowded} USING (ordinal) LIMIT 1").fetchall()
            )

    def _query(self, judged: Part) -> str:
        marked = crowding.marked(parquet([judged.path]), parquet([self.crowded]), "a_codes", "codes")
        columns = ", ".join(f'"{name}"' for name in CANONICAL.names)
        return f"""
        SELECT {columns} FROM (
          SELECT * REPLACE (
            CASE WHEN outcome IS NULL AND len(codes) > 0 THEN '{Outcome.HELD}' ELSE outcome END AS outcome)
          FROM ({marked}))
        ORDER BY ordinal"""
