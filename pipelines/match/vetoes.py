"""Vetoes: what forbids a release, whatever speaks for it.

A veto of a pair is SQL over the comparisons, a veto of a request over what `resolve` knows of all its records.
"""

from dataclasses import dataclass

from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.name_parts import SUFFIX
from pipelines.match.comparisons.tin import TIN
from pipelines.match.entry import Entry


@dataclass(frozen=True)
class Veto(Entry):
    """One reason not to release. `id` is the word that a candidate's `vetoes` and `explain` show."""

    id: str
    when: str


_SUFFIX = f"{SUFFIX.at('conflict')} OR ({SUFFIX.at('one_side')} AND birth_date <> 'same' AND tin <> 'same')"
PAIR_VETOES = (
    Veto("birth_date", BIRTH_DATE.at("conflict")).means(
        "the birth dates conflict", why="father and son share name and address"
    ),
    Veto("suffix", _SUFFIX).means(
        "the suffixes conflict, or one side has one and neither TIN nor birth date agrees",
        why="nothing else tells Jr. from Sr.",
    ),
    Veto("tin", TIN.at("near", "conflict")).means(
        "the TINs differ, by one digit too", why="a typing error lands on somebody else's number"
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
    Veto("cross_origin", "cross_origin AND NOT too_many").means(
        "a request and a control record might be one person, or a control row and a real record",
        why="an invented person must never stand for a real one",
    ),
    Veto("tin_elsewhere", "tin_elsewhere AND NOT too_many").means(
        "the request's TIN is on file for a record that has no tier", why="the number is borrowed, or the name is"
    ),
    Veto("too_many_records", "too_many").means(
        "a block is oversized, or the request has more candidate pairs than the limit",
        why="what leads to so many records does not say which of them is meant, nor that none is",
    ),
)
