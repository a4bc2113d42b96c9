"""What speaks for and against a pair of request and record: comparisons, vetoes, tiers, plausibility (matching.md).

Release needs agreeing evidence; no score adds up to it. Surname and address are one household evidence, not two: a name
with an address, and nothing else, is never a tier.
"""

from __future__ import annotations

from pipelines.match import weight
from pipelines.match.steps import Step

LIKE_NAME = 0.92  # Jaro-Winkler: one slip of the pen in a name of common length
LOOSE_FIRST, LOOSE_LAST = 0.80, 0.85  # might still be the same name: for rivals only
LIKE_STREET = 0.92
RARE = 1e-5  # namesakes to expect, at most, where name and birth date stand alone
# Of true pairs at least one in a hundred has another middle initial on each side (1.4 % of pseudopeople's census and roll, name
# and birth date being equal), of namesakes nearly all: a contradiction makes a namesake a hundred times as likely at most.
OTHER_MIDDLE = 100
# Particles of surnames: DE LA CRUZ and DE LEON share no name.
PARTICLES = (
    "('DE', 'LA', 'DEL', 'LAS', 'LOS', 'DA', 'DI', 'DO', 'DOS', 'DU', 'EL', 'AL', 'ST', 'SAN', 'VAN', 'VON', 'LE')"
)


# Word → when it holds of a pair (table weighed). A pair keeps them as bits; `words` spells them out.
VETOES = {
    "birth_date": "birth = 'conflict'",
    "suffix": "suffix = 'conflict' OR (suffix = 'one_side' AND birth <> 'same' AND tin <> 'same')",
    "tin": "tin IN ('near', 'conflict')",
    "unit": "place = 1",
}
EVIDENCE = {
    "address": "place = 3",
    "birth_date": "birth = 'same'",
    "birth_date_near": "birth = 'near'",
    "birth_year": "birth = 'year'",
    "building": "place = 2",
    "first_name": "first_exact",
    "first_name_like": "first_near AND NOT first_exact",
    "last_name": "last_exact",
    "last_name_like": "last_near AND NOT last_exact",
    "middle_name": "middle = 'same'",
    "names_swapped": "names_swapped",
    "suffix": "suffix = 'same'",
    "tin": "tin = 'same'",
}


def _mask(words: dict[str, str]) -> str:
    return " | ".join(f"CASE WHEN {held} THEN {1 << n} ELSE 0 END" for n, held in enumerate(words.values()))


def words(names: dict[str, str], mask: str) -> str:
    """SQL: the words of a mask, in the order of the alphabet."""
    each = ", ".join(f"CASE WHEN {mask} & {1 << n} > 0 THEN '{word}' END" for n, word in enumerate(names))
    return f"list_filter([{each}], w -> w IS NOT NULL)"


def steps(persons: str, addresses: str) -> list[Step]:
    """From tables pairs, requests and nicknames to `judged`: one row for each pair that may be one person.

    `persons` and `addresses` can stand in FROM: they are scanned once each, for the records of these pairs.
    """
    return [
        Step("named", "pairs whose names may be one, or whose numbers are: nothing else is looked at", named_sql(persons), ("pairs",)),
        Step("places", "best address evidence of a pair, over all addresses on file, current and earlier", places_sql(addresses)),
        Step("compared", "middle names, suffixes, birth dates, numbers compared", COMPARED, ("named", "places", "requests")),
        Step("weighed", "conflicts, and the names as exact or like", WEIGHED, ("compared",)),
        Step("judged", "tier, vetoes, evidence, plausible", JUDGED, ("weighed",)),
    ]  # fmt: skip


def _shares_token() -> str:
    pairs = [(r, f"std_{g}_token(g.s_last)") for r in ("r.s_last1", "r.s_last2") for g in ("first", "last")]
    return " OR ".join(f"({r} = {g} AND {r} NOT IN {PARTICLES})" for r, g in pairs)


# CASE, because the costly similarity runs on those rows only where equality failed. A missing name agrees with nothing.
# Most pairs are members of one household: what their names rule out costs nothing more.
def named_sql(persons: str) -> str:
    return f"""
    SELECT * FROM (
      SELECT *, names_swapped OR (first_exact OR first_nick OR first_initial OR first_like >= {LOOSE_FIRST})
        AND (last_exact OR last_token OR last_like >= {LOOSE_LAST}) AS name_loose
      FROM (
        SELECT p.ordinal, p.record_id, coalesce(r.k_tin = g.k_tin, false) AS tin_same,
          coalesce(r.s_first = g.s_first, false) AS first_exact,
          n.name IS NOT NULL AS first_nick,
          CASE WHEN r.s_first = g.s_first THEN 1 ELSE coalesce(jaro_winkler_similarity(r.s_first, g.s_first), 0) END AS first_like,
          coalesce(abs(length(r.s_first) - length(g.s_first)) <= 1, false) AS first_slip,
          coalesce(length(least(r.s_first, g.s_first)) = 1 AND r.s_first[1] = g.s_first[1], false) AS first_initial,
          CASE WHEN r.s_last = g.s_last THEN true ELSE coalesce(replace(r.s_last, ' ', '') = replace(g.s_last, ' ', ''), false) END AS last_exact,
          CASE WHEN contains(r.s_last, ' ') OR contains(g.s_last, ' ') THEN coalesce({_shares_token()}, false) ELSE false END AS last_token,
          coalesce(r.s_first = g.s_last AND r.s_last = g.s_first, false) AS names_swapped,
          CASE WHEN r.s_last = g.s_last THEN 1 ELSE coalesce(jaro_winkler_similarity(r.s_last, g.s_last), 0) END AS last_like,
          g.s_middle, g.s_suffix, g.s_birth, g.k_tin
        FROM {persons} g JOIN pairs p USING (record_id) JOIN requests r USING (ordinal)
        LEFT JOIN nicknames n ON n.name = r.s_first AND n.nickname = g.s_first))
    WHERE name_loose OR tin_same"""


