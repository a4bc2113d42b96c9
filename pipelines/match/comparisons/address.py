"""The address, against every address on file of the record, current and earlier: the best one counts.

`unit_agrees` and `unit_missing` say whether any address on file in the request's building has that unit, or has none or
meets a request without one; both are null where no address on file is in the building.
"""

from pipelines.match.comparisons.level import Comparison, Level

SIMILAR_STREET = 0.92  # Jaro-Winkler

ADDRESS = Comparison(
    "address",
    Level("same", "unit_agrees", evidence="address", m=0.60, u=1e-7).means(
        f"number, ZIP, kind and unit are equal, the street too or nearly (Jaro-Winkler {SIMILAR_STREET})",
        why="a household's evidence: it is shared by all who live there",
    ),
    Level("building", "unit_missing", evidence="building", m=0.10, u=1e-7).means(
        "the same, but one side names no unit", why="units are left out often"
    ),
    Level("other_unit", "unit_agrees IS NOT NULL", m=0.01, u=1e-6).means(
        "another unit of the same building", why="a neighbour"
    ),
    Level("elsewhere", "true", m=0.29, u=1.0).means(
        "no address on file in that building", why="people move: this contradicts nothing"
    ),
)
