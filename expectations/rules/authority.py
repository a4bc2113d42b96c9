"""Whether the request may be answered at all: the legal elements of 26 USC 6103(i)(2), of the letter and of each row.

The elements of the criminal statute that a letter names are rules of their own (`rules.statutes`). Batch rules read the
one-row table of `expectations.facts`; row rules read the canonical row with the letter's constants beside it
(`facts.row_constants`), on a connection that has the macros of `expectations.standard`. Each row rule speaks of one defect, so
that the requester is told that one only.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from expectations.rules.rule import Disposition, Phase, Rule, Scope, registry
from expectations.rules.sql import given, unless

# What stands in a reason field for "none"; spaces and punctuation may stand between the words, or not.
NO_REASONS = ("N/A", "NONE", "NULL", "NOT APPLICABLE", "SAME", "SEE LETTER", "TBD", "TEST", "UNKNOWN")
_APART = r"[\s\p{P}]*"
_NO_REASONS = "|".join(_APART.join(reason.replace("/", " ").split()) for reason in NO_REASONS)
_NO_REASON = f"regexp_full_match(upper(reason), '{_APART}({_NO_REASONS}){_APART}')"
_PERIOD = "trim(taxable_period)"
_PERIOD_FORM = "(19|20)[0-9]{2}(-(19|20)[0-9]{2})?"


def _row(name: str, inputs: tuple[str, ...], predicate: str, code: str, poison: dict[str, Any]) -> Rule:
    return Rule(
        f"authority.{name}", Scope.ROW, Phase.REQUEST, inputs, predicate, Disposition.HOLD_ROW, code, poison
    )  # fmt: skip


ROW_RULES = registry(
    [
        _row(
            "period_given",
            ("taxable_period",),
            given("taxable_period"),
            "NO_TAXABLE_PERIOD",
            {"taxable_period": " "},
        ),
        _row(
            "period",
            ("request_id", "taxable_period", "decided_on"),
            unless(
                f"NOT coalesce({given('taxable_period')}, false)",
                f"regexp_full_match({_PERIOD}, '{_PERIOD_FORM}') AND {_PERIOD}[1:4] <= {_PERIOD}[-4:]"
                f" AND try_cast({_PERIOD}[-4:] AS INTEGER) <= year(decided_on)",
            ),
            "BAD_TAXABLE_PERIOD",
            {"taxable_period": "2099"},
        ),
        _row(
            "reason",
            ("reason",),
            f"{given('reason')} AND NOT {_NO_REASON}",
            "NO_REASON",
            {"reason": "N/A"},
        ),
        _row("officer_given", ("officer",), given("officer"), "NO_OFFICER", {"officer": ""}),
        _row(
            "officer",
            ("request_id", "officer", "officers"),
            unless(f"NOT coalesce({given('officer')}, false)", "list_contains(officers, trim(officer))"),
            "OFFICER_NOT_IN_LETTER",
            {"officer": "nobody-of-the-letter"},
        ),
        # what nobody has laid down the elements of, nobody can show
        _row("statute", ("statute_known",), "statute_known", "STATUTE_UNKNOWN", {"statute_known": False}),
    ]
)


def _batch(
    name: str,
    predicate: str,
    code: str,
    poison: dict[str, Any],
    disposition: Disposition = Disposition.REFUSE_BATCH,
    inputs: tuple[str, ...] | None = None,
) -> Rule:
    return Rule(
        f"authority.{name}", Scope.BATCH, Phase.REQUEST, inputs or tuple(poison), predicate, disposition, code, poison
    )  # fmt: skip


def _flag(fact: str, code: str) -> Rule:
    return _batch(fact, fact, code, {fact: False})


# Dates of a poison are clear of the limits under any threshold.
_EARLY, _LATE = date(2000, 1, 1), date(2999, 1, 1)
BATCH_RULES = registry(
    [
        _flag("letter_signed", "LETTER_UNSIGNED"),
        _flag("agreement_in_force", "AGREEMENT_NOT_IN_FORCE"),
        _batch("not_superseded", "len(superseded_by) = 0", "AGREEMENT_SUPERSEDED", {"superseded_by": ["an-agreement"]}),
        _batch("no_court_order", "len(orders_against) = 0", "COURT_ORDER", {"orders_against": ["an-order"]}),
        _batch(
            "no_order_to_hold",
            "len(orders_holding) = 0",
            "COURT_ORDER_HOLDS",
            {"orders_holding": ["an-order"]},
            Disposition.HOLD_BATCH,
        ),
        _flag("requester_is_party", "REQUESTER_NOT_PARTY"),
        _flag("office_may_sign", "OFFICE_MAY_NOT_SIGN"),
        _flag("signatory_may_sign", "SIGNATORY_NOT_AUTHORISED"),
        _flag("statute_designated", "STATUTE_NOT_DESIGNATED"),
        _flag("purpose_allowed", "PURPOSE_NOT_ALLOWED"),
        _flag("solely", "NOT_SOLELY"),
        _flag("clearance", "NO_CLEARANCE"),
        _batch("officers_named", "len(officers) > 0", "NO_OFFICERS", {"officers": []}),
        _flag("safeguards_in_force", "SAFEGUARDS_OPEN"),
        _batch(
            "letter_dated",
            "letter_date <= received_on",
            "LETTER_IN_FUTURE",
            {"letter_date": _LATE},
            inputs=("letter_date", "received_on"),
        ),
        _batch(
            "letter_fresh",
            "received_on - letter_date <= max_letter_age_days",
            "LETTER_TOO_OLD",
            {"letter_date": _EARLY, "attested_on": _EARLY},
            inputs=("letter_date", "received_on", "max_letter_age_days"),
        ),
        _batch(
            "attested",
            "attested_on <= letter_date",
            "ATTESTED_AFTER_LETTER",
            {"attested_on": _LATE},
            inputs=("attested_on", "letter_date"),
        ),
        _batch(
            "attestation_fresh",
            "attested_on = letter_date OR received_on - attested_on <= max_attestation_days",
            "ATTESTATION_EXPIRED",
            {"attested_on": _EARLY},
            inputs=("attested_on", "letter_date", "received_on", "max_attestation_days"),
        ),
        _batch(
            "volume",
            "rows_submitted <= max_rows_per_batch",
            "TOO_MANY_ROWS",
            {"rows_submitted": 10**9},
            inputs=("rows_submitted", "max_rows_per_batch"),
        ),
        _batch(
            "volume_30_days",
            "rows_submitted + earlier_rows <= max_rows_30_days",
            "TOO_MANY_ROWS_30_DAYS",
            {"earlier_rows": 10**9, "max_rows_30_days": 10**6},
            inputs=("rows_submitted", "earlier_rows", "max_rows_30_days"),
        ),
        _batch(
            "reasons_specific",
            "identical_reason_rows <= max_identical_reason_share * rows_submitted",
            "BOILERPLATE_REASONS",
            {"identical_reason_rows": 10**9},
            inputs=("identical_reason_rows", "max_identical_reason_share", "rows_submitted"),
        ),
        _batch(
            "officers_engaged",
            "busiest_officer_rows <= max_matters_per_officer",
            "OFFICER_OVERLOADED",
            {"busiest_officer_rows": 10**9},
            inputs=("busiest_officer_rows", "max_matters_per_officer"),
        ),
        _batch(
            "incomplete_share",
            "incomplete_rows <= max_incomplete_share * (rows_submitted - rows_dropped)",
            "TOO_MANY_INCOMPLETE",
            {"incomplete_rows": 10**9},
            Disposition.HOLD_BATCH,
            ("incomplete_rows", "max_incomplete_share", "rows_submitted", "rows_dropped"),
        ),
        _batch(
            "incomplete_share_per_file",
            "worst_file_incomplete_share <= max_incomplete_share_per_file",
            "TOO_MANY_INCOMPLETE",
            {"worst_file_incomplete_share": 1.0, "max_incomplete_share_per_file": 0.15},
            Disposition.HOLD_BATCH,
        ),
        _batch(
            "incomplete_share_by_code",
            "len(codes_over_limit) = 0",
            "TOO_MANY_INCOMPLETE",
            {"codes_over_limit": ["PLACEHOLDER"]},
            Disposition.HOLD_BATCH,
        ),
        _batch(
            "incomplete_share_30_days",
            "incomplete_rows + earlier_incomplete_rows <= max_incomplete_share_30_days * (rows_submitted - rows_dropped + earlier_rows)",
            "TOO_MANY_INCOMPLETE",
            {"earlier_incomplete_rows": 10**9},
            Disposition.HOLD_BATCH,
            (
                "incomplete_rows",
                "earlier_incomplete_rows",
                "max_incomplete_share_30_days",
                "rows_submitted",
                "rows_dropped",
                "earlier_rows",
            ),
        ),
        _batch("work_left", "rows_open > 0", "NOTHING_TO_DO", {"rows_open": 0}, Disposition.HOLD_BATCH),
    ]
)
