"""Whether a field is given: a letter or a digit stands in it, of whatever script (26 USC 6103(i)(2)(B) wants each)."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from expectations.base.duck import session
from expectations.rules import sql

CASES: list[tuple[str | None, bool | None]] = [
    (None, None),
    ("", False),
    ("   \t\n", False),
    ("-- . --", False),
    ("\u200b\u200d\ufeff", False),  # characters without width
    ("\u0301", False),  # an accent without its letter
    ("x", True),
    ("  7 ", True),
    ("é", True),
    ("Ωμέγα", True),
    ("東京", True),  # letters that have no case
    ("٣", True),  # a digit of another script
    ("½", True),
    ("— № —", False),
    ("\U0001d54f", True),  # a mathematical letter
]


def said(texts: Sequence[str | None]) -> list[bool | None]:
    with session() as connection:
        rows = connection.execute(
            f"SELECT {sql.given('x')} FROM (SELECT unnest(?::VARCHAR[]) AS x)", [texts]
        ).fetchall()
    return [found for (found,) in rows]


def test_cases() -> None:
    assert said([text for text, _ in CASES]) == [found for _, found in CASES]


def test_is_what_the_categories_of_unicode_say() -> None:
    letters = [chr(point) for point in range(1, 0x20000) if not 0xD800 <= point < 0xE000]
    known = [letter for letter in letters if unicodedata.category(letter) != "Cn"]
    assert said(known) == [unicodedata.category(letter)[0] in "LN" for letter in known]
