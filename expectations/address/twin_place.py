"""The twin's own answer to whether two addresses are one place: each comes to a mark, by words; equal marks are one.

It shares no pattern and no step with the SQL, only the reference files. It looks for less: what the SQL finds equal
must bear one mark, and most of what it finds different bears two. Words that any table calls the same are the same
wherever they stand, a designator of a unit says nothing, and the order of words does not count, but for the house
number.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from expectations.address import reference
from expectations.address.twin import BARE_LEADS, CONTRACT, GENERAL, PO_LEADS, ROUTE_LEADS, implied_state, read
from expectations.address.twin_text import BAD, plain, zip5


class Mark(NamedTuple):
    """What an address comes to. `house`: the number that its line begins with, or nothing."""

    place: tuple[str, str]  # ZIP and state
    words: frozenset[str]
    house: str

    def same(self, other: "Mark | None") -> bool:
        """One place, as far as words say; the numbers are compared where both lines begin with theirs, so that
        4 Main St Apt 12 is not 12 Main St Apt 4."""
        if other is None or (self.place, self.words) != (other.place, other.words):
            return False
        return self.house == other.house or not (self.house and other.house)


_PIECES = re.compile("[A-Z]+|[0-9]+")
_ORDINAL = re.compile("([0-9]+)(?:ST|ND|RD|TH)")  # 4TH FLOOR is FL 4
_JOINED = re.compile(r"\b(BOX|BX|POB|DRAWER|CALLER|BIN|RR|RFD|HC|HCR|PSC|CMR|OMC|UMR|UNIT)([0-9])")
_URB = ("URB", "URBANIZACION")
_STREETS = ("CALLE", "AVENIDA")
_MILITARY = ("PSC", "CMR", "OMC", "UMR", "UNIT")
_BEGINS = frozenset([*(lead[0] for lead in (*PO_LEADS, *BARE_LEADS, *ROUTE_LEADS)), *_MILITARY])
_NUMBER = ("NO", "NUMBER", "NUM", "#")
_LEFT_OUT = frozenset(["BOX", "BX", "MSC"])  # what may stand before a unit and says nothing


def mark(row: Mapping[str, Any], left_out: Collection[str] = ()) -> Mark | None:
    """The mark of an address (street, unit, city, state, zip, perhaps urbanization; `address` where these are blank);
    None: nothing that could be compared.

    left_out   what the agreement lets be left out (state, city)
    """
    parts, one_line = read(row)
    if "state" in left_out:
        parts["state"] = implied_state(parts, one_line) or parts["state"]
    state, code = reference.standard("states").get(parts["state"], ""), zip5(parts["zip"])
    street, unit = parts["street"], parts["unit"]
    if not (state and code and street) or street in GENERAL or BAD in street + unit:
        return None
    return Mark((code, state), *_line(street, unit, plain(row.get("urbanization") or "")))


@lru_cache(20_000)
def _line(street: str, unit: str, urbanization: str) -> tuple[frozenset[str], str]:
    """The words of a delivery line, and its house number."""
    words = _JOINED.sub(r"\1 \2", street).replace("#", " # ").split()
    box = None if _BEGINS.isdisjoint(words) else _box(words) or _route(words)
    if box:  # a name or a street before it does not count
        return frozenset(("BOX", *box, *_unit_words(unit))), ""
    said, rest = _urbanization(words)
    named = (w for w in urbanization.split() if w not in _URB) if urbanization else said
    rest = [w for i, w in enumerate(rest) if w != "NO" or (i and rest[i - 1] not in _designators())]
    found = {*_words(_highways(rest)), *_words(named), *_unit_words(unit)}
    first = rest[0] if rest else ""
    return frozenset(found), first.lstrip("0") if first.isdigit() else ""


def _box(words: list[str]) -> list[str]:
    """PO BOX 12, whatever it is called, as its number."""
    for lead in PO_LEADS:
        for i in range(len(words) - len(lead)):
            if words[i : i + len(lead)] == lead and (number := _after(words[i + len(lead) :])):
                return ["PO", *number]
    for lead in BARE_LEADS:  # these alone are boxes only at the end, and without a house number before
        for i in range(len(words) - len(lead)):
            rest = words[i + len(lead) :]
            if words[i : i + len(lead)] == lead and len([w for w in rest if w not in _NUMBER]) == 1:
                return ["PO", *_after(rest)] if not any(c.isdigit() for w in words[:i] for c in w) else []
    return []


def _after(words: list[str]) -> list[str]:
    """The pieces of the box number that comes first, perhaps after NO or #."""
    found = next((w for w in words if w not in _NUMBER), "")
    return _words([found]) if len(found) == 1 or any(c.isdigit() for c in found) else []


