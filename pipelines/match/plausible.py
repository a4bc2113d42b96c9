"""Plausible records: they might be the person, and stand against a release of any other record, but need no tier.

SQL over the comparisons. A single plausible record without a tier ends as `near`.
"""

from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.name_parts import SUFFIX
from pipelines.match.comparisons.names import FIRST_NAME, LAST_NAME, NAME_ORDER
from pipelines.match.comparisons.tin import TIN

NAMES = f"({NAME_ORDER.at('swapped')} OR (NOT {FIRST_NAME.at('different')} AND NOT {LAST_NAME.at('different')}))"
BESIDE = f"({BIRTH_DATE.at('same', 'near', 'year')} OR {TIN.at('same', 'near')} OR {ADDRESS.at('same', 'building')})"
# One contradiction may be an error of a file; two are another person.
CONFLICTS = " + ".join(f"CAST({comparison.at('conflict')} AS INTEGER)" for comparison in (BIRTH_DATE, TIN, SUFFIX))

SQL = f"{NAMES}\n        AND {BESIDE}\n        AND {CONFLICTS} < 2"
