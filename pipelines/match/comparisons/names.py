"""Given name, surname, and the two in each other's field. A missing name agrees with nothing."""

from pipelines.match.comparisons.level import Comparison, Level

SIMILAR = 0.92  # Jaro-Winkler: one typing error in a name of common length
LOOSE_FIRST, LOOSE_LAST = 0.80, 0.85  # might still be the same name: for plausible records only
# Particles of surnames: DE LA CRUZ and DE LEON share no name.
PARTICLES = (
    "('DE', 'LA', 'DEL', 'LAS', 'LOS', 'DA', 'DI', 'DO', 'DOS', 'DU', 'EL', 'AL', 'ST', 'SAN', 'VAN', 'VON', 'LE')"
)
# Two surnames, one of them of several words, share their first or last word.
_ENDS = [(asked, f"std_{end}_token(file_last)") for asked in ("s_last1", "s_last2") for end in ("first", "last")]
_SHARED = "\n            OR ".join(f"({a} = {b} AND {a} NOT IN {PARTICLES})" for a, b in _ENDS)
_TOKEN = f"(contains(s_last, ' ') OR contains(file_last, ' ')) AND (\n            {_SHARED})"
# Of given names. Twins are named alike, so that only the very same name is no twin's.
# Ann A. is not Anna, nor Carl A. Carla: a word of one letter is an initial.
_SAME_FIRST = r"""s_first = file_first OR (replace(s_first, ' ', '') = replace(file_first, ' ', '')
          AND NOT regexp_matches(concat_ws(' ', s_first, file_first), '\b[A-Z]\b'))"""
_NOBODY = "std_no_given(s_first) OR (s_first <> file_first AND std_no_given(file_first))"
_INITIAL = f"length(least(s_first, file_first)) = 1 AND s_first[1] = file_first[1] OR {_SAME_FIRST}"
_ALIKE, _OF_ONE_LENGTH = f"first_similarity >= {SIMILAR}", "abs(length(s_first) - length(file_first)) <= 1"
_SHORT_FORM = f"nickname AND NOT ({_ALIKE} AND {_OF_ONE_LENGTH})"
# A slip turns a name into a spelling that is nobody's name. Two names in use are two names; of two spellings that are
# both on no list, nobody can say that they are not. Bearers mostly of the one sex, and mostly of the other: two names.
OTHER_SEX = "least(asked_male, on_file_male) < 0.1 AND greatest(asked_male, on_file_male) > 0.9"
_OTHER_NAME = f"({_ALIKE} AND asked_in_use = on_file_in_use AND NOT ({_SHORT_FORM})) OR (nickname AND {OTHER_SEX})"
_SWAPPED = "s_first = file_last AND s_last = file_first AND NOT std_no_given(s_first) AND NOT std_no_given(s_last)"
_SAME_LETTERS = "s_last = file_last OR replace(s_last, ' ', '') = replace(file_last, ' ', '')"

FIRST_NAME = Comparison(
    "first_name",
    Level("exact", f"({_SAME_FIRST}) AND NOT ({_NOBODY})", evidence="first_name", m=0.85, u=0.0018).means(
        "the same given name, spaces and hyphens aside",
        why="nothing stands in for it: relatives share everything else",
    ),
    Level("initial", _INITIAL, m=0.03, u=0.02).means(
        "one side is an initial, and agrees; or both say the same and name nobody (J, BABY BOY, MRS)",
        why="might be the same name, and twins may share it: enough to be plausible, never for a tier",
    ),
    Level("other_name", _OTHER_NAME, evidence="first_name_like", m=0.10, u=0.004).means(
        f"Jaro-Winkler {SIMILAR} or more, and both spellings are names in use (Marie and Maria), or neither is; or a"
        " familiar form that is of the other sex",
        why="no slip of the pen but another name: a twin's, a mother's",
    ),
    Level("nickname", "nickname", evidence="first_name_like", m=0.10, u=0.004).means(
        "a familiar form of the other: Bill and William",
        why="two files may each hold another form of one person's name",
    ),
    Level("slip", f"{_ALIKE} AND {_OF_ONE_LENGTH}", evidence="first_name_like", m=0.10, u=0.004).means(
        f"Jaro-Winkler {SIMILAR} or more, and one letter longer or shorter at most; one of the two is a name in use",
        why="one typing error makes of a name what is none",
    ),
    Level("similar", _ALIKE, evidence="first_name_like", m=0.10, u=0.004).means(
        f"Jaro-Winkler {SIMILAR} or more, of other lengths; one of the two is a name in use",
        why="the same name cut short, or a relative's",
    ),
    Level("loose", f"first_similarity >= {LOOSE_FIRST}", m=0.03, u=0.02).means(
        f"Jaro-Winkler {LOOSE_FIRST:.2f} or more",
        why="might be the same name: enough to be plausible, never for a tier",
    ),
    Level("different", "true", m=0.02, u=0.97).means(
        "another name, or none on one side",
        why="another person, who may share TIN, surname and address: a twin, a child",
    ),
    # A given name that only might be the same weighs as one beside a surname that might be the same.
    weighed="""CASE WHEN name_order = 'swapped' THEN 'exact'
        WHEN first_name IN ('initial', 'loose') AND last_name = 'different' THEN 'different' ELSE first_name END""",
)

LAST_NAME = Comparison(
    "last_name",
    Level("exact", _SAME_LETTERS, evidence="last_name", m=0.88, u=0.0007).means(
        "the same surname, spaces and hyphens aside",
        why="VEGA WINFIELD is written VEGAWINFIELD where the hyphen is lost",
    ),
    Level("token", _TOKEN, evidence="last_name_like", m=0.88, u=0.0007).means(
        "of two surnames one is shared, particles (DE LA, VAN) aside",
        why="many people have two surnames, and files that hold one of them",
    ),
    Level("similar", f"last_similarity >= {SIMILAR}", evidence="last_name_like", m=0.07, u=0.002).means(
        f"Jaro-Winkler {SIMILAR} or more", why="one typing error"
    ),
    Level("loose", f"last_similarity >= {LOOSE_LAST}", m=0.05, u=0.997).means(
        f"Jaro-Winkler {LOOSE_LAST} or more", why="might be the same name: enough to be plausible, never for a tier"
    ),
    Level("different", "true", m=0.05, u=0.997).means(
        "another surname, or none on one side", why="surnames change by marriage: alone this contradicts nothing"
    ),
    weighed="CASE WHEN name_order = 'swapped' THEN 'exact' ELSE last_name END",
)

NAME_ORDER = Comparison(
    "name_order",
    Level("swapped", _SWAPPED, evidence="names_swapped").means(
        "each name stands in the other's field",
        why="the two fields were mistaken: the same two names, so it weighs as both exact",
    ),
    Level("in_place", "true").means("anything else", why="the fields are compared one by one"),
)
