"""Nobody's record for somebody else's: twins, relatives, a father's number. The register has the other one alone.

All share one register and one run of the match stage, each in
a house of its own.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.factories.match_inputs import HOME, asked, matched, record

BORN, EARLIER = date(1971, 5, 23), date(1944, 2, 17)
Fields = dict[str, Any]


def twin(request: str, on_file: str, **both: Any) -> tuple[Fields, Fields]:
    """A twin asked for, the other one on file: surname, birth date and home are the same, no TIN is given."""
    return {"first": request, "birth_date": BORN, **both}, {"first": on_file, "birth_date": BORN, "tin": True, **both}


# What is asked beside what is on file, of one surname and home. `tin` True: the number of the record. Each was
# released once.
ATTACKS: dict[str, tuple[Fields, Fields]] = {
    # the cases that were found
    "Marie for Maria": twin("Marie", "Maria"),
    "Ana for Anna": twin("Ana", "Anna"),
    "Carla for Carlo": twin("Carla", "Carlo"),
    "Michael for Michelle": twin("Michael", "Michelle"),
    "Juan for Juana": twin("Juan", "Juana"),
    "Mario for Maria": twin("Mario", "Maria"),
    "Christina for Christine": twin("Christina", "Christine"),
    "Daniel for Daniela": twin("Daniel", "Daniela"),
    "another middle initial": (
        {"first": "Maria", "middle_name": "Elena", "birth_date": BORN},
        {"first": "Maria", "middle_name": "Isabel", "birth_date": BORN},
    ),
    "a son with his father's number": (
        {"first": "Paul", "suffix": "JR", "tin": True},
        {"first": "Paul", "tin": True, "birth_date": EARLIER},
    ),
    # the same the other way round
    "Maria for Marie": twin("Maria", "Marie"),
    "Daniela for Daniel": twin("Daniela", "Daniel"),
    # names of no list, and a name of the list beside one of none: the list closes nothing
    "names that no list has": twin("Ottolima", "Ottolina"),
    "a name that no list has": twin("Josgua", "Joshua"),
    "a name that no list has, on file": twin("Joshua", "Josgua"),
    "a longer name": twin("Aria", "Ariana"),
    "the same middle initial": twin("Marie", "Maria", middle_name="A"),
    "the same middle initial, no list": twin("Zorina", "Zorana", middle_name="A"),
    # familiar forms
    "a familiar form": twin("Will", "William"),
    "a familiar form of the other sex": twin("Chris", "Christine"),
    "a familiar form that is a name": twin("Jon", "Jonathan"),
    # given names of two words, and what twins share of them
    "double names": twin("Mary Ann", "Mary Anne"),
    "double names with hyphens": twin("Anna-Lena", "Anna-Lene"),
    "the whole name in one field": (
        {"full_name": "{last}, Maria Elena", "birth_date": BORN},
        {"first": "Maria", "middle_name": "Isabel", "birth_date": BORN},
    ),
    # initials, and words that name nobody
    "the initial of both": twin("M", "M"),
    "children not yet named": twin("Baby Girl", "Baby Girl"),
    "twins by letter": twin("Twin", "Twin"),
    "first name unknown": twin("FNU", "FNU"),
    "initial and surname in each other's field": (
        {"swapped": "M", "birth_date": BORN},
        {"first": "M", "birth_date": BORN},
    ),
    # more than two
    "a triplet": twin("Marisa", "Marissa"),
    # another middle initial in the other tiers
    "another middle initial, names in each other's field": (
        {"swapped": "Clio", "middle_name": "Q", "birth_date": BORN},
        {"first": "Clio", "middle_name": "R", "birth_date": BORN},
    ),
    # a number of the family
    "a daughter with her mother's number": (
        {"first": "Marie", "middle_name": "A", "tin": True},
        {"first": "Maria", "middle_name": "A", "tin": True, "birth_date": EARLIER},
    ),
    "a wife with her husband's number": (
        {"first": "Maria", "middle_name": "A", "tin": True},
        {"first": "Mario", "middle_name": "A", "tin": True, "birth_date": EARLIER},
    ),
    "a wife with her husband's number, a familiar form": (
        {"first": "Polly", "middle_name": "A", "tin": True},
        {"first": "Paul", "middle_name": "A", "tin": True, "birth_date": EARLIER},
    ),
    "a twin with the twin's number, another middle initial": (
        {"first": "Marie", "middle_name": "E", "tin": True, "birth_date": BORN},
        {"first": "Maria", "middle_name": "I", "tin": True, "birth_date": BORN},
    ),
    "initials, and a father's number": ({"first": "J", "tin": True}, {"first": "J", "tin": True}),
    # suffixes, wherever and however they are written
    "a father with his son's number": (
        {"first": "Paul", "tin": True},
        {"first": "Paul", "suffix": "JR", "tin": True, "birth_date": BORN},
    ),
    "the third, with his father's number": (
        {"first": "Paul", "suffix": "3rd", "tin": True},
        {"first": "Paul", "tin": True},
    ),
    "a suffix for a middle name": ({"first": "Paul", "middle_name": "Jr", "tin": True}, {"first": "Paul", "tin": True}),
    "a suffix after the middle name": (
        {"first": "Paul", "middle_name": "Q Junior", "tin": True},
        {"first": "Paul", "middle_name": "Q", "tin": True},
    ),
    "a suffix after the surname": ({"first": "Paul", "last": "2nd", "tin": True}, {"first": "Paul", "tin": True}),
    "a suffix and a birth year only": (
        {"first": "Paul", "suffix": "Jnr", "tin": True, "birth_date": date(1971, 1, 1)},
        {"first": "Paul", "tin": True, "birth_date": BORN},
    ),
}

# Withheld before, too, by other rules.
OF_THE_KIND: dict[str, tuple[Fields, Fields]] = {
    "half of a double name": twin("Jean", "Jean Paul"),
    "a double name cut in two": (
        {"first": "Mary", "middle_name": "Ann", "birth_date": BORN},
        {"first": "Mary Beth", "birth_date": BORN},
    ),
    "an initial for the name": twin("M", "Maria"),
    "an initial after the name": twin("Carl A", "Carla"),
    "initials of both": twin("M. J.", "MJ"),
    "name and address only": ({"first": "Paul"}, {"first": "Paul", "birth_date": EARLIER}),
    "a birth year only": ({"first": "Paul", "birth_date": date(1971, 1, 1)}, {"first": "Paul", "birth_date": BORN}),
    "another middle initial, a rare name, elsewhere": (
        {"first": "Wanda", "middle_name": "K", "birth_date": BORN, "home": "elsewhere"},
        {"first": "Wanda", "middle_name": "N", "birth_date": BORN},
    ),
    "another middle initial, a slip in the surname": (
        {"first": "Wanda", "middle_name": "K", "birth_date": BORN, "last": "slip"},
        {"first": "Wanda", "middle_name": "N", "birth_date": BORN},
    ),
    "a daughter with her mother's number, no list": (
        {"first": "Zorina", "middle_name": "A", "tin": True},
        {"first": "Zorana", "middle_name": "A", "tin": True, "birth_date": EARLIER},
    ),
    "a child whose name begins the parent's": (
        {"first": "Aria", "middle_name": "A", "tin": True},
        {"first": "Ariana", "middle_name": "A", "tin": True},
    ),
    "a suffix after the first name": ({"first": "Paul Jr.", "tin": True}, {"first": "Paul", "tin": True}),
    "Jr. asked for, Sr. on file, twins of a day": (
        {"first": "Paul", "suffix": "JR", "birth_date": BORN},
        {"first": "Paul", "suffix": "SR", "birth_date": BORN},
    ),
}

WITHHELD = ATTACKS | OF_THE_KIND

# What must still be released: the tier that it reaches.
RELEASED: dict[str, tuple[str, Fields, Fields]] = {
    "Bill for William, number and birth date": (
        "A",
        {"first": "Bill", "tin": True, "birth_date": BORN},
        {"first": "William", "tin": True, "birth_date": BORN},
    ),
    "Bill for William, number and middle initial": (
        "A",
        {"first": "Bill", "middle_name": "Q", "tin": True},
        {"first": "William", "middle_name": "Q", "tin": True},
    ),
    "Marie for Maria, with the number": (
        "A",
        {"first": "Marie", "tin": True, "birth_date": BORN},
        {"first": "Maria", "tin": True, "birth_date": BORN},
    ),
    "Micheal for Michael, with the number": (
        "A",
        {"first": "Micheal", "middle_name": "J", "tin": True, "birth_date": BORN},
        {"first": "Michael", "middle_name": "J", "tin": True, "birth_date": BORN},
    ),
    "a letter wrong in a rare name, with the number": (
        "A",
        {"first": "Ottolima", "tin": True, "birth_date": BORN},
        {"first": "Ottolina", "tin": True, "birth_date": BORN},
    ),
    "a letter wrong, number and middle initial": (
        "A",
        {"first": "Josgua", "middle_name": "B", "tin": True},
        {"first": "Joshua", "middle_name": "B", "tin": True},
    ),
    "another middle initial, number and birth date": (
        "A",
        {"first": "Ruth", "middle_name": "B", "tin": True, "birth_date": BORN},
        {"first": "Ruth", "middle_name": "C", "tin": True, "birth_date": BORN},
    ),
    "a suffix left out, number and birth date": (
        "A",
        {"first": "Paul", "tin": True, "birth_date": BORN},
        {"first": "Paul", "suffix": "JR", "tin": True, "birth_date": BORN},
    ),
    "Jr. on both sides, written otherwise, the number alone": (
        "A",
        {"first": "Paul Jr.", "tin": True},
        {"first": "Paul", "suffix": "JR", "tin": True},
    ),
    "a suffix left out, birth date and address": (
        "B",
        {"first": "Paul", "birth_date": BORN},
        {"first": "Paul", "suffix": "JR", "birth_date": BORN},
    ),
    "the twin who is on file": ("B", {"first": "Maria", "birth_date": BORN}, {"first": "Maria", "birth_date": BORN}),
    "one middle initial, and none": (
        "B",
        {"first": "Maria", "middle_name": "E", "birth_date": BORN},
        {"first": "Maria", "birth_date": BORN},
    ),
    "a double name, hyphen or space": (
        "B",
        {"first": "Mary-Ann", "birth_date": BORN},
        {"first": "Mary Ann", "birth_date": BORN},
    ),
    "a double name in one word": (
        "B",
        {"first": "Maryann", "birth_date": BORN},
        {"first": "Mary Ann", "birth_date": BORN},
    ),
    "an accent": ("B", {"first": "José", "birth_date": BORN}, {"first": "JOSE", "birth_date": BORN}),
    "a slip in the surname": (
        "A",
        {"first": "Ruth", "birth_date": BORN, "last": "slip", "tin": True},
        {"first": "Ruth", "birth_date": BORN, "tin": True},
    ),
    "names in each other's field": (
        "B",
        {"swapped": "Clio", "birth_date": BORN},
        {"first": "Clio", "birth_date": BORN},
    ),
    "a rare name, elsewhere": (
        "D",
        {"first": "Wanda", "birth_date": BORN, "home": "elsewhere"},
        {"first": "Wanda", "birth_date": BORN},
    ),
}


def _day(number: int, born: date | None) -> date | None:
    """A day of its own for each case, so that no two cases meet; 1 January stays."""
    return born and born + timedelta(days=number if (born.month, born.day) != (1, 1) else 0)


def _case(number: int, request: Fields, on_file: Fields) -> tuple[Fields, Fields]:
    last = "Brack" + "".join("aeioulmnrt"[int(digit)] * 2 for digit in str(number)) + "stow"
    home, elsewhere = ({**HOME, "street": f"{street} OAK ST"} for street in (number, 9000 + number))
    filed, given = (
        {
            **side,
            "tin": f"5123{number}01" if side.get("tin") else None,
            "birth_date": _day(number, side.get("birth_date")),
        }
        for side in (on_file, request)
    )
    surname = {"slip": last[:-2] + "wo", "2nd": f"{last} 2nd"}.get(given.pop("last", ""), last)
    place = elsewhere if given.pop("home", "") else home
    first, swapped, born = given.pop("first", None), given.pop("swapped", None), given.pop("birth_date")
    names = (surname, swapped) if swapped else (first, surname if first else None)
    if "full_name" in given:
        given["full_name"] = given["full_name"].format(last=last)
    made = asked(*names, home=place, birth_date=born and born.isoformat(), **given)
    return made, record(number, filed.pop("first"), last, home=home, **filed)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """All cases in one register of many others, so that a rare name is one."""
    cases = [*WITHHELD.values(), *((request, on_file) for _, request, on_file in RELEASED.values())]
    made = [_case(100 + n, *case) for n, case in enumerate(cases)]
    others = [record(2000 + n, "Zillah", "Quill", home={**HOME, "street": f"{2000 + n} ELM ST"}) for n in range(150)]
    return matched(tmp_path_factory.mktemp("persons"), [*(r for _, r in made), *others], [q for q, _ in made])


@pytest.mark.parametrize("number", range(len(WITHHELD)), ids=list(WITHHELD))
def test_not_released(found: list[dict[str, Any]], number: int) -> None:
    row = found[number]
    assert row["outcome"] in ("near", "unmatched") and row["record_id"] is None, row


@pytest.mark.parametrize("number", range(len(RELEASED)), ids=list(RELEASED))
def test_still_released(found: list[dict[str, Any]], number: int) -> None:
    row, (tier, _, _) = found[len(WITHHELD) + number], list(RELEASED.values())[number]
    assert (row["outcome"], row["record_id"], row["tier"]) == (None, 100 + len(WITHHELD) + number, tier), row
