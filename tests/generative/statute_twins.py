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
CLAUSES = ("i", "ii", "iii", "iv", "v", "vi", "vii")


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
    return subparagraph and (len(parts) < 3 or parts[2] in CLAUSES)


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
    if not _says_something(row["judicial_order_date"]):
        found.add("NO_JUDICIAL_REVIEW_SAID")
    elif court is None and row["judicial_order_date"].strip().lower() != "none":
        found.add("BAD_JUDICIAL_ORDER_DATE")
    if court is not None and order is not None and court < order:
        found.add("JUDICIAL_ORDER_TOO_EARLY")
    if court is not None and court > letter:
        found.add("JUDICIAL_ORDER_IN_FUTURE")
    since = court or order
    if since is not None and since <= letter and (letter - since).days <= row["days_after_final_order"]:
        found.add("FINAL_ORDER_TOO_RECENT")
    return found


TWINS: dict[str, Callable[[Row], set[str]]] = {"8 USC 1253(a)(1)": usc_8_1253}
