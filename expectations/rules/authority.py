"""Whether the request may be answered at all: the legal elements of 26 USC 6103(i)(2), of the letter and of each row.

The elements of the criminal statute that a letter names are rules of their own (`rules.statutes`). Batch rules read the
one-row table of `expectations.facts`; row rules read the canonical row with letter facts beside it (`facts.sql`), on a
connection that has the macros of `expectations.names.standard`. Each row rule speaks of one defect, so that the requester
reads of that one only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Unpack

from expectations.code import INVARIANT, REVIEW, STATUTE, CodePhase
from expectations.rules.rule import Disposition, Phase, Rule, Scope, Words, registry, row_rule, said
from expectations.rules.sql import given, unless

# What stands in a reason field for "none"; spaces and punctuation may stand between the words, or not.
NO_REASONS = ("N/A", "NONE", "NULL", "NOT APPLICABLE", "SAME", "SEE LETTER", "TBD", "TEST", "UNKNOWN")
_APART = r"[\s\p{P}]*"
_NO_REASONS = "|".join(_APART.join(reason.replace("/", " ").split()) for reason in NO_REASONS)
_NO_REASON = f"regexp_full_match(upper(reason), '{_APART}({_NO_REASONS}){_APART}')"
_PERIOD = "trim(taxable_period)"
_PERIOD_FORM = "(19|20)[0-9]{2}(-(19|20)[0-9]{2})?"


def _row(name: str, inputs: tuple[str, ...], predicate: str, poison: Mapping[str, Any], **words: Unpack[Words]) -> Rule:
    return row_rule(Phase.REQUEST, f"authority.{name}", inputs, predicate, poison, **words)


ROW_RULES = registry(
    [
        _row(
            "period_given",
            ("taxable_period",),
            given("taxable_period"),
            {"taxable_period": " "},
            code="NO_TAXABLE_PERIOD",
            message="No taxable period is given.",
            fix="Write YYYY or YYYY-YYYY.",
            source=f"{STATUTE}(B)(ii)",
        ),
        _row(
            "period",
            ("request_id", "taxable_period", "decided_on"),
            unless(
                f"NOT coalesce({given('taxable_period')}, false)",
                f"regexp_full_match({_PERIOD}, '{_PERIOD_FORM}') AND {_PERIOD}[1:4] <= {_PERIOD}[-4:]"
                f" AND try_cast({_PERIOD}[-4:] AS INTEGER) <= year(decided_on)",
            ),
            {"taxable_period": "2099"},
            code="BAD_TAXABLE_PERIOD",
            message="The taxable period is not a year or a span of years up to this one.",
            fix="Write YYYY or YYYY-YYYY.",
            source=f"{STATUTE}(B)(ii)",
        ),
        _row(
            "reason",
            ("reason",),
            f"{given('reason')} AND NOT {_NO_REASON}",
            {"reason": "N/A"},
            code="NO_REASON",
            message="No specific reason is given.",
            fix="Say why this disclosure is or may be relevant.",
            source=f"{STATUTE}(B)(iv)",
        ),
        _row(
            "officer_given",
            ("officer",),
            given("officer"),
            {"officer": ""},
            code="NO_OFFICER",
            message="No engaged officer is named.",
            fix="Name an officer of the letter's list.",
            source=f"{STATUTE}(A)",
        ),
        _row(
            "officer",
            ("request_id", "officer", "officers"),
            unless(f"NOT coalesce({given('officer')}, false)", "list_contains(officers, trim(officer))"),
            {"officer": "nobody-of-the-letter"},
            code="OFFICER_NOT_IN_LETTER",
            message="The officer is not in the letter's list.",
            fix="Name an officer of the letter's list.",
            source=f"{STATUTE}(A)",
        ),
        # what nobody has laid down the elements of, nobody can show
        _row(
            "statute",
            ("statute_known",),
            "statute_known",
            {"statute_known": False},
            code="STATUTE_UNKNOWN",
            message="The letter's statute is none whose elements are laid down.",
            fix="Name a statute of the agreement.",
            source=f"{STATUTE}(A)(i)",
        ),
    ]
)


def _batch(
    name: str,
    predicate: str,
    poison: Mapping[str, Any],
    *,
    disposition: Disposition = Disposition.REFUSE_BATCH,
    inputs: tuple[str, ...] | None = None,
    **words: Unpack[Words],
) -> Rule:
    says, reads = said(CodePhase.BATCH, words), inputs or tuple(poison)
    return Rule(f"authority.{name}", Scope.BATCH, Phase.REQUEST, reads, predicate, disposition, says, poison)


def _flag(fact: str, **words: Unpack[Words]) -> Rule:
    return _batch(fact, fact, {fact: False}, **words)


_INCOMPLETE: Words = {
    "code": "TOO_MANY_INCOMPLETE",
    "message": "Too large a share of the rows has an incomplete address.",
    "fix": "Fix these addresses; pre-flight lists each.",
    "source": f"agreement; {REVIEW}",
}
# Dates of a poison are clear of the limits under any threshold.
_EARLY, _LATE = date(2000, 1, 1), date(2999, 1, 1)
BATCH_RULES = registry(
    [
        _flag(
            "letter_signed",
            code="LETTER_UNSIGNED",
            message="The letter is not signed by a key of the agreement.",
            fix="Sign letter.toml with the enrolled key.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "agreement_in_force",
            code="AGREEMENT_NOT_IN_FORCE",
            message="The agreement is not in force on the decision date.",
            fix="Submit under an agreement in force.",
            source="agreement",
        ),
        _batch(
            "not_superseded",
            "len(superseded_by) = 0",
            {"superseded_by": ["an-agreement"]},
            code="AGREEMENT_SUPERSEDED",
            message="Another agreement has taken the place of this one.",
            fix="Submit under the agreement in force.",
            source="agreement",
        ),
        _batch(
            "no_court_order",
            "len(orders_against) = 0",
            {"orders_against": ["an-order"]},
            code="COURT_ORDER",
            message="A court order forbids disclosure under this agreement.",
            fix="None while the order stands.",
            source="court order",
        ),
        _batch(
            "no_order_to_hold",
            "len(orders_holding) = 0",
            {"orders_holding": ["an-order"]},
            disposition=Disposition.HOLD_BATCH,
            code="COURT_ORDER_HOLDS",
            message="A court order makes batches under this agreement wait.",
            fix="None while the order stands.",
            source="court order",
        ),
        _flag(
            "requester_is_party",
            code="REQUESTER_NOT_PARTY",
            message="The requester is not the agreement's.",
            fix="Submit under an agreement of your own.",
            source="agreement",
        ),
        _flag(
            "office_may_sign",
            code="OFFICE_MAY_NOT_SIGN",
            message="The signatory's office may not make this request.",
            fix="Have it signed by the head of the agency.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "signatory_may_sign",
            code="SIGNATORY_NOT_AUTHORISED",
            message="The signatory may not sign for this office on the letter's date.",
            fix="Have it signed by someone who may.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "statute_designated",
            code="STATUTE_NOT_DESIGNATED",
            message="The statute is not a designated criminal statute of the agreement.",
            fix="Name one that is.",
            source=f"{STATUTE}(A)(i)",
        ),
        _flag(
            "purpose_allowed",
            code="PURPOSE_NOT_ALLOWED",
            message="The purpose is not one of the agreement's.",
            fix="Name one that is.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "solely",
            code="NOT_SOLELY",
            message="The attestation of sole use is missing.",
            fix="Attest it in the letter.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "clearance",
            code="NO_CLEARANCE",
            message="The attestation under (i)(6) is missing.",
            fix="Attest it in the letter.",
            source="26 USC 6103(i)(6)",
        ),
        _batch(
            "officers_named",
            "len(officers) > 0",
            {"officers": []},
            code="NO_OFFICERS",
            message="The letter names no engaged officer.",
            fix="Name them.",
            source=f"{STATUTE}(A)",
        ),
        _flag(
            "safeguards_in_force",
            code="SAFEGUARDS_OPEN",
            message="The requester's safeguards are not in force.",
            fix="Close the findings or file a corrective plan.",
            source="26 USC 6103(p)(4)",
        ),
        _batch(
            "letter_dated",
            "letter_date <= received_on",
            {"letter_date": _LATE},
            inputs=("letter_date", "received_on"),
            code="LETTER_IN_FUTURE",
            message="The letter is dated after its receipt.",
            fix="Correct the date.",
            source="agreement",
        ),
        _batch(
            "letter_fresh",
            "received_on - letter_date <= letter_age_days",
            {"letter_date": _EARLY, "attested_on": _EARLY},
            inputs=("letter_date", "received_on", "letter_age_days"),
            code="LETTER_TOO_OLD",
            message="The letter is older than the agreement allows.",
            fix="Send a new letter.",
            source="agreement",
        ),
        _batch(
            "attested",
            "attested_on <= letter_date",
            {"attested_on": _LATE},
            inputs=("attested_on", "letter_date"),
            code="ATTESTED_AFTER_LETTER",
            message="The attestations are dated after the letter that holds them.",
            fix="Correct the date.",
            source="agreement",
        ),
        _batch(
            "attestation_fresh",
            "attested_on = letter_date OR received_on - attested_on <= attestation_days",
            {"attested_on": _EARLY},
            inputs=("attested_on", "letter_date", "received_on", "attestation_days"),
            code="ATTESTATION_EXPIRED",
            message="The attestations are older than the agreement allows.",
            fix="Attest anew.",
            source=f"agreement; {STATUTE}(A)",
        ),
        _batch(
            "volume",
            "rows_submitted <= rows_per_batch",
            {"rows_submitted": 10**9},
            inputs=("rows_submitted", "rows_per_batch"),
            code="TOO_MANY_ROWS",
            message="The batch is larger than the agreement allows.",
            fix="Split it, within the volume cap.",
            source="agreement",
        ),
        _batch(
            "volume_30_days",
            "rows_submitted + earlier_rows <= rows_30_days",
            {"earlier_rows": 10**9, "rows_30_days": 10**6},
            inputs=("rows_submitted", "earlier_rows", "rows_30_days"),
            code="TOO_MANY_ROWS_30_DAYS",
            message="More rows within 30 days than the agreement allows.",
            fix="Wait, or send fewer rows.",
            source="agreement",
        ),
        _batch(
            "reasons_specific",
            "identical_reason_rows <= identical_reason_share * rows_submitted",
            {"identical_reason_rows": 10**9},
            inputs=("identical_reason_rows", "identical_reason_share", "rows_submitted"),
            code="BOILERPLATE_REASONS",
            message="Too large a share of the rows gives one identical reason.",
            fix="Give reasons specific to each record.",
            source=f"{STATUTE}(B)(iv)",
        ),
        _batch(
            "officers_engaged",
            "busiest_officer_rows <= matters_per_officer",
            {"busiest_officer_rows": 10**9},
            inputs=("busiest_officer_rows", "matters_per_officer"),
            code="OFFICER_OVERLOADED",
            message="An officer is named for more matters than is plausible.",
            fix="Name the officers personally engaged.",
            source=f"{STATUTE}(A)",
        ),
        _batch(
            "incomplete_share",
            "incomplete_rows <= incomplete_share * (rows_submitted - rows_dropped)",
            {"incomplete_rows": 10**9},
            disposition=Disposition.HOLD_BATCH,
            inputs=("incomplete_rows", "incomplete_share", "rows_submitted", "rows_dropped"),
            **_INCOMPLETE,
        ),
        _batch(
            "incomplete_share_per_file",
            "worst_file_incomplete_share <= incomplete_share_per_file",
            {"worst_file_incomplete_share": 1.0, "incomplete_share_per_file": 0.15},
            disposition=Disposition.HOLD_BATCH,
            **_INCOMPLETE,
        ),
        _batch(
            "incomplete_share_by_code",
            "len(codes_over_limit) = 0",
            {"codes_over_limit": ["PLACEHOLDER"]},
            disposition=Disposition.HOLD_BATCH,
            **_INCOMPLETE,
        ),
        _batch(
            "incomplete_share_30_days",
            "incomplete_rows + earlier_incomplete_rows"
            " <= incomplete_share_30_days * (rows_submitted - rows_dropped + earlier_rows)",
            {"earlier_incomplete_rows": 10**9},
            disposition=Disposition.HOLD_BATCH,
            inputs=(
                "incomplete_rows",
                "earlier_incomplete_rows",
                "incomplete_share_30_days",
                "rows_submitted",
                "rows_dropped",
                "earlier_rows",
            ),
            **_INCOMPLETE,
        ),
        _batch(
            "work_left",
            "rows_open > 0",
            {"rows_open": 0},
            disposition=Disposition.HOLD_BATCH,
            code="NOTHING_TO_DO",
            message="No row is left to look at.",
            fix="Send at least one complete row.",
            source=f"{INVARIANT}, 8",
        ),
    ]
)
