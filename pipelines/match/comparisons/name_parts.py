"""Middle initial and suffix: what tells apart relatives of one name."""

from __future__ import annotations

from pipelines.match.comparisons.level import Comparison, Level

MIDDLE_NAME = Comparison(
    "middle_name",
    (
        Level(
            id="unknown",
            when="s_middle IS NULL OR file_middle IS NULL",
            meaning="no initial on one side; SON OF or NMN is none",
            why="many files hold no middle name",
        ),
        Level(
            id="same",
            when="s_middle = file_middle",
            meaning="the same initial",
            why="tells apart relatives of one name",
            evidence="middle_name",
            m=0.90,
            u=0.067,
        ),
        Level(
            id="conflict",
            when="true",
            meaning="another initial",
            why="no veto: of pairs of one person 1.4 % have another initial on each side",
            m=0.10,
            u=0.933,
        ),
    ),
)

SUFFIX = Comparison(
    "suffix",
    (
        Level(
            id="unknown",
            when="s_suffix IS NULL AND file_suffix IS NULL",
            meaning="no suffix on either side",
            why="most people have none",
        ),
        Level(
            id="one_side",
            when="s_suffix IS NULL OR file_suffix IS NULL",
            meaning="a suffix on one side",
            why="often left out, but it may be the father or the son",
        ),
        Level(
            id="same",
            when="s_suffix = file_suffix",
            meaning="the same suffix: JR, SR, II …",
            why="tells father from son",
            evidence="suffix",
            m=0.95,
            u=0.4,
        ),
        Level(id="conflict", when="true", meaning="another suffix", why="the father or the son", m=0.05, u=0.6),
    ),
)
