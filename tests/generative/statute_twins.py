"""The elements of each statute once more, naively and in plain Python: twins of `expectations.rules.statutes`, by
citation.

A twin says which codes a row must get under a letter that names its statute. It shares no code with the rules.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

Row = Mapping[str, Any]

CLASSES = {"1": "ABCDEG", "2": "ABCDEF", "3": "ABCD", "4": "ABCDEF", "5": "", "6": "A"}
# how many clauses of a subparagraph are classes; none of those that are not here
CLAUSES = {"1C": 2, "1D": 1, "1E": 1, "1G": 2, "2A": 5, "2B": 2, "2D": 4, "2E": 2, "3B": 3, "3C": 1, "3D": 1}
CLAUSES |= {"4A": 3, "4C": 1}
ROMAN = ("i", "ii", "iii", "iv", "v")


def _day(text: str | None) -> date | None:
    written = (text or "").strip(" ")
    if len(written) != 10 or any(c not in "0123456789-" for c in written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _says_something(text: str | None) -> bool:
    return any(unicodedata.category(c)[0] in "LN" for c in text or "")


def _empty(text: str | None) -> bool:
    return all(c in " \t\n\f\r" or unicodedata.category(c) in ("Zs", "Zl", "Zp", "Cf") for c in text or "")


def _is_ground(text: str) -> bool:
    written = text.strip(" ")
    for title in ("8 USC ", "8 U.S.C. § ", "8 U.S.C. §", "8 U.S.C. "):
        written = written.removeprefix(title)
    if not (written.startswith("1227(a)(") and written.endswith(")")):
        return False
    parts = written[len("1227(a)(") : -1].split(")(")
    if parts[0] not in CLASSES or len(parts) > 3:
        return False
    subparagraph = len(parts) < 2 or (len(parts[1]) == 1 and parts[1] in CLASSES[parts[0]])
    return subparagraph and (len(parts) < 3 or parts[2] in ROMAN[: CLAUSES.get(parts[0] + parts[1], 0)])


def _prong(text: str | None) -> str | None:
    """A where none is named; None where what is named is none."""
    if _empty(text):
        return "A"
    written = (text or "").strip(" ")
    for title in ("8 USC ", "8 U.S.C. § ", "8 U.S.C. §", "8 U.S.C. "):
        written = written.removeprefix(title)
    short = written.removeprefix("1253(a)(1)")
    if short == written != (text or "").strip(" "):  # a title, and no section after it
        return None
    letter = short.removeprefix("(").removesuffix(")")
    return letter if len(letter) == 1 and letter in "ABCD" else None


def usc_8_1253(row: Row) -> set[str]:
    """An order, by reason of a ground, and more than so many days since it or since the court's."""
    found = set()
    order, court, letter = _day(row["final_order_date"]), _day(row["judicial_order_date"]), row["letter_date"]
    if not (_says_something(row["final_order_date"]) and _says_something(row["case_number"])):
        found.add("NO_FINAL_ORDER")
    if not _empty(row["final_order_date"]) and (order is None or order < date(1952, 12, 24)):
        found.add("BAD_FINAL_ORDER_DATE")
    if order is not None and order > letter:
        found.add("FINAL_ORDER_IN_FUTURE")
    if not _says_something(row["removal_ground"]):
        found.add("NO_REMOVAL_GROUND")
    elif not _is_ground(row["removal_ground"]):
        found.add("BAD_REMOVAL_GROUND")
    prong, conduct = _prong(row["prong"]), _day(row["conduct_date"])
    if prong is None:
        found.add("BAD_PRONG")
    if not _says_something(row["judicial_order_date"]):
        if prong == "A":
            found.add("NO_JUDICIAL_REVIEW_SAID")
    elif court is None and row["judicial_order_date"].strip().lower() != "none":
        found.add("BAD_JUDICIAL_ORDER_DATE")
    if court is not None and order is not None and court < order:
        found.add("JUDICIAL_ORDER_TOO_EARLY")
    if court is not None and court > letter:
        found.add("JUDICIAL_ORDER_IN_FUTURE")
    since = court or order
    if (
        prong == "A"
        and since is not None
        and since <= letter
        and (letter - since).days <= row["days_after_final_order"]
    ):
        found.add("FINAL_ORDER_TOO_RECENT")
    return found | _conduct(row, prong, order, conduct)


def _conduct(row: Row, prong: str | None, order: date | None, conduct: date | None) -> set[str]:
    found = set()
    if not _says_something(row["conduct_date"]):
        if prong in ("B", "C", "D"):
            found.add("NO_CONDUCT_DATE")
    elif conduct is None:
        found.add("BAD_CONDUCT_DATE")
    if conduct is not None and order is not None and conduct < order:
        found.add("CONDUCT_BEFORE_ORDER")
    if conduct is not None and conduct > row["letter_date"]:
        found.add("CONDUCT_IN_FUTURE")
    if prong == "D" and not _says_something(row["conduct_place"]):
        found.add("NO_CONDUCT_PLACE")
    if _says_something(row["proper_steps"]) and row["proper_steps"].strip().lower() != "none":
        found.add("PROPER_STEPS_TAKEN")
    return found


TWINS: dict[str, Callable[[Row], set[str]]] = {"8 USC 1253(a)(1)": usc_8_1253}
