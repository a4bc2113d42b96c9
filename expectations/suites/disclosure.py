"""Checkpoint `disclosure`: what was sealed, opened again, is exactly the eligible rows, the permitted fields, the
accounting.

The law: 26 USC 6103(i)(2) lets out what was asked for and found; (p)(3)(A) wants an accounting of every request,
refusals included; the last known address is that of 26 CFR 301.6212-2. The agreement says which fields may be released.
"""

from __future__ import annotations

from expectations.base.duck import DuckSettings
from expectations.contracts.lists import Outcome
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, in_set, unique
from expectations.gx.verdict import Verdict
from expectations.suites.disclosure_tables import ADDRESS, Inputs, tables

NAME = "disclosure"
_FORMS = ("parquet", "csv")


def suite(fields: tuple[str, ...], sealed: bool = True) -> Suite:
    """The declared checks of this checkpoint, for what the agreement lets out."""
    package = (*_what_leaves(fields), *_package(fields), *_same()) if sealed else _nothing_left()
    return Suite(NAME, "outcomes", (*_form(), *_accounting(), *package))


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a sealed package and its accounting."""
    return run(suite(inputs.fields, inputs.sealed), tables(inputs, duck), rows=inputs.committed, duck=duck)


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
            "disclosure.all_accounted",
            "counts",
            ["submitted", "outcomes"],
            "submitted = outcomes",
            "COUNTS_DIFFER",
            {"outcomes": -1},
        ),
        condition(
            "disclosure.outcome_again",
            "accounted",
            ["outcome", "outcome_again"],
            "outcome = outcome_again",
            "VERDICT_DIFFERS",
            {"outcome": "held", "outcome_again": "released"},
        ),
        condition(
            "disclosure.told_again",
            "accounted",
            ["told", "told_again"],
            "told = told_again",
            "VERDICT_DIFFERS",
            {"told": ["NOT_CORROBORATED"], "told_again": ["NOT_CONFIRMED"]},
        ),
        condition(
            "disclosure.reasons",
            "accounted",
            ["outcome", "codes", "person_key", "request_key"],
            "CASE WHEN outcome = 'released' THEN len(codes) = 0 AND person_key IS NOT NULL AND request_key IS NOT NULL"
            " ELSE len(codes) > 0 AND person_key IS NULL AND outcome IS NOT NULL END",
            "VERDICT_DIFFERS",
            {"outcome": "released", "codes": ["NOT_CORROBORATED"]},
        ),
        condition(
            "disclosure.released_are_eligible",
            "counts",
            ["eligible", "released", "not_accounted"],
            "eligible = released AND not_accounted = 0",
            "COUNTS_DIFFER",
            {"not_accounted": 1},
        ),
    )


def _what_leaves(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """An eligible row carries the requester's own id and the last known address of the record it was matched to."""
    permitted = [name for name in ADDRESS if name in fields]
    equal = " AND ".join(f"{name} IS NOT DISTINCT FROM known_{name}" for name in permitted)
    return (
        condition(
            "disclosure.row_is_eligible",
            "leaving",
            ["ordinal", "origin", "record_id", "verdict", "person_key", "judged_person"],
            "ordinal >= 0 AND origin = 'request' AND record_id > 0 AND verdict IS NULL AND person_key = judged_person",
            "VERDICT_DIFFERS",
            {"verdict": "held"},
        ),
        condition(
            "disclosure.own_request",
            "leaving",
            ["request_id", "asked_id"],
            "request_id = asked_id",
            "PACKAGE_DIFFERS",
            {"asked_id": "another"},
        ),
        condition(
            "disclosure.last_known_address",
            "leaving",
            ["known_street", *permitted, *(f"known_{name}" for name in permitted)],
            f"known_street IS NOT NULL AND {equal}",
            "PACKAGE_DIFFERS",
            {permitted[0]: "ELSEWHERE"},
        ),
    )


def _package(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """Both forms of the package hold the permitted fields, each request once, and nothing else."""
    barred = [name for name in ADDRESS if name not in fields]
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
                f"disclosure.{form}_is_what_was_checked",
                "same",
                [f"digest_{form}", "digest_eligible"],
                f"digest_{form} = digest_eligible",
                "PACKAGE_DIFFERS",
                {f"digest_{form}": "another"},
            )
            for form in (*_FORMS, "manifest")
        ),
        condition(
            "disclosure.counts_in_manifest",
            "same",
            ["rows_eligible", "rows_parquet", "rows_csv", "said_released", "said_submitted", "submitted"],
            "rows_eligible = rows_parquet AND rows_parquet = rows_csv AND rows_csv = said_released"
            " AND said_submitted = submitted",
            "PACKAGE_DIFFERS",
            {"rows_csv": -1},
        ),
        condition(
            "disclosure.fields_in_manifest",
            "same",
            ["said_fields", "fields"],
            "said_fields = fields",
            "PACKAGE_DIFFERS",
            {"said_fields": ["tin"]},
        ),
        condition("disclosure.no_decoy", "same", ["controls"], "controls = 0", "DECOY_WRONG", {"controls": 1}),
    )


def _nothing_left() -> tuple[Check, ...]:
    """Without a package nothing may count as released."""
    return (
        condition(
            "disclosure.nothing_left",
            "counts",
            ["eligible", "released"],
            "eligible = 0 AND released = 0",
            "PACKAGE_DIFFERS",
            {"released": 1},
        ),
    )
