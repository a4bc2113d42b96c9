"""Small SQL phrases that row rules share. A field is *blank* if nothing but spaces stands in it (or NULL), and *given*
only if a letter or a digit does: invisible characters and lone punctuation are no answer."""

GIVEN, BLANK = r"[\p{L}\p{N}]", r"[\s\p{Z}\p{Cf}]*"


def given(column: str) -> str:
    """TRUE if `column` holds a letter or a digit; NULL if it is NULL."""
    return f"regexp_matches({column}, '{GIVEN}')"


def missing(column: str) -> str:
    """TRUE if `column` is not `given`; never NULL."""
    return f"NOT coalesce({given(column)}, false)"


def blank(column: str) -> str:
    """TRUE if `column` is NULL or holds only spaces and invisible characters; never NULL."""
    return f"coalesce(regexp_full_match({column}, '{BLANK}'), true)"


def unless(absent: str, predicate: str) -> str:
    """`predicate`, waived where `absent` is TRUE, but never for a row without a request id (the all-null row)."""
    return f"request_id IS NOT NULL AND (({absent}) OR ({predicate}))"
