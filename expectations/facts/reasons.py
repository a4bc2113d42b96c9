"""When two requests give one reason: the same words, whatever is put between them and however they are written.

26 USC 6103(i)(2)(B)(iv) asks for the specific reason of each request. Accents, spaces, punctuation, invisible
characters and letters that only look like others make no reason another. Nor does a counter, since it says nothing
about a person: a number (unless it is one of the record's own: its case, the dates of its orders), a number or a letter
in words, or any other word in its place. When unsure, two reasons are the same.
"""

from collections.abc import Iterable

from expectations.base.duck import quote
from expectations.facts.counters import COUNTER
from expectations.rules.sql import given

_LOOK_ALIKE = {  # capitals; `upper` comes before
    "АВЕЅІЈКМНОРСТУХ": "ABESIJKMHOPCTYX",  # Cyrillic
    "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ": "ABEZHIKMNOPTYX",  # Greek
    "ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ": "ABCDEFGHIJKLMNOPQRSTUVWXYZ",  # full width
    "０１２３４５６７８９": "0123456789",
}
# Words by their first letter. Each key leaves out one third: whatever word stands for a counter, it is gone from one
# of them, so that of rows that differ in it a third at least have one key.
_THIRDS = ("[A-F]", "[G-P]", "[Q-Z]")
KEYS = ("words", *(f"without_{n}" for n in range(1, len(_THIRDS) + 1)))
# what is read of a row
READ = ("reason", "case_number", "final_order_date", "judicial_order_date")


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


def keys(rows: str, carried: Iterable[str] = ()) -> str:
    """A SELECT of `carried` and KEYS, for the rows of relation `rows` (with the columns READ) that give a reason.

    Two rows give one reason if they have one of the keys in common: `words`, word for word; the others, beside numbers
    that are not the record's own, counters in words, and the words of one third of the alphabet. A row alone in naming
    its own case gives the reason of that case, whatever else it says. No lambda over lists: it takes a hundred times as
    long. The steps bear a prefix: one called like the relation that is given would hide it.
    """
    kept = "".join(f"{name}, " for name in carried)
    beside = "CASE WHEN regexp_matches(words, '\\p{N}') THEN " + f"{_WITHOUT_NUMBERS} ELSE words END"
    thirds = ", ".join(
        f"CASE WHEN is_alone THEN {_KEY_ALONE[n]} ELSE {quote(f'{n} ')} || replace("
        f"regexp_replace({beside}, '\\b(?:{third}[A-Z]*|{COUNTER})\\b', '', 'g'), ' ', '') || own END AS {KEYS[n]}"
        for n, third in enumerate(_THIRDS, 1)
    )
    return f"""
    WITH r_said AS (
      SELECT {kept}{words("reason")} AS words, case_number, final_order_date, judicial_order_date FROM {rows}
      WHERE {given("reason")}
    ), r_own AS MATERIALIZED (
      SELECT {kept}words, {_CASE} AS named, {_OWN} AS own FROM (
        SELECT *, {_LAST} AS last FROM r_said)
    ), r_shared AS (
      SELECT named FROM r_own GROUP BY named HAVING count(*) > 1 OR named = ''
    )
    SELECT {kept}words, {thirds} FROM (SELECT *, named NOT IN (SELECT named FROM r_shared) AS is_alone FROM r_own)"""


_WITHOUT_NUMBERS = "regexp_replace(words, '(?:[^ ]*\\p{N}[^ ]*(?: |$))+', '', 'g')"
_KEY_ALONE = {1: "own", 2: "NULL", 3: "NULL"}


def _in_words(part: str, whole: str) -> str:
    """SQL of one of the record's own numbers if the reason has it (`part`), else an empty text."""
    is_there = f"{part} <> '' AND contains(' ' || words || ' ', ' ' || {part} || ' ')"
    return f"CASE WHEN {is_there} THEN '|' || {whole} ELSE '' END"


# the record's own numbers: its case, named by the last word of its number, and the dates of its orders
_LAST = "regexp_extract(upper(case_number), '([A-Z0-9]*[0-9][A-Z0-9]*)[^A-Z0-9]*$', 1)"
_CASE = _in_words("last", "case_number")
_DAYS = tuple(
    _in_words(f"replace(trim({day}), '-', ' ')", f"trim({day})") for day in ("final_order_date", "judicial_order_date")
)
_OWN = " || ".join((_CASE, *_DAYS))