def places_sql(addresses: str) -> str:
    return f"""
    SELECT p.ordinal, p.record_id, max(CASE
        WHEN r.a_unit IS NOT DISTINCT FROM h.a_unit THEN 3
        WHEN r.a_unit IS NULL OR h.a_unit IS NULL THEN 2
        ELSE 1 END) AS place
    FROM {addresses} h JOIN named p USING (record_id) JOIN requests r ON r.ordinal = p.ordinal
      AND h.a_zip = r.a_zip AND h.a_number = r.a_number AND h.a_kind = r.a_kind
    WHERE (r.a_street = h.a_street OR jaro_winkler_similarity(r.a_street, h.a_street) >= {LIKE_STREET})
      AND (r.a_urb IS NULL OR h.a_urb IS NULL OR r.a_urb = h.a_urb)
    GROUP BY p.ordinal, p.record_id"""


COMPARED = """
    SELECT g.* EXCLUDE (s_middle, s_suffix, s_birth, k_tin), (g.ordinal < 0) <> (g.record_id < 0) AS crosses, r.namesakes, r.middle_share,
      CASE WHEN r.s_middle IS NULL OR g.s_middle IS NULL THEN 'unknown' WHEN r.s_middle = g.s_middle THEN 'same' ELSE 'conflict' END AS middle,
      CASE WHEN r.s_suffix IS NULL AND g.s_suffix IS NULL THEN 'unknown' WHEN r.s_suffix IS NULL OR g.s_suffix IS NULL THEN 'one_side'
        WHEN r.s_suffix = g.s_suffix THEN 'same' ELSE 'conflict' END AS suffix,
      CASE WHEN r.s_birth IS NULL OR g.s_birth IS NULL THEN 'unknown'
        WHEN year(r.s_birth) = year(g.s_birth) AND (r.s_birth_year_only OR std_year_only(g.s_birth)) THEN 'year'
        WHEN r.s_birth = g.s_birth THEN 'same'
        WHEN year(r.s_birth) = year(g.s_birth) AND (
          (month(r.s_birth) = day(g.s_birth) AND day(r.s_birth) = month(g.s_birth))
          OR damerau_levenshtein(CAST(r.s_birth AS VARCHAR), CAST(g.s_birth AS VARCHAR)) <= 1) THEN 'near'
        ELSE 'conflict' END AS birth,
      CASE WHEN r.k_tin IS NULL OR g.k_tin IS NULL THEN 'unknown' WHEN r.k_tin = g.k_tin THEN 'same'
        WHEN damerau_levenshtein(r.s_tin, std_tin_text(g.k_tin)) <= 1 THEN 'near' ELSE 'conflict' END AS tin,
      coalesce(a.place, 0) AS place
    FROM named g JOIN requests r USING (ordinal)
    LEFT JOIN places a ON a.ordinal = g.ordinal AND a.record_id = g.record_id"""

WEIGHED = f"""
    SELECT *,
      first_exact OR first_nick OR first_like >= {LIKE_NAME} AS first_near,
      last_exact OR last_token OR last_like >= {LIKE_NAME} AS last_near,
      first_exact AND last_exact AS name_exact,
      CAST(birth = 'conflict' AS INTEGER) + CAST(tin = 'conflict' AS INTEGER) + CAST(suffix = 'conflict' AS INTEGER) AS conflicts,
      {_mask(VETOES)} AS vetoes
    FROM compared"""

# Tiers. A: a number with a name. Surnames change and are left out: a given name and the birth date, or the middle initial
# and the full address, stand in for one. Nothing stands in for the given name: relatives borrow each other's numbers and
# share the rest. Without the birth date it may be familiar or have one letter more or less, no more: Aria is Ariana's daughter.
# The two names in each other's field are the same names.
# B: name (in each other's field, too), birth date, address. C: the same with a slip in the name, at the full address.
# D: a name, with its middle initial where both give it, so rare that nobody else of that birth date is to be expected to bear it.
# A contradicting middle initial is overcome by number and birth date together, by name, birth date and address, or by a name
# that is so much the rarer.
JUDGED = f"""
    SELECT ordinal, record_id, crosses, tin_same, vetoes,
      CASE WHEN vetoes > 0 THEN NULL
        WHEN tin = 'same' AND (middle <> 'conflict' OR birth = 'same') AND (
            first_exact AND (last_exact OR last_token) OR names_swapped
            OR first_near AND last_near AND (birth = 'same' OR (middle = 'same' AND (first_nick OR first_slip)))
            OR first_exact AND (birth = 'same' OR (middle = 'same' AND (last_near OR place = 3)))) THEN 'A'
        WHEN (name_exact OR names_swapped) AND birth = 'same' AND place >= 2 THEN 'B'
        WHEN first_near AND last_near AND birth = 'same' AND place = 3 AND middle <> 'conflict' THEN 'C'
        WHEN name_exact AND birth = 'same'
          AND namesakes * CASE middle WHEN 'same' THEN middle_share WHEN 'conflict' THEN {OTHER_MIDDLE} ELSE 1 END <= {RARE} THEN 'D'
      END AS tier,
      name_loose AND (birth IN ('same', 'near', 'year') OR tin IN ('same', 'near') OR place >= 2) AND conflicts < 2 AS plausible,
      {_mask(EVIDENCE)} AS evidence,
      {weight.SQL} AS weight
    FROM weighed"""
