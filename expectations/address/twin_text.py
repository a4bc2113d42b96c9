"""The twin's reading of text: letters made plain, one line taken apart, words that are no address. See `twin`."""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from expectations.address import reference
from expectations.address.text import LOOK_ALIKES

PARTS = ("street", "unit", "city", "state", "zip")
BAD = "\ufffd"  # stands for a character that cannot be read


@lru_cache(20_000)
def plain(text: str, keep: str = "") -> str:
    """Capitals, ASCII, single spaces; what cannot be read becomes one mark that no test accepts."""
    if text.isascii() and text.replace(" ", "").isalnum():  # most are letters and digits: nothing to read twice
        return " ".join(text.upper().split())
    if text.isascii() and text.isprintable():
        return _punctuate(text.upper(), keep)
    letters = []
    for c in unicodedata.normalize("NFD", text):
        if unicodedata.category(c) in ("Mn", "Me", "Mc", "Cf"):
            continue
        up = c.upper()
        folded = unicodedata.normalize("NFKC", up)
        c = LOOK_ALIKES.get(up, folded if len(folded) == 1 else up)
        if unicodedata.category(c) == "Pd":
            c = "-"
        letters.append(c if " " <= c <= "~" or c in "\t\n\r" else BAD)
    return _punctuate("".join(letters).upper(), keep)


def _punctuate(text: str, keep: str) -> str:
    out = []
    for i, c in enumerate(text):
        if c == ".":
            before, after, next_but_one = text[i - 1 : i], text[i + 1 : i + 2], text[i + 2 : i + 3]
            if before.isdigit() and after.isdigit():
                out.append(".")
            elif before.isalnum() and after.isalpha() and next_but_one.isalnum():
                out.append(" ")
        elif c.isalnum() or c in "#/&-" or c == BAD or c in keep:
            out.append(c)
        elif c != "'":
            out.append(" ")
    return " ".join("".join(out).split())


def load() -> None:
    """Makes all that is made once, for a process from which others are forked."""
    for table in (zips, state_cities, _within, _whole, _beginnings, _alone, _facilities):
        table()


@cache
def zips() -> dict[str, dict[str, Any]]:
    return {r["zip"]: r for r in reference.zip_rows()}


@cache
def state_cities() -> set[tuple[str, str]]:
    return {(c, r["state"]) for r in reference.zip_rows() for c in r["cities"] if r["type"] != "MILITARY"}


def split(line: str) -> dict[str, str]:
    """One line to parts, word by word from the right."""
    pieces = [p.split() for p in line.split(",") if p.split()]
    words = _without_country([w for p in pieces for w in p])
    found = dict.fromkeys(PARTS, "")
    if len(words) > 1 and len(words[-1]) == 4 and len(words[-2]) == 5 and zip5(words[-2] + words[-1]):
        words[-2:] = [words[-2] + words[-1]]  # 97212 4321
    if words and zip5(words[-1]):
        found["zip"] = words.pop()
        words = _without_country(words)
    for n in (3, 2, 1):
        state = " ".join(words[-n:])
        if len(words) >= n and state in reference.standard("states"):
            found["state"], words = state, words[:-n]
            break
    city = _city_at_end(words, pieces, found)
    found["city"] = " ".join(words[len(words) - city :])
    found["street"] = " ".join(words[: len(words) - city])
    return found


def _without_country(words: list[str]) -> list[str]:
    if words[-2:] == ["UNITED", "STATES"]:
        return words[:-2]
    return words[:-1] if words and words[-1] in ("USA", "US") else words


def _city_at_end(words: list[str], pieces: list[list[str]], found: dict[str, str]) -> int:
    """How many of the last words are the city: the ZIP's, else what a comma sets apart, else one of the state's."""
    listed = zips().get(zip5(found["zip"]), {}).get("cities", [])
    state = reference.standard("states").get(found["state"], "")
    lengths = range(len(words), 0, -1)
    for n in lengths:
        if " ".join(words[-n:]) in listed:
            return n
    starts = {sum(map(len, pieces[:i])) for i in range(1, len(pieces))}
    for n in sorted(lengths):
        last = words[-n:]
        if len(words) - n in starts and all(w.replace("-", "").isalpha() for w in last) and len("".join(last)) > 1:
            return n
    return next((n for n in (3, 2, 1) if n <= len(words) and (" ".join(words[-n:]), state) in state_cities()), 0)


@lru_cache(20_000)
def zip5(text: str) -> str:
    digits = text.replace("-", "").replace(" ", "")
    return digits[:5] if digits.isdigit() and digits.isascii() and len(digits) in (5, 9) and text[:5].isdigit() else ""


@cache
def _keys(where: str) -> tuple[tuple[str, bool], ...]:
    """The phrases of the deny-list as they are compared, and whether one has several words."""
    found = reference.phrases("placeholders", "where", where)
    return tuple((_squeeze(p.replace(" ", "")), " " in p) for p in found)


# Places and streets recur: what was found of a text is kept for the next row.
@lru_cache(20_000)
def is_placeholder(text: str, inside_only: bool = False) -> bool:
    """A phrase of the deny-list stands in the text, or nothing but such phrases, digits and repeated letters does."""
    squeezed = [_squeeze(w) for w in _cuts(text)]
    flat = "".join(squeezed)
    if _within().search(flat) and any(
        key in flat and (not several or _on_edges(key, squeezed)) for key, several in _keys("within")
    ):
        return True
    return not inside_only and _all_filler(text)


@cache
def _within() -> re.Pattern[str]:
    """One look that passes most texts: none of the keys stands in them."""
    return re.compile("|".join(re.escape(key) for key, _ in _keys("within")))


_LETTERS = re.compile(r"[^\W_]+")


def _cuts(text: str) -> list[str]:
    return _LETTERS.findall(text)


_LIKE = str.maketrans("0154L3", "OISAIE")


def _squeeze(word: str) -> str:
    """Digits and letters that look alike made one."""
    return word.translate(_LIKE)


def _on_edges(key: str, words: list[str]) -> bool:
    return any("".join(words[i:j]) == key for i in range(len(words)) for j in range(i + 1, len(words) + 1))


def _all_filler(text: str) -> bool:
    words = [w for w in _cuts(text) if not w.isdecimal()]
    keys = _whole()
    if words and len(set(words[0])) > 1 and _squeeze(words[0]) not in _beginnings():
        return _squeeze("".join(words)) in _alone()

    def filler(word: str) -> bool:
        return _squeeze(word) in keys or (len(set(word)) == 1 and (len(word) > 2 or word[0] in "XZQ"))

    def covered(rest: list[str]) -> bool:
        return not rest or any(filler("".join(rest[:n])) and covered(rest[n:]) for n in range(1, len(rest) + 1))

    return bool(words) and (covered(words) or _squeeze("".join(words)) in _alone())


@cache
def _whole() -> frozenset[str]:
    return frozenset(key for key, _ in _keys("whole"))


@cache
def _beginnings() -> frozenset[str]:
    """What a filler can begin with: most texts begin with something else."""
    return frozenset(key[:n] for key in _whole() for n in range(1, len(key) + 1))


@cache
def _alone() -> frozenset[str]:
    return frozenset(_squeeze(p) for p in reference.phrases("placeholders", "where", "alone"))


@lru_cache(20_000)
def is_facility(text: str) -> bool:
    padded = f" {' '.join(_cuts(text))} "
    return _facilities().search(padded) is not None


@cache
def _facilities() -> re.Pattern[str]:
    return re.compile(f" (?:{'|'.join(re.escape(p) for p in reference.phrases('facilities'))}) ")
