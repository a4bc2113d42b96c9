"""Step `validate.matched`: the rows that have one candidate, with the keys under which tries are counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from expectations.base.duck import DuckSettings, parquet
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet

STEP = "validate.matched"
PARSED = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_city", "a_state", "a_zip")


@dataclass(frozen=True)
class Matched:
    """Worker: (index, path of a part of `ingest.rows`) → one part of `matched`."""

    candidates: tuple[str, ...]
    person_key: str = field(repr=False)  # SQL that holds the hash key: never logged
    address_key: str = field(repr=False)
    duck: DuckSettings

    def __call__(self, item: tuple[int, str], attempt: Attempt) -> Iterator[Part]:
        index, path = item
        with quiet(STEP, self.duck) as connection:
            copy(connection, self._query(path), attempt.path("matched", index))
        yield attempt.part("matched", index)

    def _query(self, path: str) -> str:
        # a row that ended in ingest is never looked at again, whatever the candidates say
        return f"""
        SELECT r.ordinal, r.origin, c.record_id, {self.person_key} AS person_key, {self.address_key} AS address_key,
          {", ".join(f"r.{c}" for c in PARSED)}
        FROM {parquet([path])} r
          JOIN {parquet(list(self.candidates))} c ON r.ordinal = c.ordinal AND r.origin = c.origin
        WHERE r.outcome IS NULL AND c.outcome IS NULL"""
