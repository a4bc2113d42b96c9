"""The legal elements of each row that every statute asks for: 26 USC 6103(i)(2).

The elements of the criminal statute that a letter names are rules of their own (`rules.statutes`). These read the
canonical row with letter facts beside it (`facts.sql`). Each speaks of one defect, so that the requester reads of that
one only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from expectations.code import STATUTE
from expectations.rules.rule import Phase, Rule, Words, registry, row_rule
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


RULES = registry(
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
