"""Given names in use: which spellings are somebody's name, and whether of men or of women.

The list is that of the census (`data/README.md`). It closes nothing by itself: a tenth of all people bear a name that
is too rare to be on it. What a release rests on is evidence that twins do not share; the list only says which spelling
that differs by a letter is no slip.
"""

from pathlib import Path

from expectations.base import duck

LISTED = Path(__file__).parent / "data" / "first_names_2020.parquet"
ALL_OTHERS = "ALL OTHER NAMES"  # the last row of the census file is a sum, and no name


def in_use() -> str:
    """A SELECT of (name, male): each given name in use, without spaces, and the share of its bearers who are men."""
    return f"""
    SELECT name, pct_male / 100 AS male FROM read_parquet({duck.quote(str(LISTED))})
    WHERE name <> '{ALL_OTHERS}' AND length(name) > 1"""
