"""The birth date. 1 January stands for "only the year is known" in many files."""

from pipelines.match.comparisons.level import Comparison, Level

_YEAR_ONLY = "year(s_birth) = year(file_birth) AND (s_birth_year_only OR std_year_only(file_birth))"
_NEAR = """year(s_birth) = year(file_birth) AND (
          (month(s_birth) = day(file_birth) AND day(s_birth) = month(file_birth))
          OR damerau_levenshtein(CAST(s_birth AS VARCHAR), CAST(file_birth AS VARCHAR)) <= 1)"""

BIRTH_DATE = Comparison(
    "birth_date",
    Level("unknown", "s_birth IS NULL OR file_birth IS NULL").means(
        "no date that can be read on one side", why="no evidence, and no contradiction"
    ),
    Level("year", _YEAR_ONLY, evidence="birth_year", m=0.01, u=0.012).means(
        "the same year, where one side says 1 January",
        why="1 January stands for an unknown day: it neither agrees nor contradicts",
    ),
    Level("same", "s_birth = file_birth", evidence="birth_date", m=0.95, u=0.00015).means(
        "the same day", why="namesakes hardly ever share it; twins do"
    ),
    Level("near", _NEAR, evidence="birth_date_near", m=0.03, u=0.002).means(
        "one digit off within the year, or day and month swapped",
        why="a typing error, or a date written in the other order: plausible, never for a tier",
    ),
    Level("conflict", "true", m=0.01, u=0.986).means("another date", why="another person: a relative, a namesake"),
)
