"""The legal elements of each row that every statute asks for: 26 USC 6103(i)(2).

The elements of the criminal statute that a letter names are rules of their own (`rules.statutes`). These read the
canonical row with letter facts beside it (`facts.sql`). Each speaks of one defect, so that the requester reads of that
one only. The statute asks for engaged officers, not for one to be named in each row: that is the holder's policy.
"""

from functools import partial

from expectations.code import POLICY, STATUTE
from expectations.rules.rule import Phase, registry, row_rule
from expectations.rules.sql import given, missing, unless

# What stands in a reason field for "none"; spaces and punctuation may stand between the words, or not.
NO_REASONS = ("N/A", "NONE", "NULL", "NOT APPLICABLE", "SAME", "SEE LETTER", "TBD", "TEST", "UNKNOWN")
_APART = r"[\s\p{P}]*"
_NO_REASONS = "|".join(_APART.join(reason.replace("/", " ").split()) for reason in NO_REASONS)
_NO_REASON = f"regexp_full_match(upper(reason), '{_APART}({_NO_REASONS}){_APART}')"
_PERIOD = "trim(taxable_period)"
_PERIOD_FORM = "(19|20)[0-9]{2}(-(19|20)[0-9]{2})?"


_row = partial(row_rule, Phase.REQUEST, "authority")
RULES = registry(
    _row(
        ("period_given", "NO_TAXABLE_PERIOD", f"{STATUTE}(B)(ii)"),
        ("taxable_period",),
        given("taxable_period"),
        {"taxable_period": " "},
        ("No taxable period is given.", "Write YYYY or YYYY-YYYY."),
    ),
    _row(
        ("period", "BAD_TAXABLE_PERIOD", f"{STATUTE}(B)(ii)"),
        ("request_id", "taxable_period", "decided_on"),
        unless(
            missing("taxable_period"),
            f"regexp_full_match({_PERIOD}, '{_PERIOD_FORM}') AND {_PERIOD}[1:4] <= {_PERIOD}[-4:]"
            f" AND try_cast({_PERIOD}[-4:] AS INTEGER) <= year(decided_on)",
        ),
        {"taxable_period": "2099"},
        ("The taxable period is not a year or a span of years up to this one.", "Write YYYY or YYYY-YYYY."),
    ),
    _row(
        ("reason", "NO_REASON", f"{STATUTE}(B)(iv)"),
        ("reason",),
        f"{given('reason')} AND NOT {_NO_REASON}",
        {"reason": "N/A"},
        ("No specific reason is given.", "Say why this disclosure is or may be relevant."),
    ),
    _row(
        ("officer_given", "NO_OFFICER", f"{POLICY}: {STATUTE}(A)"),
        ("officer",),
        given("officer"),
        {"officer": ""},
        ("No engaged officer is named.", "Name an officer of the letter's list."),
    ),
    _row(
        ("officer", "OFFICER_NOT_IN_LETTER", f"{POLICY}: {STATUTE}(A)"),
        ("request_id", "officer", "officers"),
        unless(missing("officer"), "list_contains(officers, trim(officer))"),
        {"officer": "nobody-of-the-letter"},
        ("The officer is not in the letter's list.", "Name an officer of the letter's list."),
    ),
    # what nobody has laid down the elements of, nobody can show
    _row(
        ("statute", "STATUTE_UNKNOWN", f"{STATUTE}(A)(i)"),
        ("statute_known",),
        "statute_known",
        {"statute_known": False},
        ("The letter's statute is none whose elements are laid down.", "Name a statute of the agreement."),
    ),
)
