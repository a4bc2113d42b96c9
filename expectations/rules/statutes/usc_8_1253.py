"""8 USC 1253(a)(1): failure to depart.

Its elements, as far as a request can show them: an outstanding final order of removal, by reason of a ground of 8 USC
1227(a), and more than 90 days since that order; since the reviewing court's final order, if there was judicial review.
A flag that says "final order" shows none of this.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial

from expectations.rules.rule import registry
from expectations.rules.sql import blank, given, missing, unless
from expectations.rules.statutes.statute import Statute, element

CITATION = "8 USC 1253(a)(1)"
DAYS = 90
# the Immigration and Nationality Act takes effect: what is dated before stands for "unknown"
FIRST = date(1952, 12, 24)

# The classes of deportable aliens: paragraphs (1) to (6), their subparagraphs and clauses. (7) and (1)(H) waive, (6)(B)
# excepts, (1)(F) is repealed.
_SUBPARAGRAPH = r"(\(1\)\([A-EG]\)|\([24]\)\([A-F]\)|\(3\)\([A-D]\)|\(6\)\(A\))"
_GROUND = rf"(8 U\.?S\.?C\.? (§ ?)?)?1227\(a\)(\([1-6]\)|{_SUBPARAGRAPH}(\((i{{1,3}}|iv|vi{{0,2}})\))?)"

_ORDER, _COURT = "std_date(final_order_date)", "std_date(judicial_order_date)"
_NO_REVIEW = "regexp_full_match(judicial_order_date, '(?i)\\s*none\\s*')"
_FROM = f"coalesce({_COURT}, {_ORDER})"  # the 90 days run from here

_element = partial(element, "usc_8_1253", CITATION)
RULES = registry(
    _element(
        ("final_order_given", "NO_FINAL_ORDER", CITATION),
        ("final_order_date", "case_number"),
        f"{given('final_order_date')} AND {given('case_number')}",
        {"case_number": ""},
        ("The date and the case of the final order are needed.", "Give the date and the case of the final order."),
    ),
    _element(
        ("final_order_date", "BAD_FINAL_ORDER_DATE", CITATION),
        ("request_id", "final_order_date"),
        unless(blank("final_order_date"), f"{_ORDER} >= DATE '{FIRST}'"),
        {"final_order_date": "2025-02-30"},
        ("The final-order date is not a possible date (YYYY-MM-DD).", "Write it as YYYY-MM-DD."),
    ),
    _element(
        ("final_order_passed", "FINAL_ORDER_IN_FUTURE", CITATION),
        ("request_id", "final_order_date", "letter_date"),
        unless(f"{_ORDER} IS NULL", f"{_ORDER} <= letter_date"),
        {"final_order_date": "2999-01-01"},
        ("The final-order date lies after the letter's date.", "Correct the date."),
    ),
    _element(
        ("ground_given", "NO_REMOVAL_GROUND", CITATION),
        ("removal_ground",),
        given("removal_ground"),
        {"removal_ground": " "},
        ("The ground of removal is not given.", "Give the paragraph of 8 USC 1227(a)."),
    ),
    # a ground of inadmissibility (8 USC 1182) is none of 1227(a)
    _element(
        ("ground", "BAD_REMOVAL_GROUND", CITATION),
        ("request_id", "removal_ground"),
        unless(missing("removal_ground"), f"regexp_full_match(trim(removal_ground), '{_GROUND}')"),
        {"removal_ground": "1182(a)(6)(A)(i)"},
        ("The ground of removal is no class of deportable aliens of 8 USC 1227(a).", "Write it as 1227(a)(1)(B)."),
    ),
    # left blank, nobody could tell an order that no court reviewed from one whose days run from the court's
    _element(
        ("judicial_review_said", "NO_JUDICIAL_REVIEW_SAID", CITATION),
        ("judicial_order_date",),
        given("judicial_order_date"),
        {"judicial_order_date": " "},
        ("It is not stated whether a court reviewed the order.", "Give the date of the court's final order, or none."),
    ),
    _element(
        ("judicial_order_date", "BAD_JUDICIAL_ORDER_DATE", CITATION),
        ("request_id", "judicial_order_date"),
        unless(missing("judicial_order_date"), f"{_COURT} IS NOT NULL OR {_NO_REVIEW}"),
        {"judicial_order_date": "yes"},
        (
            "The date of the court's final order is not a date (YYYY-MM-DD).",
            "Write it as YYYY-MM-DD, or none if no court reviewed the order.",
        ),
    ),
    _element(
        ("judicial_order_follows", "JUDICIAL_ORDER_TOO_EARLY", CITATION),
        ("request_id", "judicial_order_date", "final_order_date"),
        unless(f"{_COURT} IS NULL OR {_ORDER} IS NULL", f"{_COURT} >= {_ORDER}"),
        {"judicial_order_date": "1999-01-01"},
        ("The court's final order is dated before the order that it reviews.", "Correct the dates."),
    ),
    _element(
        ("judicial_order_passed", "JUDICIAL_ORDER_IN_FUTURE", CITATION),
        ("request_id", "judicial_order_date", "letter_date"),
        unless(f"{_COURT} IS NULL", f"{_COURT} <= letter_date"),
        {"judicial_order_date": "2999-01-01"},
        ("The court's final order is dated after the letter.", "Correct the date."),
    ),
    # "more than 90 days": the 90th day itself is too recent
    _element(
        ("days_elapsed", "FINAL_ORDER_TOO_RECENT", CITATION),
        ("request_id", "final_order_date", "judicial_order_date", "letter_date", "days_after_final_order"),
        unless(f"{_FROM} IS NULL OR {_FROM} > letter_date", f"letter_date - {_FROM} > days_after_final_order"),
        {"final_order_date": "2026-03-03", "letter_date": date(2026, 6, 1), "days_after_final_order": DAYS},
        (
            "No more than the 90 days (or what the agreement asks) have passed from the final order, or the"
            " reviewing court's, to the letter.",
            "Request again once more days have passed.",
        ),
    ),
)


def _example(letter_date: date, thresholds: Mapping[str, int]) -> dict[str, str]:
    ordered = letter_date - timedelta(days=thresholds["days_after_final_order"] + 180)
    return {
        "final_order_date": ordered.isoformat(),
        "judicial_order_date": "none",
        "removal_ground": "1227(a)(1)(B)",
        "case_number": f"CASE-{ordered:%Y-%j}",
    }


STATUTE = Statute(
    citation=CITATION,
    columns=("final_order_date", "judicial_order_date", "removal_ground", "case_number"),
    thresholds={"days_after_final_order": DAYS},
    rules=RULES,
    example=_example,
)
