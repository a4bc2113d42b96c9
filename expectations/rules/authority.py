"""Whether a batch may be answered at all: what its letter, its agreement and court orders say (26 USC 6103(i)(2)).

These read the one-row table of `expectations.facts`.
"""

from __future__ import annotations

from datetime import date
from typing import Unpack

from expectations.code import STATUTE
from expectations.rules.rule import Disposition, Rule, Words, batch_rule, registry


def _flag(fact: str, **words: Unpack[Words]) -> Rule:
    return batch_rule(fact, fact, {fact: False}, **words)


# Dates of a poison are clear of the limits under any threshold.
_EARLY, _LATE = date(2000, 1, 1), date(2999, 1, 1)
RULES = registry(
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
        batch_rule(
            "not_superseded",
            "len(superseded_by) = 0",
            {"superseded_by": ["an-agreement"]},
            code="AGREEMENT_SUPERSEDED",
            message="Another agreement has taken the place of this one.",
            fix="Submit under the agreement in force.",
            source="agreement",
        ),
        batch_rule(
            "no_court_order",
            "len(orders_against) = 0",
            {"orders_against": ["an-order"]},
            code="COURT_ORDER",
            message="A court order forbids disclosure under this agreement.",
            fix="None while the order stands.",
            source="court order",
        ),
        batch_rule(
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
        batch_rule(
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
        batch_rule(
            "letter_dated",
            "letter_date <= received_on",
            {"letter_date": _LATE},
            inputs=("letter_date", "received_on"),
            code="LETTER_IN_FUTURE",
            message="The letter is dated after its receipt.",
            fix="Correct the date.",
            source="agreement",
        ),
        batch_rule(
            "letter_fresh",
            "received_on - letter_date <= letter_age_days",
            {"letter_date": _EARLY, "attested_on": _EARLY},
            inputs=("letter_date", "received_on", "letter_age_days"),
            code="LETTER_TOO_OLD",
            message="The letter is older than the agreement allows.",
            fix="Send a new letter.",
            source="agreement",
        ),
        batch_rule(
            "attested",
            "attested_on <= letter_date",
            {"attested_on": _LATE},
            inputs=("attested_on", "letter_date"),
            code="ATTESTED_AFTER_LETTER",
            message="The attestations are dated after the letter that holds them.",
            fix="Correct the date.",
            source="agreement",
        ),
        batch_rule(
            "attestation_fresh",
            "attested_on = letter_date OR received_on - attested_on <= attestation_days",
            {"attested_on": _EARLY},
            inputs=("attested_on", "letter_date", "received_on", "attestation_days"),
            code="ATTESTATION_EXPIRED",
            message="The attestations are older than the agreement allows.",
            fix="Attest anew.",
            source=f"agreement; {STATUTE}(A)",
        ),
    ]
)
