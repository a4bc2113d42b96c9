"""Checkpoint `disclosure`: what was sealed, opened again, is exactly the eligible rows, the permitted fields, the accounting.

The law: 26 USC 6103(i)(2) lets out what was asked for and found; (p)(3)(A) wants an accounting of every request, refusals
included; the last known address is that of 26 CFR 301.6212-2. The agreement says which fields may leave.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from expectations import codes
from expectations.contracts import RELEASE, Outcome
from expectations.digests import content_digest
from expectations.duck import DuckSettings, quote, session
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, in_set, unique
from expectations.gx.verdict import Verdict

NAME = "disclosure"
_ADDRESS = tuple(n for n in RELEASE.names if n != "request_id")
# Every column, so that the order is total: rows that it cannot tell apart are equal.
_ORDER = ", ".join(f"{name} NULLS FIRST" for name in RELEASE.names)
_FORMS = ("parquet", "csv")


@dataclass(frozen=True)
class Inputs:
    """What the release stage was given and what it committed; and the package, opened again.

    rows, rejects, candidates, verdicts   relations: what the stages before committed
    outcomes, eligible                    relations: `release.outcomes`
    committed                             rows of the letter: each has one outcome
    fields                                what the agreement lets out
    parquet, csv, manifest                the opened package: both forms as relations, and what its manifest says. None: nothing
                                          was eligible, so nothing was sealed, and only the accounting is looked at
    dropped, lost                         relations with ordinal, request_key: rows that people dropped, claims that were lost
    late                                  relation with ordinal: rows held back by the lists of persons, read again
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
    late: str | None = None

    @property
    def sealed(self) -> bool:
        return self.manifest is not None


