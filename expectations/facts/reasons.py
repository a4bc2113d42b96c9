"""When two requests give one reason: the same words, whatever is put between them and however they are written.

26 USC 6103(i)(2)(B)(iv) asks for the specific reason of each request. Accents, spaces, punctuation, invisible
characters and letters that only look like others make no reason another; nor does a number, unless it is one of the
record's own (its case, the dates of its orders): a counter says nothing about a person.
"""

from expectations.base.duck import quote

_LOOK_ALIKE = {  # capitals; `upper` comes before
    "АВЕЅІЈКМНОРСТУХ": "ABESIJKMHOPCTYX",  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ": "ABEZHIKMNOPTYX",  # Greek
    "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # full width
    "０１２３４５６７８９": "0123456789",
}


def words(text: str) -> str:
    """SQL of the words of `text`: capitals and digits of the plain alphabet where there are such, spaced by one."""
    plain = f"upper(strip_accents(nfc_normalize(regexp_replace({text}, '[\\p{{Cf}}]', '', 'g'))))"
    for odd, usual in _LOOK_ALIKE.items():
        plain = f"translate({plain}, {quote(odd)}, {quote(usual)})"
    # most reasons are plain
    seen = f"CASE WHEN regexp_full_match({text}, '[ -~]*') THEN upper({text}) ELSE {plain} END"
    # a space alone stays as it is: a replacement for each would cost twice as much
    between = "[^\\p{L}\\p{N}]*[^\\p{L}\\p{N} ][^\\p{L}\\p{N}]*|  +"
    return f"trim(regexp_replace({seen}, '{between}', ' ', 'g'))"


def same(said: str) -> str:
    """SQL of what a reason says beside numbers that are not the record's own; `said`: a column with its `words`.

    Reads the case, named by the last word of its number, and the dates of the orders. Equal for two requests that
    differ in a counter only; equal words are one reason anyway. No lambda over lists: it takes a hundred times as long.
    """
    last = "regexp_extract(upper(case_number), '([A-Z0-9]*[0-9][A-Z0-9]*)[^A-Z0-9]*$', 1)"
    days = [f"replace(trim({date}), '-', ' ')" for date in ("final_order_date", "judicial_order_date")]
    kept = "".join(
        f" || CASE WHEN {part} <> '' AND contains(' ' || {said} || ' ', ' ' || {part} || ' ')"
        f" THEN '|' || {whole} ELSE '' END"
        for part, whole in ((last, "case_number"), *((day, day) for day in days))
    )
    beside = f"trim(regexp_replace({said}, '(?:[^ ]*\\p{{N}}[^ ]*(?: |$))+', '', 'g'))"
    return f"CASE WHEN regexp_matches({said}, '\\p{{N}}') THEN {beside}{kept} ELSE {said} END"
