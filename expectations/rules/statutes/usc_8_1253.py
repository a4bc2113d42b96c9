"""8 USC 1253(a)(1): failure to depart.

All of it needs an outstanding final order of removal by reason of a class of 8 USC 1227(a). What the alien did is one
of four prongs, and each has elements of its own (DOJ Criminal Resource Manual 1915):

(A) fails or refuses to depart within 90 days from the final order, or from the court's, if there was judicial review
(B) fails or refuses to make timely application in good faith for travel or other documents
(C) connives or conspires, or takes any other action, to prevent or hamper the departure
(D) fails or refuses to present himself for removal at the time and place required

The 90 days belong to (A) alone. A request that names no prong is judged by (A), as all were before prongs could be
named. By (a)(2) it is no violation to take proper steps to have the order cancelled or to be exempted from it: a row
that says so is held, and one that says nothing claims no exception. A flag that says "final order" shows none of this.

26 USC 6103(i)(2)(B) asks the requester for its authority and its reasons, not to prove elements. That each row shows
them is this holder's policy, and the source of each rule says so.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import partial

from expectations.base.duck import quote
from expectations.code import POLICY
from expectations.rules.rule import registry
from expectations.rules.sql import BLANK, blank, given, missing, unless
from expectations.rules.statutes.grounds_8_1227 import GROUNDS
from expectations.rules.statutes.statute import Statute, element

CITATION = "8 USC 1253(a)(1)"
DAYS = 90
# the Immigration and Nationality Act takes effect: what is dated before stands for "unknown"
FIRST = date(1952, 12, 24)

_SOURCE = f"{POLICY}: {CITATION}"
_A, _B_TO_D, _D = f"{_SOURCE}(A)", f"{_SOURCE}(B) to (D)", f"{_SOURCE}(D)"

# the ground without the title of the code before it
_GROUND = r"regexp_extract(trim(removal_ground), '^(?:8 U\.?S\.?C\.? (?:§ ?)?)?(1227\(a\).*)$', 1)"


def _prong(letters: str) -> str:
    """TRUE if `prong` names one of these, as A, (A), 1253(a)(1)(A) or with the title before it; NULL if it is NULL."""
    return rf"regexp_full_match(trim(prong), '(?:(?:8 U\.?S\.?C\.? (?:§ ?)?)?1253\(a\)\(1\))?\(?{letters}\)?')"


# an unknown prong is held for being none, and for nothing else
# a request that names no prong is judged by (A): spaces are TRUE, and NULL waives nothing either
_OF_A = f"(regexp_full_match(prong, '{BLANK}') OR {_prong('A')})"
_OF_B_TO_D, _OF_D = (f"coalesce({_prong(letters)}, false)" for letters in ("[B-D]", "D"))
_CONDUCT = "std_date(conduct_date)"

_ORDER, _COURT = "std_date(final_order_date)", "std_date(judicial_order_date)"
_NO_REVIEW = "regexp_full_match(judicial_order_date, '(?i)\\s*none\\s*')"
_FROM = f"coalesce({_COURT}, {_ORDER})"  # the 90 days run from here

_element = partial(element, "usc_8_1253", CITATION)
RULES = registry(
    _element(
        ("final_order_given", "NO_FINAL_ORDER", _SOURCE),
        ("final_order_date", "case_number"),
        f"{given('final_order_date')} AND {given('case_number')}",
        {"case_number": ""},
        ("The date and the case of the final order are needed.", "Give the date and the case of the final order."),
    ),
    _element(
        ("final_order_date", "BAD_FINAL_ORDER_DATE", _SOURCE),
        ("request_id", "final_order_date"),
        unless(blank("final_order_date"), f"{_ORDER} >= DATE '{FIRST}'"),
        {"final_order_date": "2025-02-30"},
        ("The final-order date is not a possible date (YYYY-MM-DD).", "Write it as YYYY-MM-DD."),
    ),
    _element(
        ("final_order_passed", "FINAL_ORDER_IN_FUTURE", _SOURCE),
        ("request_id", "final_order_date", "letter_date"),
        unless(f"{_ORDER} IS NULL", f"{_ORDER} <= letter_date"),
        {"final_order_date": "2999-01-01"},
        ("The final-order date lies after the letter's date.", "Correct the date."),
    ),
    _element(
        ("ground_given", "NO_REMOVAL_GROUND", _SOURCE),
        ("removal_ground",),
        given("removal_ground"),
        {"removal_ground": " "},
        ("The ground of removal is not given.", "Give the paragraph of 8 USC 1227(a)."),
    ),
    # a ground of inadmissibility (8 USC 1182) is none of 1227(a)
    _element(
        ("ground", "BAD_REMOVAL_GROUND", _SOURCE),
        ("request_id", "removal_ground"),
        unless(missing("removal_ground"), f"{_GROUND} IN ({', '.join(map(quote, GROUNDS))})"),
        {"removal_ground": "1182(a)(6)(A)(i)"},
        ("The ground of removal is no class of deportable aliens of 8 USC 1227(a).", "Write it as 1227(a)(1)(B)."),
    ),
    # left blank, nobody could tell an order that no court reviewed from one whose days run from the court's
    _element(
        ("judicial_review_said", "NO_JUDICIAL_REVIEW_SAID", _A),
        ("judicial_order_date", "prong"),
        f"NOT {_OF_A} OR {given('judicial_order_date')}",
        {"judicial_order_date": " "},
        ("It is not stated whether a court reviewed the order.", "Give the date of the court's final order, or none."),
    ),
    _element(
        ("judicial_order_date", "BAD_JUDICIAL_ORDER_DATE", _SOURCE),
        ("request_id", "judicial_order_date"),
        unless(missing("judicial_order_date"), f"{_COURT} IS NOT NULL OR {_NO_REVIEW}"),
        {"judicial_order_date": "yes"},
        (
            "The date of the court's final order is not a date (YYYY-MM-DD).",
            "Write it as YYYY-MM-DD, or none if no court reviewed the order.",
        ),
    ),
    _element(
        ("judicial_order_follows", "JUDICIAL_ORDER_TOO_EARLY", _SOURCE),
        ("request_id", "judicial_order_date", "final_order_date"),
        unless(f"{_COURT} IS NULL OR {_ORDER} IS NULL", f"{_COURT} >= {_ORDER}"),
        {"judicial_order_date": "1999-01-01"},
        ("The court's final order is dated before the order that it reviews.", "Correct the dates."),
    ),
    _element(
        ("judicial_order_passed", "JUDICIAL_ORDER_IN_FUTURE", _SOURCE),
        ("request_id", "judicial_order_date", "letter_date"),
        unless(f"{_COURT} IS NULL", f"{_COURT} <= letter_date"),
        {"judicial_order_date": "2999-01-01"},
        ("The court's final order is dated after the letter.", "Correct the date."),
    ),
    # "more than 90 days": the 90th day itself is too recent
    _element(
        ("days_elapsed", "FINAL_ORDER_TOO_RECENT", _A),
        ("request_id", "final_order_date", "judicial_order_date", "letter_date", "days_after_final_order", "prong"),
        unless(
            f"{_FROM} IS NULL OR {_FROM} > letter_date OR NOT {_OF_A}",
            f"letter_date - {_FROM} > days_after_final_order",
        ),
        {"final_order_date": "2026-03-03", "letter_date": date(2026, 6, 1), "days_after_final_order": DAYS},
        (
            "No more than the 90 days (or what the agreement asks) have passed from the final order, or the"
            " reviewing court's, to the letter.",
            "Request again once more days have passed.",
        ),
    ),
    _element(
        ("prong", "BAD_PRONG", _SOURCE),
        ("request_id", "prong"),
        unless(blank("prong"), _prong("[A-D]")),
        {"prong": "(E)"},
        ("The prong is none of 8 USC 1253(a)(1)(A) to (D).", "Write A, B, C or D, or leave it out for (A)."),
    ),
    _element(
        ("conduct_given", "NO_CONDUCT_DATE", _B_TO_D),
        ("request_id", "conduct_date", "prong"),
        unless(f"NOT {_OF_B_TO_D}", given("conduct_date")),
        {"prong": "B", "conduct_date": " "},
        (
            "The day of the conduct is not given.",
            "Give the day by which documents were to be applied for (B), of the act (C), or set for removal (D).",
        ),
    ),
    _element(
        ("conduct_date", "BAD_CONDUCT_DATE", _B_TO_D),
        ("request_id", "conduct_date"),
        unless(missing("conduct_date"), f"{_CONDUCT} IS NOT NULL"),
        {"conduct_date": "spring"},
        ("The day of the conduct is not a date (YYYY-MM-DD).", "Write it as YYYY-MM-DD."),
    ),
    # before the order there was none to be outstanding
    _element(
        ("conduct_follows", "CONDUCT_BEFORE_ORDER", _B_TO_D),
        ("request_id", "conduct_date", "final_order_date"),
        unless(f"{_CONDUCT} IS NULL OR {_ORDER} IS NULL", f"{_CONDUCT} >= {_ORDER}"),
        {"conduct_date": "1999-01-01"},
        ("The conduct is dated before the final order.", "Correct the dates."),
    ),
    _element(
        ("conduct_passed", "CONDUCT_IN_FUTURE", _B_TO_D),
        ("request_id", "conduct_date", "letter_date"),
        unless(f"{_CONDUCT} IS NULL", f"{_CONDUCT} <= letter_date"),
        {"conduct_date": "2999-01-01"},
        ("The conduct is dated after the letter.", "Correct the date."),
    ),
    _element(
        ("conduct_place_given", "NO_CONDUCT_PLACE", _D),
        ("request_id", "conduct_place", "prong"),
        unless(f"NOT {_OF_D}", given("conduct_place")),
        {"prong": "D", "conduct_date": "2025-06-01", "conduct_place": ""},
        ("The place that was set for removal is not given.", "Give the place at which the person was to appear."),
    ),
    _element(
        ("no_proper_steps", "PROPER_STEPS_TAKEN", f"{POLICY}: 8 USC 1253(a)(2)"),
        ("request_id", "proper_steps"),
        unless(missing("proper_steps"), "regexp_full_match(proper_steps, '(?i)\\s*none\\s*')"),
        {"proper_steps": "motion to reopen"},
        (
            "Proper steps were taken to have the order cancelled, or to be exempted from it.",
            "Request again if they have ended and the conduct went on.",
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
