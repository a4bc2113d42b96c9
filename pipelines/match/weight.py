"""A Fellegi-Sunter weight of a pair, in bits: for studying the rules, and for ranking near rows. It releases nothing.

Each comparison adds log2(m / u) of the pair's level. u of equal names, initials and birth dates was measured on a
made-up register of 10 million; u of equal TINs and addresses is one over how many there are. All else is set by hand:
no rule rests on it.
"""

from math import log2

from pipelines.match.comparisons import COMPARISONS
from pipelines.match.comparisons.level import Comparison


def _added(comparison: Comparison) -> str:
    bits = {level.id: log2(level.m / level.u) for level in comparison.levels}
    whens = " ".join(f"WHEN '{id}' THEN {weight:.2f}" for id, weight in bits.items() if weight)
    return f"CASE {comparison.weighed} {whens} ELSE 0 END" if whens else ""


SQL = "CAST({} AS FLOAT)".format("\n        + ".join(filter(None, map(_added, COMPARISONS))))
