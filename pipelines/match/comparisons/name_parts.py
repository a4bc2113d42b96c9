"""Middle initial and suffix: what tells apart relatives of one name."""

from pipelines.match.comparisons.level import Comparison, Level

MIDDLE_NAME = Comparison(
    "middle_name",
    Level("unknown", "s_middle IS NULL OR file_middle IS NULL").means(
        "no initial on one side; SON OF or NMN is none", why="many files hold no middle name"
    ),
    Level("same", "s_middle = file_middle", evidence="middle_name", m=0.90, u=0.067).means(
        "the same initial", why="tells apart relatives of one name"
    ),
    Level("conflict", "true", m=0.10, u=0.933).means(
        "another initial",
        why="of pairs of one person 1.4 % have another initial on each side; of twins named María E. and María I. all",
    ),
)

SUFFIX = Comparison(
    "suffix",
    Level("unknown", "s_suffix IS NULL AND file_suffix IS NULL").means(
        "no suffix on either side", why="most people have none"
    ),
    Level("one_side", "s_suffix IS NULL OR file_suffix IS NULL").means(
        "a suffix on one side", why="often left out, but it may be the father or the son"
    ),
    Level("same", "s_suffix = file_suffix", evidence="suffix", m=0.95, u=0.4).means(
        "the same suffix: JR, SR, II …", why="tells father from son"
    ),
    Level("conflict", "true", m=0.05, u=0.6).means("another suffix", why="the father or the son"),
)
