"""Given name, surname, and the two in each other's field. A missing name agrees with nothing."""

from __future__ import annotations

from pipelines.match.comparisons.level import Comparison, Level

SIMILAR = 0.92  # Jaro-Winkler: one typing error in a name of common length
LOOSE_FIRST, LOOSE_LAST = 0.80, 0.85  # might still be the same name: for plausible records only
# Particles of surnames: DE LA CRUZ and DE LEON share no name.
PARTICLES = (
    "('DE', 'LA', 'DEL', 'LAS', 'LOS', 'DA', 'DI', 'DO', 'DOS', 'DU', 'EL', 'AL', 'ST', 'SAN', 'VAN', 'VON', 'LE')"
)


def _shares_token() -> str:
    """SQL: whether two surnames, one of them of several words, share their first or last word."""
    tokens = [(asked, f"std_{end}_token(file_last)") for asked in ("s_last1", "s_last2") for end in ("first", "last")]
    shared = "\n            OR ".join(f"({a} = {b} AND {a} NOT IN {PARTICLES})" for a, b in tokens)
    return f"(contains(s_last, ' ') OR contains(file_last, ' ')) AND (\n            {shared})"


FIRST_NAME = Comparison(
    "first_name",
    (
        Level(
            id="exact",
            when="s_first = file_first",
            meaning="the same given name",
            why="nothing stands in for it: relatives share everything else",
            evidence="first_name",
            m=0.85,
            u=0.0018,
        ),
        Level(
            id="nickname",
            when="nickname",
            meaning="a familiar form of the other: Bill and William",
            why="two files may each hold another form of one person's name",
            evidence="first_name_like",
            m=0.10,
            u=0.004,
        ),
        Level(
            id="slip",
            when=f"first_similarity >= {SIMILAR} AND abs(length(s_first) - length(file_first)) <= 1",
            meaning=f"Jaro-Winkler {SIMILAR} or more, and one letter longer or shorter at most",
            why="one typing error",
            evidence="first_name_like",
            m=0.10,
            u=0.004,
        ),
        Level(
            id="similar",
            when=f"first_similarity >= {SIMILAR}",
            meaning=f"Jaro-Winkler {SIMILAR} or more, of other lengths",
            why="the same name cut short, or a relative's: Aria is Ariana's daughter",
            evidence="first_name_like",
            m=0.10,
            u=0.004,
        ),
        Level(
            id="initial",
            when="length(least(s_first, file_first)) = 1 AND s_first[1] = file_first[1]",
            meaning="one side is an initial, and agrees",
            why="might be the same name: enough to be plausible, never for a tier",
            m=0.03,
            u=0.02,
        ),
        Level(
            id="loose",
            when=f"first_similarity >= {LOOSE_FIRST}",
            meaning=f"Jaro-Winkler {LOOSE_FIRST:.2f} or more",
            why="might be the same name: enough to be plausible, never for a tier",
            m=0.03,
            u=0.02,
        ),
        Level(
            id="different",
            when="true",
            meaning="another name, or none on one side",
            why="another person, who may share TIN, surname and address: a twin, a child",
            m=0.02,
            u=0.97,
        ),
    ),
    # A given name that only might be the same weighs as one beside a surname that might be the same.
    weighed="""CASE WHEN name_order = 'swapped' THEN 'exact'
        WHEN first_name IN ('initial', 'loose') AND last_name = 'different' THEN 'different' ELSE first_name END""",
)

LAST_NAME = Comparison(
    "last_name",
    (
        Level(
            id="exact",
            when="s_last = file_last OR replace(s_last, ' ', '') = replace(file_last, ' ', '')",
            meaning="the same surname, spaces and hyphens aside",
            why="VEGA WINFIELD is written VEGAWINFIELD where the hyphen is lost",
            evidence="last_name",
            m=0.88,
            u=0.0007,
        ),
        Level(
            id="token",
            when=_shares_token(),
            meaning="of two surnames one is shared, particles (DE LA, VAN) aside",
            why="many people have two surnames, and files that hold one of them",
            evidence="last_name_like",
            m=0.88,
            u=0.0007,
        ),
        Level(
            id="similar",
            when=f"last_similarity >= {SIMILAR}",
            meaning=f"Jaro-Winkler {SIMILAR} or more",
            why="one typing error",
            evidence="last_name_like",
            m=0.07,
            u=0.002,
        ),
        Level(
            id="loose",
            when=f"last_similarity >= {LOOSE_LAST}",
            meaning=f"Jaro-Winkler {LOOSE_LAST} or more",
            why="might be the same name: enough to be plausible, never for a tier",
            m=0.05,
            u=0.997,
        ),
        Level(
            id="different",
            when="true",
            meaning="another surname, or none on one side",
            why="surnames change by marriage: alone this contradicts nothing",
            m=0.05,
            u=0.997,
        ),
    ),
    weighed="CASE WHEN name_order = 'swapped' THEN 'exact' ELSE last_name END",
)

NAME_ORDER = Comparison(
    "name_order",
    (
        Level(
            id="swapped",
            when="s_first = file_last AND s_last = file_first",
            meaning="each name stands in the other's field",
            why="the two fields were mistaken: the same two names, so it weighs as both exact",
            evidence="names_swapped",
        ),
        Level(id="in_place", when="true", meaning="anything else", why="the fields are compared one by one"),
    ),
)
