"""Step `release.outcomes`: the one end of every submitted row, and the rows that may leave with what they may say.

Precedence: rejected, dropped, what ingest and match gave it, withheld, what validate gave it, lost, released. A row to
which none of them gave an outcome has none, and then the step fails: in doubt nothing is released.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import pyarrow as pa

from expectations import codes
from expectations.base.duck import DuckSettings, parquet, quote
from expectations.base.errors import Fault
from expectations.contracts.lists import Outcome
from expectations.contracts.package import RELEASE
from expectations.contracts.stages import OUTCOME
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import Connection, quiet, table

STEP = "release.outcomes"
_KEYS = {"ordinal": pa.int64(), "request_key": pa.string(), "person_key": pa.string(), "record_id": pa.int64()}
ELIGIBLE = pa.schema([*(pa.field(name, kind, nullable=False) for name, kind in _KEYS.items()), *RELEASE])
_ADDRESS = tuple(n for n in RELEASE.names if n != "request_id")
# a person whom the holder protects reads like one who is not on file: the truth stays in the sealed evidence
SECRET_CODE = "PROTECTED"
SECRET = f"coalesce(list_contains(v.codes, '{SECRET_CODE}'), false)"
# An outcome of the match that has no code here gives a row without codes, at which the step fails.
MATCH_CODES = {Outcome.UNMATCHED: "NO_CANDIDATE", Outcome.AMBIGUOUS: "NOT_UNIQUE", Outcome.NEAR: "WEAK_EVIDENCE"}
# The last known address (26 CFR 301.6212-2): on file without an end, the latest (newest first, as validate wrote them).
_LAST_KNOWN = "list_filter(v.addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL)[1]"


class Kind(StrEnum):
    """What a part holds."""

    ROWS = "rows"  # of `ingest.rows`
    REJECTS = "rejects"  # of `ingest.decode`


@dataclass(frozen=True)
class Item:
    """One part of the submission."""

    kind: Kind
    index: int
    path: str


@dataclass(frozen=True)
class Outcomes:
    """Worker: an Item → one part of `outcomes`, and for rows one of `eligible`. `fields`: what may leave. `dropped`
    (Parquet: ordinal), `lost` (Parquet: request_key) and `withheld` (`leaving.Leaving`) as decided since."""

    candidates: tuple[str, ...]
    verdicts: tuple[str, ...]
    fields: tuple[str, ...]
    dropped: Path | None
    lost: Path | None
    withheld: Path | None
    duck: DuckSettings

    def __call__(self, item: Item, attempt: Attempt) -> Iterator[Part]:
        with quiet(STEP, self.duck) as connection:
            if item.kind is Kind.REJECTS:
                outcomes = table(connection, rejected(item.path), OUTCOME)
            elif item.kind is Kind.ROWS:
                dropped, lost, held = (parquet([p]) if p else None for p in (self.dropped, self.lost, self.withheld))
                stages = parquet([item.path]), parquet(list(self.candidates)), parquet(list(self.verdicts))
                settled = ended(*stages, dropped=dropped, lost=lost, withheld=held)
                connection.execute(f"CREATE TEMP TABLE ended AS {settled}")
                _one_each(connection, item.path)
                outcomes = table(connection, _OUTCOMES, OUTCOME)
                eligible = table(connection, self._eligible(), ELIGIBLE)
                yield attempt.write("eligible", item.index, eligible)
            else:
                assert_never(item.kind)
        yield attempt.write("outcomes", item.index, outcomes, **counts(outcomes))

    def _eligible(self) -> str:
        # an empty field is no field: CSV cannot tell the two apart, and both forms must hold the same
        shown = {c: f"nullif(known.{c}, '')" if c in self.fields else "CAST(NULL AS VARCHAR)" for c in _ADDRESS}
        released = ", ".join(f"{value} AS {name}" for name, value in shown.items())
        return f"""
        SELECT ordinal, request_key, person_key, record_id, request_id, {released}
        FROM ended WHERE outcome = '{Outcome.RELEASED}' ORDER BY ordinal"""


_NOTHING = "(SELECT 0::BIGINT AS ordinal, NULL::VARCHAR AS outcome, NULL::VARCHAR[] AS codes WHERE false)"


def ended(
    rows: str, candidates: str, verdicts: str, *, dropped: str | None, lost: str | None, withheld: str | None
) -> str:
    """SQL of the one end of each request in `rows`: the precedence of outcomes; null where no stage gave one.
    Relations: `rows` (canonical), `candidates`, `verdicts` as the stages gave them; `dropped` (ordinal), `lost`
    (request_key) and `withheld` (ordinal, outcome, codes) as decided since. Replay settles a past batch by the same."""
    since = (("ordinal", dropped), ("request_key", lost))
    gone, taken = (f"SELECT {key} FROM {where}" if where else "SELECT NULL WHERE false" for key, where in since)
    matching = " ".join(f"WHEN '{outcome}' THEN ['{code}']" for outcome, code in MATCH_CODES.items())
    return f"""
    SELECT r.ordinal, r.file, r.row, r.request_id, r.request_key, v.person_key, v.record_id,
      {_LAST_KNOWN} AS known,
      CASE WHEN r.ordinal IN ({gone}) THEN '{Outcome.DROPPED}'
        WHEN r.outcome IS NOT NULL THEN r.outcome
        WHEN c.outcome IS NOT NULL THEN c.outcome
        WHEN {SECRET} THEN '{Outcome.UNMATCHED}'
        WHEN w.ordinal IS NOT NULL THEN w.outcome
        WHEN v.outcome IS NOT NULL THEN v.outcome
        WHEN r.request_key IN ({taken}) THEN '{Outcome.ALREADY_DISCLOSED}'
        WHEN v.ordinal IS NOT NULL AND len(r.codes) = 0 AND len(v.codes) = 0 THEN '{Outcome.RELEASED}' END AS outcome,
      CASE WHEN r.outcome IS NOT NULL THEN r.codes
        WHEN c.outcome IS NOT NULL THEN CASE c.outcome {matching} END
        WHEN {SECRET} THEN ['NO_CANDIDATE']
        WHEN w.ordinal IS NOT NULL THEN w.codes
        WHEN v.outcome IS NOT NULL THEN v.codes
        WHEN r.request_key IN ({taken}) THEN ['ALREADY_DISCLOSED']
        ELSE list_concat(r.codes, v.codes) END AS codes
    FROM {rows} r
      LEFT JOIN {candidates} c ON c.ordinal = r.ordinal
      LEFT JOIN {verdicts} v ON v.ordinal = r.ordinal
      LEFT JOIN {withheld or _NOTHING} w ON w.ordinal = r.ordinal
    WHERE r.origin = 'request'"""


_OUTCOMES = f"""
    SELECT ordinal, file, row, request_id, request_key,
      CASE WHEN outcome = '{Outcome.RELEASED}' THEN person_key END AS person_key,
      outcome, codes, {codes.sql_shown("codes")} AS told
    FROM ended ORDER BY ordinal"""


@dataclass(frozen=True)
class Refused:
    """Worker for a batch refused or rejected as a whole: every row ends so, under `batch_codes` and its own."""

    batch_codes: tuple[str, ...]
    duck: DuckSettings

    def __call__(self, item: Item, attempt: Attempt) -> Iterator[Part]:
        added = ", ".join(quote(codes.code(c).name) for c in self.batch_codes)
        rows = {Kind.REJECTS: rejected, Kind.ROWS: _submitted}[item.kind](item.path)
        query = f"""
        SELECT * REPLACE ('{Outcome.REFUSED}' AS outcome, all_codes AS codes, {codes.sql_shown("all_codes")} AS told)
        FROM (SELECT *, list_sort(list_distinct(list_concat(codes, [{added}]))) AS all_codes FROM ({rows}))"""
        with quiet(STEP, self.duck) as connection:
            outcomes = table(connection, query, OUTCOME)
        yield attempt.write("outcomes", item.index, outcomes, **counts(outcomes))


def _one_each(connection: Connection, path: str) -> None:
    """A second candidate or verdict for a row would release it twice."""
    submitted = f"SELECT count(*) FROM {parquet([path])} WHERE origin = 'request'"
    counted = connection.execute(f"SELECT count(*), count(DISTINCT ordinal), ({submitted}) FROM ended").fetchall()[0]
    if len(set(counted)) != 1:
        raise Fault("COUNTS_DIFFER", "rows were lost or doubled between the stages", where=STEP)


def rejected(path: str) -> str:
    """The outcome of rows that could not be read."""
    return f"""
    SELECT ordinal, file, row, CAST(NULL AS VARCHAR) AS request_id, CAST(NULL AS VARCHAR) AS request_key,
      CAST(NULL AS VARCHAR) AS person_key, '{Outcome.REJECTED}' AS outcome, [code] AS codes,
      {codes.sql_shown("[code]")} AS told
    FROM {parquet([path])} WHERE origin = 'request' ORDER BY ordinal"""


def _submitted(path: str) -> str:
    return f"""
    SELECT ordinal, file, row, request_id, request_key, CAST(NULL AS VARCHAR) AS person_key,
      '{Outcome.REFUSED}' AS outcome, codes, codes AS told
    FROM {parquet([path])} WHERE origin = 'request' ORDER BY ordinal"""


def counts(outcomes: pa.Table) -> dict[str, int]:
    """Rows by outcome."""
    return {c["values"]: c["counts"] for c in outcomes.column("outcome").value_counts().to_pylist()}
