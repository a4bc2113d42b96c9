"""Checkpoint `disclosure`: what was sealed, opened again, is the eligible rows, the permitted fields, the accounting.

The law: 26 USC 6103(i)(2) lets out what was asked for and found; (p)(3)(A) wants an accounting of every request,
refusals included; the last known address is that of 26 CFR 301.6212-2. The agreement says which fields may be released.
"""

from expectations.base.duck import DuckSettings
from expectations.contracts.lists import Outcome
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, equal, in_set, none, unique
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
        equal("disclosure.all_accounted", "counts", "submitted", "outcomes", "COUNTS_DIFFER", -1),
        equal("disclosure.outcome_again", "accounted", "outcome", "outcome_again", "VERDICT_DIFFERS", "held"),
        equal("disclosure.told_again", "accounted", "told", "told_again", "VERDICT_DIFFERS", ["NOT_CONFIRMED"]),
        condition(
            ("disclosure.reasons", "accounted", "VERDICT_DIFFERS"),
            ["outcome", "codes", "person_key", "request_key"],
            "CASE WHEN outcome = 'released' THEN len(codes) = 0 AND person_key IS NOT NULL AND request_key IS NOT NULL"
            " ELSE len(codes) > 0 AND person_key IS NULL AND outcome IS NOT NULL END",
            {"outcome": "released", "codes": ["NOT_CORROBORATED"]},
        ),
        condition(
            ("disclosure.released_are_eligible", "counts", "COUNTS_DIFFER"),
            ["eligible", "released", "not_accounted"],
            "eligible = released AND not_accounted = 0",
            {"not_accounted": 1},
        ),
    )


def _what_leaves(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """An eligible row carries the requester's own id and the last known address of the record it was matched to."""
    permitted = [name for name in ADDRESS if name in fields]
    same = " AND ".join(f"{name} IS NOT DISTINCT FROM known_{name}" for name in permitted)
    return (
        condition(
            ("disclosure.row_is_eligible", "leaving", "VERDICT_DIFFERS"),
            ["ordinal", "origin", "record_id", "verdict", "person_key", "judged_person"],
            "ordinal >= 0 AND origin = 'request' AND record_id > 0 AND verdict IS NULL AND person_key = judged_person",
            {"verdict": "held"},
        ),
        equal("disclosure.own_request", "leaving", "request_id", "asked_id", "PACKAGE_DIFFERS", "another"),
        condition(
            ("disclosure.last_known_address", "leaving", "PACKAGE_DIFFERS"),
            ["known_street", *permitted, *(f"known_{name}" for name in permitted)],
            f"known_street IS NOT NULL AND {same}",
            {permitted[0]: "ELSEWHERE"},
        ),
    )


def _package(fields: tuple[str, ...]) -> tuple[Check, ...]:
    """Both forms of the package hold the permitted fields, each request once, and nothing else."""
    barred = [name for name in ADDRESS if name not in fields]
    blank = " AND ".join(["request_id IS NOT NULL", *(f"{name} IS NULL" for name in barred)])
    poison = {barred[0]: "ELSEWHERE"} if barred else {"request_id": None}
    found: list[Check] = []
    for form in _FORMS:
        found += (
            columns_of(f"disclosure.{form}_schema", form, "release"),
            unique(f"disclosure.{form}_once", form, "request_id", code="PACKAGE_DIFFERS"),
            condition((f"disclosure.{form}_fields", form, "PACKAGE_DIFFERS"), ["request_id", *barred], blank, poison),
        )
    return tuple(found)


def _same() -> tuple[Check, ...]:
    """What was sealed is what was checked, by content digest, in both forms and in the manifest's own words."""
    digests = [(f"disclosure.{form}_is_what_was_checked", f"digest_{form}") for form in (*_FORMS, "manifest")]
    return (
        *(equal(id, "same", digest, "digest_eligible", "PACKAGE_DIFFERS", "another") for id, digest in digests),
        condition(
            ("disclosure.counts_in_manifest", "same", "PACKAGE_DIFFERS"),
            ["rows_eligible", "rows_parquet", "rows_csv", "said_released", "said_submitted", "submitted"],
            "rows_eligible = rows_parquet AND rows_parquet = rows_csv AND rows_csv = said_released"
            " AND said_submitted = submitted",
            {"rows_csv": -1},
        ),
        equal("disclosure.fields_in_manifest", "same", "said_fields", "fields", "PACKAGE_DIFFERS", ["tin"]),
        none("disclosure.no_decoy", "same", "controls", "DECOY_WRONG"),
    )


def _nothing_left() -> tuple[Check, ...]:
    """Without a package nothing may count as released."""
    head, predicate = ("disclosure.nothing_left", "counts", "PACKAGE_DIFFERS"), "eligible = 0 AND released = 0"
    return (condition(head, ["eligible", "released"], predicate, {"released": 1}),)
