"""A Fellegi-Sunter weight of a pair, in bits: for those who study the rules, and rank near rows by it. It releases nothing.

Each comparison adds log2(m / u): m, how often true pairs come out so, u, how often chance pairs do (Fellegi and Sunter, 1969).
u of equal names, initials and birth dates was measured on a made register of 10 million; of equal numbers and places it is one
over how many there are. All else is set by hand: no rule rests on it.
"""

from __future__ import annotations

from math import log2

# comparison → (when, m, u), the first that holds counts; what is unknown adds nothing
LEVELS: dict[str, tuple[tuple[str, float, float], ...]] = {
    "first name": (
        ("first_exact OR names_swapped", 0.85, 0.0018),
        ("first_near", 0.10, 0.004),
        ("name_loose", 0.03, 0.02),
        ("true", 0.02, 0.97),
    ),
    "last name": (
        ("last_exact OR last_token OR names_swapped", 0.88, 0.0007),
        ("last_near", 0.07, 0.002),
        ("true", 0.05, 0.997),
    ),
    "middle name": (("middle = 'same'", 0.90, 0.067), ("middle = 'conflict'", 0.10, 0.933)),
    "suffix": (("suffix = 'same'", 0.95, 0.4), ("suffix = 'conflict'", 0.05, 0.6)),
    "birth date": (
        ("birth = 'same'", 0.95, 0.00015),
        ("birth = 'near'", 0.03, 0.002),
        ("birth = 'year'", 0.01, 0.012),
        ("birth = 'conflict'", 0.01, 0.986),
    ),
    "tin": (("tin = 'same'", 0.97, 1e-9), ("tin = 'near'", 0.02, 1e-7), ("tin = 'conflict'", 0.01, 1.0)),
    "place": (("place = 3", 0.60, 1e-7), ("place = 2", 0.10, 1e-7), ("place = 1", 0.01, 1e-6), ("true", 0.29, 1.0)),
}


def _comparison(levels: tuple[tuple[str, float, float], ...]) -> str:
    return f"CASE {' '.join(f'WHEN {when} THEN {log2(m / u):.2f}' for when, m, u in levels)} ELSE 0 END"


SQL = f"CAST({' + '.join(_comparison(levels) for levels in LEVELS.values())} AS FLOAT)"