def suite(fields: tuple[str, ...], sealed: bool = True) -> Suite:
    """The declared checks of this checkpoint, for what the agreement lets out."""
    package = (*_what_leaves(fields), *_package(fields), *_same()) if sealed else _nothing_left()
    return Suite(NAME, "outcomes", (*_form(), *_accounting(), *package))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a sealed package and its accounting."""
    return run(suite(inputs.fields, inputs.sealed), tables(inputs, duck), rows=inputs.committed, duck=duck)


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
    late = f"o.ordinal IN (SELECT ordinal FROM {inputs.late})" if inputs.late else "false"
    lost = f"o.request_key IN (SELECT request_key FROM {inputs.lost})" if inputs.lost else "false"
    return f"""
        SELECT o.ordinal, o.outcome, o.codes, o.told, o.person_key, o.request_key, {codes.sql_told("o.codes")} AS told_again,
          CASE WHEN x.ordinal IS NOT NULL THEN 'rejected' WHEN {dropped} THEN 'dropped'
            WHEN r.ordinal IS NULL OR r.origin <> 'request' THEN NULL WHEN r.outcome IS NOT NULL THEN r.outcome
            WHEN c.ordinal IS NULL THEN NULL WHEN c.outcome IS NOT NULL THEN c.outcome
            WHEN v.ordinal IS NULL THEN NULL WHEN {late} OR list_contains(v.codes, 'PROTECTED') THEN 'unmatched' WHEN v.outcome IS NOT NULL THEN v.outcome
            WHEN {lost} THEN 'already_disclosed' ELSE 'released' END AS outcome_again
        FROM outcomes o LEFT JOIN {inputs.rejects} x ON x.ordinal = o.ordinal
          LEFT JOIN {inputs.rows} r ON r.ordinal = o.ordinal
          LEFT JOIN {inputs.candidates} c ON c.ordinal = o.ordinal
          LEFT JOIN {inputs.verdicts} v ON v.ordinal = o.ordinal AND v.record_id = c.record_id"""


def _leaving(inputs: Inputs) -> str:
    """Every eligible row beside its request and the last known address of the record that it was matched to."""
    known = ", ".join(f"nullif(known.{name}, '') AS known_{name}" for name in _ADDRESS)
    current = f"""
        SELECT *, list_filter(addresses_on_file, a -> a.valid_to IS NULL AND a.street IS NOT NULL) AS current
        FROM {inputs.verdicts}"""
    return f"""
        SELECT *, {known} FROM (
          SELECT e.*, r.origin, r.request_id AS asked_id, v.outcome AS verdict, v.person_key AS judged_person,
            CASE WHEN len(v.current) > 0
              THEN list_reduce(v.current, (x, y) -> CASE WHEN y.valid_from > x.valid_from THEN y ELSE x END) END AS known
          FROM eligible e LEFT JOIN {inputs.rows} r ON r.ordinal = e.ordinal
            LEFT JOIN ({current}) v ON v.ordinal = e.ordinal AND v.record_id = e.record_id)"""


def _sameness(inputs: Inputs, manifest: Mapping[str, Any], duck: DuckSettings | None) -> str:
    """One row: content digests and counts of what was eligible, what was sealed in either form, and what the manifest says."""
    assert inputs.parquet and inputs.csv
    digests = {
        name: released_digest(relation, duck)
        for name, relation in (("eligible", inputs.eligible), ("parquet", inputs.parquet), ("csv", inputs.csv))
    }
    told = manifest.get("counts", {})
    said = {"manifest": manifest.get("content_digest")}
    shown = ", ".join(
        f"{'NULL' if d is None else quote(str(d))}::VARCHAR AS digest_{n}" for n, d in {**digests, **said}.items()
    )
    fields = ", ".join(quote(str(f)) for f in manifest.get("fields", []))
    wanted = ", ".join(quote(n) for n in RELEASE.names if n == "request_id" or n in inputs.fields)
    return f"""
        SELECT {shown}, (SELECT count(*) FROM eligible) AS rows_eligible, (SELECT count(*) FROM parquet) AS rows_parquet,
          (SELECT count(*) FROM csv) AS rows_csv, {_number(told.get("released"))} AS said_released,
          {_number(told.get("submitted"))} AS said_submitted, {inputs.committed}::BIGINT AS submitted,
          [{fields}]::VARCHAR[] AS said_fields, [{wanted}]::VARCHAR[] AS fields,
          (SELECT count(*) FROM parquet SEMI JOIN (SELECT request_id FROM {inputs.rows} WHERE origin = 'decoy')
           USING (request_id)) AS decoys"""


def _number(value: Any) -> str:
    return f"{int(value)}::BIGINT" if isinstance(value, int) else "NULL::BIGINT"


def released_digest(relation: str, duck: DuckSettings | None = None) -> str | None:
    """Content digest of released rows, as the package's manifest has it; None if it cannot be worked out."""
    try:
        with session(duck) as connection:
            return content_digest(connection, relation, RELEASE.names, _ORDER)
    except duckdb.Error:
        return None  # not equal to anything


def _form() -> tuple[Check, ...]:
    return (
        columns_of("disclosure.schema", "outcomes", "outcome"),
        in_set("disclosure.outcome", "outcomes", "outcome", tuple(Outcome), null=False, code="COUNTS_DIFFER"),
    )


def _accounting() -> tuple[Check, ...]:
    """Each request has one end, refusals included, and it is the one that the stages led to (26 USC 6103(p)(3)(A))."""
    return (
        unique("disclosure.one_outcome", "outcomes", "ordinal"),
        condition(
            "disclosure.all_accounted", "counts", ["submitted", "outcomes"], "submitted = outcomes", "COUNTS_DIFFER",
            {"outcomes": -1},
        ),
        condition(
            "disclosure.outcome_again", "accounted", ["outcome", "outcome_again"], "outcome = outcome_again", "VERDICT_DIFFERS",
            {"outcome": "held", "outcome_again": "released"},
        ),
        condition(
            "disclosure.told_again", "accounted", ["told", "told_again"], "told = told_again", "VERDICT_DIFFERS",
            {"told": ["NOT_CORROBORATED"], "told_again": ["NOT_CONFIRMED"]},
        ),
        condition(
            "disclosure.reasons", "accounted", ["outcome", "codes", "person_key", "request_key"],
            "CASE WHEN outcome = 'released' THEN len(codes) = 0 AND person_key IS NOT NULL AND request_key IS NOT NULL"
            " ELSE len(codes) > 0 AND person_key IS NULL AND outcome IS NOT NULL END",
            "VERDICT_DIFFERS", {"outcome": "released", "codes": ["NOT_CORROBORATED"]},
        ),
        condition(
            "disclosure.released_are_eligible", "counts", ["eligible", "released", "not_accounted"],
            "eligible = released AND not_accounted = 0", "COUNTS_DIFFER", {"not_accounted": 1},
        ),
    )  # fmt: skip


