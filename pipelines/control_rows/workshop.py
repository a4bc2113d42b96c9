"""Invented persons: made, put on file, and asked for."""

import hashlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from expectations.base.errors import Fault
from expectations.contracts.lists import Origin


class End(StrEnum):
    """What a control row must come to. Whatever is not ELIGIBLE must not leave."""

    ELIGIBLE = "eligible"
    UNMATCHED = "unmatched"
    AMBIGUOUS = "ambiguous"
    HELD = "held"


# Real places, invented streets: the ZIP must lie in the state and the city in the ZIP.
PLACES = (
    ("HOUSTON", "TX", "77002"),
    ("DALLAS", "TX", "75201"),
    ("PHOENIX", "AZ", "85004"),
    ("CHICAGO", "IL", "60601"),
    ("DENVER", "CO", "80202"),
    ("ATLANTA", "GA", "30303"),
    ("SEATTLE", "WA", "98101"),
    ("MIAMI", "FL", "33130"),
)
ONSETS = ("Zv", "Qu", "Xo", "Vr", "Ky", "Dz", "Gw", "Tch", "Pf", "Wro")
MIDDLES = ("ab", "ek", "il", "om", "uz", "yth", "arv", "ent", "isk", "olb")
ENDINGS = ("ax", "eth", "irn", "oq", "umbel", "yzk", "andrix", "ovent")
MOVED_IN = date(2016, 5, 17)
STREETS = {"ST": "STREET", "AVE": "AVENUE", "RD": "ROAD"}
UNITS = "APT 3", "APT 7"
DRAWS = 10_000  # after so many nothing is left to be drawn


@dataclass
class Workshop:
    """Makes persons, puts them on file, and asks for them."""

    seed: str
    legal: dict[str, str]
    moved_in: date
    avoid: tuple[str, ...]
    used: set[str] = field(default_factory=set)  # words and TINs
    requests: list[dict[str, Any]] = field(default_factory=list)
    persons: list[dict[str, Any]] = field(default_factory=list)
    addresses: list[dict[str, Any]] = field(default_factory=list)
    expected: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(int.from_bytes(hashlib.sha256(f"decoys|{self.seed}".encode()).digest(), "big"))

    def drawn(self, draw: Callable[[], str], fits: Callable[[str], bool] = lambda _: True) -> str:
        """What `draw` gives that was not drawn before, and fits."""
        for _ in range(DRAWS):
            made = draw()
            if made not in self.used and fits(made):
                self.used |= {made, slipped(made)}
                return made
        raise _barred()

    def word(self, syllables: int = 2, unlike: str = "") -> str:
        """A word of its own, and no likeness of `unlike`: it begins and ends otherwise."""
        parts = (ONSETS, *[MIDDLES] * syllables, ENDINGS)
        return self.drawn(
            lambda: "".join(self.dice.choice(part) for part in parts),
            lambda made: made[:1] != unlike[:1] and made[-2:] != unlike[-2:],
        )

    def tin(self) -> str:
        """The area was not given out before 2011: it passes as an SSN, and no grown-up has it."""
        area, group, serial = (880, 899), (10, 99), (1000, 9999)
        return self.drawn(lambda: "".join(str(self.dice.randrange(*part)) for part in (area, group, serial)))

    def person(self, unlike: Mapping[str, Any] | None = None, **given: Any) -> dict[str, Any]:
        """Somebody new, whose names are no likeness of those of `unlike`."""
        born = date(1950, 1, 1) + timedelta(days=self.dice.randrange(15_000))
        other = unlike or {}
        made = {
            "tin": self.tin(),
            "first_name": self.word(1, other.get("first_name", "")),
            "middle_name": None,
            "last_name": self.word(2, other.get("last_name", "")),
            "suffix": None,
            "birth_date": born if (born.month, born.day) != (1, 1) else born + timedelta(days=44),
        }
        return {**made, **given}

    def home(self, **given: Any) -> dict[str, Any]:
        """An address that nobody else has, and that no list holds back."""
        for _ in range(DRAWS):
            city, state, zip_code = self.dice.choice(PLACES)
            number, word, kind = self.dice.randrange(1000, 9899), self.word().upper(), self.dice.choice(list(STREETS))
            said = f" {number} {word} {kind} {STREETS[kind]} {' '.join(UNITS)} {city} "
            if not any(text in said or f" {word} " in text for text in self.avoid):
                place = {"street": f"{number} {word} {kind}", "city": city, "state": state, "zip": zip_code}
                return {**place, "unit": None, **given}
        raise _barred()

    def file(self, person: dict[str, Any], *homes: dict[str, Any]) -> None:
        """Puts a person on file; the last of `homes` is the last known address."""
        record_id = -1 - len(self.persons)
        self.persons.append({"record_id": record_id, **person})
        for years_back, home in enumerate(reversed(homes)):
            start = self.moved_in - timedelta(days=366 * years_back)
            until = None if years_back == 0 else start + timedelta(days=366)
            lived = {"valid_from": start, "valid_to": until}
            self.addresses.append({"record_id": record_id, "urbanization": None, **home, **lived})

    def ask(self, person: dict[str, Any], home: dict[str, Any], expected: End, code: str | None = None) -> None:
        """A request for a person at an address, and the end that it must come to."""
        number = 1 + len(self.requests)
        key = hashlib.sha256(f"decoy|{self.seed}|{number}".encode()).hexdigest()[:24]
        tin, born = person["tin"], person["birth_date"]
        self.requests.append(
            {
                **{"ordinal": -number, "file": 0, "row": number, "origin": Origin.CONTROL.value, "request_id": key},
                **{name: person[name] for name in ("first_name", "middle_name", "last_name", "suffix")},
                **home,
                "birth_date": born.isoformat() if born else None,
                "tin": f"{tin[:3]}-{tin[3:5]}-{tin[5:]}" if tin else None,
                **self.legal,
            }
        )
        self.expected.append({"ordinal": -number, "expected": expected.value, "code": code})


def slipped(word: str) -> str:
    """The word with its last two letters in each other's place."""
    return f"{word[:-2]}{word[-1]}{word[-2]}"


def _barred() -> Fault:
    remedy = "Take words that most addresses have off the operator's list of facilities."
    return Fault("CONTROL_ROWS_BARRED", "no address is left that a control row could have", remedy=remedy)