def _route(words: list[str]) -> list[str]:
    """RR 4 BOX 12, HC 4 BOX 12, PSC 4 BOX 12: which of them, and its two numbers."""
    plain_words = [w for w in words if w not in ("#", "NO")]
    for lead in (*ROUTE_LEADS, *([name] for name in _MILITARY)):
        for i in range(len(plain_words) - len(lead) - 2):
            number, said, *box = plain_words[i + len(lead) :]
            if plain_words[i : i + len(lead)] == lead and number[0].isdigit() and said in ("BOX", "BX") and box:
                kind = lead[0] if lead[0] in _MILITARY else "HC" if lead in CONTRACT else "RR"
                letter = box[1:2] if len(box[1:2]) and len(box[1]) == 1 else []
                return [kind, f"{number.lstrip('0')} of {kind}", *_words([box[0], *letter])]
    return []


def _urbanization(words: list[str]) -> tuple[list[str], list[str]]:
    """The name of the urbanization that a line may begin with, and the rest of the line."""
    if words[:1] and words[0] in _URB:
        starts = (i for i in range(2, len(words)) if any(c.isdigit() for c in words[i][:3]) or words[i] in _STREETS)
        at = next(starts, 0)
        return words[1:at], words[at:]
    return [], words


def _unit_words(unit: str) -> Iterable[str]:
    words = _JOINED.sub(r"\1 \2", unit).replace("#", " ").replace("-", " ").split()
    return _words(w for w in words if w != "NO")


def _words(words: Iterable[str]) -> list[str]:
    """Pieces of letters and of digits, each as the class of words that it belongs to; no designator of a unit."""
    return [piece for word in words for piece in _pieces(word)]


@lru_cache(50_000)
def _pieces(word: str) -> tuple[str, ...]:
    if word in _designators():
        return ()
    known = _ORDINAL.sub(r"\1", _class(word))
    pieces = [known] if known.isalpha() else [p.lstrip("0") for p in _PIECES.findall(known)]
    return tuple(_class(p) for p in pieces if p and p not in _designators())


def load() -> None:
    """As in `twin_text`."""
    for table in (_designators, _classes, _phrases):
        table()


@cache
def _designators() -> frozenset[str]:
    """Words of units that are not part of what a unit is called, and floors and buildings, whose number is."""
    rows = reference.read(reference.DATA / "units.csv")
    said = {r["written"] for r in rows if r["standard"] != "PMB" and r["needs_number"] == "yes"}
    return frozenset(said | _LEFT_OUT)


@cache
def _classes() -> dict[str, str]:
    """Word → one of those that any table calls the same."""
    head: dict[str, str] = {}

    def find(word: str) -> str:
        while head.setdefault(word, word) != word:
            word = head[word]
        return word

    for table in ("directionals", "suffixes", "ordinals", "numbers", "units", "highways"):
        for written, standard in reference.standard(table).items():
            if " " not in written + standard:
                head[find(written)] = find(standard)
    return {word: find(word) for word in head}


def _class(word: str) -> str:
    return _classes().get(word, word)


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    """What highways are called → the words of one of these names."""
    return {w: tuple(s.split()) for w, s in reference.standard("highways").items()}


def _highways(words: list[str]) -> list[str]:
    found: list[str] = []
    i = 0
    while i < len(words):
        two = " ".join(words[i : i + 2])
        known = _phrases().get(two) if " " in two else None
        found += known or _phrases().get(words[i]) or (words[i],)
        i += 2 if known else 1
    return found
