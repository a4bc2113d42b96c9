"""The taxpayer identification number."""

from __future__ import annotations

from pipelines.match.comparisons.level import Comparison, Level

TIN = Comparison(
    "tin",
    (
        Level(
            id="unknown",
            when="k_tin IS NULL OR file_tin IS NULL",
            meaning="no number on one side that can be a TIN",
            why="no evidence, and no contradiction",
        ),
        Level(
            id="same",
            when="k_tin = file_tin",
            meaning="the same number",
            why="the strongest evidence, but relatives borrow each other's numbers: a name must agree too",
            evidence="tin",
            m=0.97,
            u=1e-9,
        ),
        Level(
            id="near",
            when="damerau_levenshtein(s_tin, std_tin_text(file_tin)) <= 1",
            meaning="one digit off, or two neighbours swapped",
            why="a typing error lands on somebody else's number: plausible, never released",
            m=0.02,
            u=1e-7,
        ),
        Level(id="conflict", when="true", meaning="another number", why="another person", m=0.01, u=1.0),
    ),
)