def _what_leaves(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """An eligible row carries the requester's own id and the last known address of the record it was matched to."""
    permitted = [name for name in _ADDRESS if name in fields]
    equal = " AND ".join(f"{name} IS NOT DISTINCT FROM known_{name}" for name in permitted)
    return (
        condition(
            "disclosure.row_is_eligible", "leaving", ["ordinal", "origin", "record_id", "verdict", "person_key", "judged_person"],
            "ordinal >= 0 AND origin = 'request' AND record_id > 0 AND verdict IS NULL AND person_key = judged_person",
            "VERDICT_DIFFERS", {"verdict": "held"},
        ),
        condition(
            "disclosure.own_request", "leaving", ["request_id", "asked_id"], "request_id = asked_id", "PACKAGE_DIFFERS",
            {"asked_id": "another"},
        ),
        condition(
            "disclosure.last_known_address", "leaving",
            ["known_street", *permitted, *(f"known_{name}" for name in permitted)], f"known_street IS NOT NULL AND {equal}",
            "PACKAGE_DIFFERS", {permitted[0]: "ELSEWHERE"},
        ),
    )  # fmt: skip


def _package(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """Both forms of the package hold the permitted fields, each request once, and nothing else."""
    barred = [name for name in _ADDRESS if name not in fields]
    blank = " AND ".join(["request_id IS NOT NULL", *(f"{name} IS NULL" for name in barred)])
    poison = {barred[0]: "ELSEWHERE"} if barred else {"request_id": None}
    return tuple(
        one
        for form in _FORMS
        for one in (
            columns_of(f"disclosure.{form}_schema", form, "release"),
            unique(f"disclosure.{form}_once", form, "request_id", code="PACKAGE_DIFFERS"),
            condition(f"disclosure.{form}_fields", form, ["request_id", *barred], blank, "PACKAGE_DIFFERS", poison),
        )
    )


def _same() -> tuple[Check, ...]:
    """What was sealed is what was checked, by content digest, in both forms and in the manifest's own words."""
    return (
        *(
            condition(
                f"disclosure.{form}_is_what_was_checked", "same", [f"digest_{form}", "digest_eligible"],
                f"digest_{form} = digest_eligible", "PACKAGE_DIFFERS", {f"digest_{form}": "another"},
            )
            for form in (*_FORMS, "manifest")
        ),
        condition(
            "disclosure.counts_in_manifest", "same",
            ["rows_eligible", "rows_parquet", "rows_csv", "said_released", "said_submitted", "submitted"],
            "rows_eligible = rows_parquet AND rows_parquet = rows_csv AND rows_csv = said_released AND said_submitted = submitted",
            "PACKAGE_DIFFERS", {"rows_csv": -1},
        ),
        condition(
            "disclosure.fields_in_manifest", "same", ["said_fields", "fields"], "said_fields = fields", "PACKAGE_DIFFERS",
            {"said_fields": ["tin"]},
        ),
        condition("disclosure.no_decoy", "same", ["decoys"], "decoys = 0", "DECOY_WRONG", {"decoys": 1}),
    )  # fmt: skip


def _nothing_left() -> tuple[Check, ...]:
    """Without a package nothing may count as released."""
    return (
        condition(
            "disclosure.nothing_left", "counts", ["eligible", "released"], "eligible = 0 AND released = 0", "PACKAGE_DIFFERS",
            {"released": 1},
        ),
    )  # fmt: skip
