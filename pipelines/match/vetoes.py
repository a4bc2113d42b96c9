"""Vetoes: what forbids a release, whatever speaks for it.

A veto of a pair is SQL over the comparisons, a veto of a request over what `resolve` knows of all its records.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.match.comparisons import ADDRESS, BIRTH_DATE, SUFFIX, TIN


@dataclass(frozen=True)
class Veto:
    """One reason not to release. `id` is the word that a candidate's `vetoes` and `explain` show."""

    id: str
    when: str
    meaning: str
    why: str


PAIR_VETOES = (
    Veto(
        id="birth_date",
        when=BIRTH_DATE.at("conflict"),
        meaning="the birth dates conflict",
        why="father and son share name and address",
    ),
    Veto(
        id="suffix",
        when=f"{SUFFIX.at('conflict')} OR ({SUFFIX.at('one_side')} AND birth_date <> 'same' AND tin <> 'same')",
        meaning="the suffixes conflict, or one side has one and neither TIN nor birth date agrees",
        why="nothing else tells Jr. from Sr.",
    ),
    Veto(
        id="tin",
        when=TIN.at("near", "conflict"),
        meaning="the TINs differ, by one digit too",
        why="a typing error lands on somebody else's number",
    ),
    Veto(
        id="unit",
        when=ADDRESS.at("other_unit"),
        meaning="another unit of the same building",
        why="a neighbour, perhaps of the same name",
    ),
)

REQUEST_VETOES = (
    Veto(
        id="claimed_twice",
        when="claimed_twice",
        meaning="requests with differing birth dates or TINs match the same record",
        why="one of them at least means somebody else",
    ),
    Veto(
        id="cross_origin",
        when="cross_origin AND NOT too_many",
        meaning="a request and a control record might be one person, or a control row and a real record",
        why="an invented person must never stand for a real one",
    ),
    Veto(
        id="tin_elsewhere",
        when="tin_elsewhere AND NOT too_many",
        meaning="the request's TIN is on file for a record that has no tier",
        why="the number is borrowed, or the name is",
    ),
    Veto(
        id="too_many_records",
        when="too_many",
        meaning="a block is oversized, or the request has more candidate pairs than the limit",
        why="what leads to so many records does not say which of them is meant, nor that none is",
    ),
)
