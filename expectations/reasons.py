"""When two requests give one reason: the same words, whatever is put between them and however they are written.

26 USC 6103(i)(2)(B)(iv) asks for the specific reason of each request. Accents, spaces, punctuation, invisible characters and
letters that only look like others make no reason another; nor does a number, unless it is one of the record's own (its case,
the dates of its orders): a counter says nothing about a person.
"""

from __future__ import annotations

from expectations.duck import quote

_OWN = ("case_number", "final_order_date", "judicial_order_date")
_LOOK_ALIKE = {  # capitals; `upper` comes before
    "АВЕЅІЈКМНОРСТУХ": "ABESIJKMHOPCTYX",  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ": "ABEZHIKMNOPTYX",  # Greek
    "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # full width
    "０１２３４５６７８９": "0123456789",
}


def words(text: str) -> str:
    """SQL of the words of `text`: capitals and digits of the plain alphabet as far as they can be had, one space between."""
    plain = f"upper(strip_accents(nfc_normalize(regexp_replace({text}, '[\\p{{Cf}}]', '', 'g'))))"
    for odd, usual in _LOOK_ALIKE.items():
        plain = f"translate({plain}, {quote(odd)}, {quote(usual)})"
    # most reasons are plain
    seen = f"CASE WHEN regexp_full_match({text}, '[ -~]*') THEN upper({text}) ELSE {plain} END"
    return f"trim(regexp_replace({seen}, '[^\\p{{L}}\\p{{N}}]+', ' ', 'g'))"


def same(reason: str = "reason") -> str:
    """SQL of what a reason says beside numbers that are not the record's own, which it reads as well. Equal for two requests
    that differ in a counter only; equal `words` are one reason whatever the numbers are."""
    said, text = words(reason), " || ' ' || ".join(f"coalesce({c}, '')" for c in _OWN)
    mine = f"string_split({words(f'({text})')}, ' ')"
    kept = f"list_filter(string_split({said}, ' '), w -> NOT regexp_matches(w, '\\p{{N}}') OR list_contains({mine}, w))"
    return f"CASE WHEN regexp_matches({reason}, '\\p{{N}}') THEN array_to_string({kept}, ' ') ELSE {said} END"
