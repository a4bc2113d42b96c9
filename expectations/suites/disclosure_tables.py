"""What the `disclosure` suite looks at: outcomes beside those that the stages lead to; the package, opened again."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import duckdb

from expectations import codes
from expectations.base.digests import content_digest, matching
from expectations.base.duck import DuckSettings, quote, session
from expectations.contracts.package import RELEASE

ADDRESS = tuple(n for n in RELEASE.names if n != "request_id")
# Every column, so that the order is total: rows that it cannot tell apart are equal.
_ORDER = ", ".join(f"{name} NULLS FIRST" for name in RELEASE.names)


@dataclass(frozen=True)
class Inputs:
    """What the release stage was given and what it committed; and the package, opened again.

    rows, rejects, candidates, verdicts   relations: what the stages before committed
    outcomes, eligible                    relations: `release.outcomes`
    committed                             rows of the letter: each has one outcome
    fields                                what the agreement lets out
    parquet, csv, manifest                the opened package: both forms as relations, what its manifest says; None if
                                          nothing was eligible and so nothing was sealed: the accounting is looked at
    dropped, lost                         relations with ordinal, request_key: dropped by people; claims that were lost
    withheld                              relation with ordinal, outcome: rows held back by what is enrolled now
    """

    rows: str
    rejects: str
    candidates: str
    verdicts: str
    outcomes: str
    eligible: str
    committed: int
    fields: tuple[str, ...]
    parquet: str | None = None
    csv: str | None = None
    manifest: Mapping[str, Any] | None = None
    dropped: str | None = None
    lost: str | None = None
    withheld: str | None = None

    @property
    def sealed(self) -> bool:
        return self.manifest is not None


def tables(inputs: Inputs, duck: DuckSettings | None = None) -> dict[str, str]:
    """What the checks look at, in the order in which it is worked out."""
    made = {
        "outcomes": inputs.outcomes,
        "eligible": inputs.eligible,
        "accounted": _accounted(inputs),
        "counts": f"""
            SELECT {inputs.committed}::BIGINT AS submitted, (SELECT count(*) FROM outcomes) AS outcomes,
              (SELECT count(*) FROM eligible) AS eligible,
              (SELECT count(*) FROM outcomes WHERE outcome = 'released') AS released,
              (SELECT count(*) FROM eligible ANTI JOIN (SELECT * FROM outcomes WHERE outcome = 'released')
               USING (ordinal, request_key, person_key)) AS not_accounted""",
    }
    if inputs.parquet and inputs.csv and inputs.manifest is not None:
        made |= {"parquet": inputs.parquet, "csv": inputs.csv, "leaving": _leaving(inputs)}
        made["same"] = _sameness(inputs, inputs.manifest, duck)
    return made


def _accounted(inputs: Inputs) -> str:
    """Every outcome beside the one that the stages' own words lead to."""
    dropped = f"o.ordinal IN (SELECT ordinal FROM {inputs.dropped})" if inputs.dropped else "false"
    withheld = inputs.withheld or "(SELECT 0::BIGINT AS ordinal, NULL::VARCHAR AS outcome WHERE false)"
    lost = f"o.request_key IN (SELECT request_key FROM {inputs.lost})" if inputs.lost else "false"
    return f"""
        SELECT o.ordinal, o.outcome, o.codes, o.told, o.person_key, o.request_key,
          {codes.sql_shown("o.codes")} AS told_again,
          CASE WHEN x.ordinal IS NOT NULL THEN 'rejected' WHEN {dropped} THEN 'dropped'
            WHEN r.ordinal IS NULL OR r.origin <> 'request' THEN NULL WHEN r.outcome IS NOT NULL THEN r.outcome
            WHEN c.ordinal IS NULL THEN NULL WHEN c.outcome IS NOT NULL THEN c.outcome
            WHEN v.ordinal IS NULL THEN NULL WHEN list_contains(v.codes, 'PROTECTED') THEN 'unmatched'
            WHEN w.outcome IS NOT NULL THEN w.outcome WHEN v.outcome IS NOT NULL THEN v.outcome
            WHEN {lost} THEN 'already_disclosed' ELSE 'released' END AS outcome_again
        FROM outcomes o LEFT JOIN {inputs.rejects} x ON x.ordinal = o.ordinal
          LEFT JOIN {inputs.rows} r ON r.ordinal = o.ordinal
          LEFT JOIN {inputs.candidates} c ON c.ordinal = o.ordinal
          LEFT JOIN {inputs.verdicts} v ON v.ordinal = o.ordinal AND v.record_id = c.record_id
          LEFT JOIN {withheld} w ON w.ordinal = o.ordinal"""


def _leaving(inputs: Inputs) -> str:
    """Every eligible row beside its request and the last known address of the record that it was matched to."""
    known = ", ".join(f"nullif(known.{name}, '') AS known_{name}" for name in ADDRESS)
    current = f"""
        SELECT *, list_filter(addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL) AS current
        FROM {inputs.verdicts}"""
    return f"""
        SELECT *, {known} FROM (
          SELECT e.*, r.origin, r.request_id AS asked_id, v.outcome AS verdict, v.person_key AS judged_person,
            CASE WHEN len(v.current) > 0
              THEN list_reduce(v.current, (x, y) -> CASE WHEN y.valid_from > x.valid_from THEN y ELSE x END)
            END AS known
          FROM eligible e LEFT JOIN {inputs.rows} r ON r.ordinal = e.ordinal
            LEFT JOIN ({current}) v ON v.ordinal = e.ordinal AND v.record_id = e.record_id)"""


def _sameness(inputs: Inputs, manifest: Mapping[str, Any], duck: DuckSettings | None) -> str:
    """One row: content digests and counts of what was eligible, what was sealed, and what the manifest says."""
    assert inputs.parquet and inputs.csv
    looked_at = {"eligible": inputs.eligible, "parquet": inputs.parquet, "csv": inputs.csv}
    said = manifest.get("content_digest")
    digests = {name: matching(said, partial(released_digest, relation, duck)) for name, relation in looked_at.items()}
    digests["manifest"] = said
    told = manifest.get("counts", {})
    texts = {name: "NULL" if digest is None else quote(str(digest)) for name, digest in digests.items()}
    shown = ", ".join(f"{text}::VARCHAR AS digest_{name}" for name, text in texts.items())
    fields = ", ".join(quote(str(f)) for f in manifest.get("fields", []))
    wanted = ", ".join(quote(n) for n in RELEASE.names if n == "request_id" or n in inputs.fields)
    return f"""
        SELECT {shown},
          (SELECT count(*) FROM eligible) AS rows_eligible, (SELECT count(*) FROM parquet) AS rows_parquet,
          (SELECT count(*) FROM csv) AS rows_csv, {_number(told.get("released"))} AS said_released,
          {_number(told.get("submitted"))} AS said_submitted, {inputs.committed}::BIGINT AS submitted,
          [{fields}]::VARCHAR[] AS said_fields, [{wanted}]::VARCHAR[] AS fields,
          (SELECT count(*) FROM parquet ANTI JOIN (SELECT request_id FROM {inputs.rows} WHERE origin = 'request')
           USING (request_id)) AS controls"""


def _number(value: Any) -> str:
    return f"{int(value)}::BIGINT" if isinstance(value, int) else "NULL::BIGINT"


def released_digest(relation: str, duck: DuckSettings | None = None) -> str | None:
    """Content digest of released rows, as the package's manifest has it; None if it cannot be worked out."""
    try:
        with session(duck) as connection:
            return content_digest(connection, relation, RELEASE.names, _ORDER)
    except duckdb.Error:
        return None  # not equal to anything
