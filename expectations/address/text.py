"""Text made plain: capitals, ASCII, one space between words. What cannot be made plain becomes the mark `¿`.

No parsing pattern accepts the mark, so that a character we cannot read never helps an address to be complete. Most rows
are ASCII and take the short path; the long tables are touched by the others only. The fields of a row are cleaned as
one text, with a separator between them: one pass instead of one for each field.
"""

import unicodedata
from collections.abc import Sequence
from functools import cache

from expectations.base.duck import quote

MARK = "¿"
SEPARATOR = "\x1f"  # the unit separator of ASCII, between the fields of a row while they are cleaned
# Characters without width: they split a word for a pattern, not for the eye.
ZERO_WIDTH = (
    r"[\x{00AD}\x{034F}\x{061C}\x{115F}\x{1160}\x{17B4}\x{17B5}\x{180B}-\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}"
    r"\x{2060}-\x{206F}\x{3164}\x{FE00}-\x{FE0F}\x{FEFF}\x{FFA0}\x{E0000}-\x{E0FFF}]"
)
# Capitals of other scripts that look like ours (after upper()); only letters for letters, never a digit.
LOOK_ALIKES = dict(
    zip(
        "АВЕЅІЈКМНОРСТУХҮԚԜЅҺΑΒΕΖΗΙΚΜΝΟΡΤΥΧØŁĐẞßĦŦıⱭᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ",
        "ABESIJKMHOPCTYXYQWSHABEZHIKMNOPTYXOLDSSHTIAABCDEFGHIJKLMNOPRSTUVWYZ",
        strict=True,
    )
)
_TIDY = "(?:[A-Za-z0-9#/&-]+(?: [A-Za-z0-9#/&-]+)*)?"
_TIDY_LINE = "[A-Za-z0-9#/&-]+(?:,? [A-Za-z0-9#/&-]+)*"
_DASHES, _SPACES, _QUOTES = "‐‑‒–—―−﹘﹣－", "            　", "‘’‚‛“”„′″ʼʻ´`＇＂"


@cache
def compatible() -> dict[str, str]:
    """Characters whose compatibility form (NFKC) is one ASCII character: full-width, mathematical, circled …"""
    blocks = ((0x80, 0x3400), (0xA000, 0xD800), (0xE000, 0x10000), (0x1D400, 0x1D800), (0x1F100, 0x1FC00))
    letters = [chr(point) for first, end in blocks for point in range(first, end)]
    plain = {letter: unicodedata.normalize("NFKC", letter) for letter in letters}
    return {letter: p.upper() for letter, p in plain.items() if len(p) == 1 and " " <= p <= "~"}


def common() -> dict[str, str]:
    """The most frequent ones: look-alikes, full-width forms, dashes, spaces and quotes."""
    wide = {c: p for c, p in compatible().items() if "！" <= c <= "～"}
    marks = dict.fromkeys(_DASHES, "-") | dict.fromkeys(_SPACES, " ") | dict.fromkeys(_QUOTES, "'")
    return wide | LOOK_ALIKES | marks


def _translate(x: str, table: dict[str, str]) -> str:
    return f"translate({x}, {quote(''.join(table))}, {quote(''.join(table.values()))})"


def macros() -> dict[str, str]:
    """SQL of the cleaning macros of one argument, x, by name; `addr_fields` is for parts, `addr_line` keeps commas."""
    ascii_only = "strlen(x) = length(x)"
    fractions = "replace(replace(replace(x, '½', ' 1/2'), '¼', ' 1/4'), '¾', ' 3/4')"
    outside = f"[^A-Z0-9 #/&.{MARK}\\x1F-]"
    tidy = f"regexp_replace(regexp_replace(addr_marks(x), '{outside}', ' ', 'g'), ' +', ' ', 'g')"
    commas = "regexp_replace(addr_marks(x), '[;|\\n]', ',', 'g')"
    return {
        "addr_fold": f"upper(strip_accents(nfc_normalize(regexp_replace({fractions}, '{ZERO_WIDTH}', '', 'g'))))",
        "addr_foreign": _translate(_translate("addr_fold(x)", common()), compatible()),
        "addr_plain": f"CASE WHEN {ascii_only} THEN upper(x) ELSE addr_foreign(x) END",
        # A macro that names x twice doubles all that is inside it: each pass names it once.
        "addr_unmark": f"regexp_replace(x, '[\\x00-\\x08\\x0B\\x0C\\x0E-\\x1E\\x7F]|[^\\x00-\\x7F]', '{MARK}', 'g')",
        "addr_quotes": "replace(replace(x, '''', ''), '~', ' ')",
        # a period ends a word of two letters or more, parts a decimal number, and is dropped from initials
        "addr_periods": (
            "replace(replace(regexp_replace(regexp_replace(x, '([0-9])[.]([0-9])', '\\1~\\2', 'g'),"
            " '([A-Z0-9])[.]([A-Z][A-Z0-9])', '\\1 \\2', 'g'), '.', ''), '~', '.')"
        ),
        "addr_words": "nullif(trim(regexp_replace(x, ' +', ' ', 'g')), '')",
        "addr_marks": "addr_periods(addr_quotes(addr_unmark(x)))",
        "addr_tidy": f"trim(regexp_replace({tidy}, ' ?\\x1F ?', '{SEPARATOR}', 'g'))",
        "addr_tidy_line": f"addr_words(regexp_replace({commas}, '[^A-Z0-9 ,#/&.{MARK}-]', ' ', 'g'))",
        # most rows are tidy as they come
        "addr_fields": (
            f"string_split(CASE WHEN regexp_full_match(x, '{_TIDY}(?:\\x1F{_TIDY})*') THEN upper(x)"
            f" ELSE addr_tidy(addr_plain(x)) END, '{SEPARATOR}')"
        ),
        "addr_line": (
            f"CASE WHEN regexp_full_match(x, '{_TIDY_LINE}') THEN upper(x)"
            f" ELSE addr_tidy_line(addr_plain(replace(x, '{SEPARATOR}', '{MARK}'))) END"
        ),
    }


def joined(fields: Sequence[str]) -> str:
    """SQL for the fields as one text, for `addr_fields`; a separator within a field (no text has one) is marked."""
    clean = "CASE WHEN contains({0}, '{1}') THEN replace({0}, '{1}', '{2}') ELSE {0} END"
    between = f", '{SEPARATOR}', "
    return f"concat({between.join(clean.format(field, SEPARATOR, MARK) for field in fields)})"
