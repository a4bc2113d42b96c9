"""The taxpayer identification number."""

from pipelines.match.comparisons.level import Comparison, Level

TIN = Comparison(
    "tin",
    Level("unknown", "k_tin IS NULL OR file_tin IS NULL").means(
        "no number on one side that can be a TIN", why="no evidence, and no contradiction"
    ),
    Level("same", "k_tin = file_tin", evidence="tin", m=0.97, u=1e-9).means(
        "the same number",
        why="the strongest evidence, but relatives borrow each other's numbers: a name must agree too",
    ),
    Level("near", "damerau_levenshtein(s_tin, std_tin_text(file_tin)) <= 1", m=0.02, u=1e-7).means(
        "one digit off, or two neighbours swapped",
        why="a typing error lands on somebody else's number: plausible, never released",
    ),
    Level("conflict", "true", m=0.01, u=1.0).means("another number", why="another person"),
)
