"""Vetoes: what forbids a release, whatever speaks for it.

A veto of a pair is SQL over the comparisons, a veto of a request over what `resolve` knows of all its records.
"""

from dataclasses import dataclass

from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.name_parts import MIDDLE_NAME, SUFFIX
from pipelines.match.comparisons.names import FIRST_NAME
from pipelines.match.comparisons.tin import TIN
from pipelines.match.entry import Entry
from pipelines.register import keys


@dataclass(frozen=True)
class Veto(Entry):
    """One reason not to release. `id` is the word that a candidate's `vetoes` and `explain` show."""

    id: str
    when: str


# The values of a request that each blocking key needs, beside its names.
VALUES_OF_KEYS: dict[str, tuple[str, ...]] = {
    "tin": (TIN.column,),
    "birth": (BIRTH_DATE.column,),
    "home_last": (ADDRESS.column,),
    "home_first": (ADDRESS.column,),
    "area_birth": (ADDRESS.column, BIRTH_DATE.column),
}
if VALUES_OF_KEYS.keys() != keys.KEYS.keys():
    raise TypeError("each blocking key needs its values")


def _found_without(value: str) -> str:
    """SQL: whether a pair shares a blocking key that does not need this value."""
    kinds = sum(1 << keys.KEYS[kind].number for kind, values in VALUES_OF_KEYS.items() if value not in values)
    return f"kinds & {kinds} > 0"


_UNSEEN = " AND ".join(_found_without(column) for column in (ADDRESS.column, BIRTH_DATE.column, TIN.column))
_SUFFIX = f"{SUFFIX.at('conflict')} OR ({SUFFIX.at('one_side')} AND birth_date <> 'same')"
_OTHER_NUMBER = f"NOT {TIN.at('same')}"
PAIR_VETOES = (
    Veto("birth_date", BIRTH_DATE.at("conflict")).means(
        "the birth dates conflict", why="father and son share name and address"
    ),
    Veto("given_name", f"{FIRST_NAME.at('other_name')} AND {_OTHER_NUMBER}").means(
        "the given names are alike, and two names, and the TIN does not agree",
        why="twins share surname, birth date and address, and are named alike",
    ),
    Veto("middle_name", f"{MIDDLE_NAME.at('conflict')} AND {_OTHER_NUMBER}").means(
        "the middle initials conflict, and the TIN does not agree",
        why="twins and cousins may share the first of two given names: María Elena and María Isabel",
    ),
    Veto("suffix", _SUFFIX).means(
        "the suffixes conflict, or one side has one and the birth date does not agree",
        why="nothing else tells Jr. from Sr.: a number is borrowed within a family",
    ),
    Veto("tin", TIN.at("near", "conflict")).means(
        "the TINs differ, by one digit too", why="a typing error lands on somebody else's number"
    ),
    Veto("unseen", f"{ADDRESS.at('same')} AND NOT ({_UNSEEN})").means(
        "the address agrees, but with another address, birth date or TIN no blocking key would find the pair",
        why="guesses at that value could not be counted",
    ),
    Veto("unit", ADDRESS.at("other_unit")).means(
        "another unit of the same building", why="a neighbour, perhaps of the same name"
    ),
)

REQUEST_VETOES = (
    Veto("claimed_twice", "claimed_twice").means(
        "requests with differing birth dates or TINs match the same record",
        why="one of them at least means somebody else",
    ),
    Veto("tin_elsewhere", "tin_elsewhere AND NOT too_many").means(
        "the request's TIN is on file for a record that has no tier", why="the number is borrowed, or the name is"
    ),
    Veto("too_many_records", "too_many").means(
        "a block is oversized, or the request has more candidate pairs than the limit",
        why="what leads to so many records does not say which of them is meant, nor that none is",
    ),
)
