"""Which criminal statutes there are rules for, by citation. Another statute is another file here, and one more in
STATUTES.

New columns of a request go into `contracts.RAW_FIELDS`, the words of a code stand with its element. An agreement that
lists a statute without rules is refused when it is read; a row under one is held (`authority.statute`).
"""

from expectations.contracts.request import REQUIRED_COLUMNS
from expectations.rules.rule import Rule
from expectations.rules.statutes import usc_8_1253
from expectations.rules.statutes.statute import Statute

__all__ = ["STATUTES", "Statute", "lowest", "required_columns", "row_rules"]

STATUTES: dict[str, Statute] = {one.citation: one for one in (usc_8_1253.STATUTE,)}


def row_rules(citation: str | None = None) -> tuple[Rule, ...]:
    """The elements of every statute, or of the one; each binds only the rows of a letter that names its own."""
    chosen = [one for one in STATUTES.values() if citation in (None, one.citation)]
    return tuple(rule for one in chosen for rule in one.rules.values())


def required_columns(citation: str) -> tuple[str, ...]:
    """The columns that a submission must have whose letter names this statute."""
    own = STATUTES[citation].columns if citation in STATUTES else ()
    return (*REQUIRED_COLUMNS, *own)


def lowest(citations: tuple[str, ...]) -> dict[str, int]:
    """The lowest number that these statutes allow for each threshold that their elements read."""
    found: dict[str, int] = {}
    for citation in citations:
        for name, number in STATUTES[citation].thresholds.items():
            found[name] = max(number, found.get(name, number))
    return found
