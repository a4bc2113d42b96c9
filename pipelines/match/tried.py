"""Tries: on whom a row is an attempt to confirm something, whatever becomes of it (infra/docs/tries.md).

A row is a try on a record if it would match it, at an address on file, once at most one of its values (address, birth
date, TIN) were the record's own. That is judged on the comparison levels of the pair, with one of them put to `same`.
Two things make it complete. A row is released only on a pair that its blocking keys would find as well with another
value in the place of any one (the veto `unseen`). And a row that another record stands against whatever that value is,
which would end as ambiguous with the right one too, is no try: it can learn nothing.
"""

import re

from pipelines.match import bits, plausible, tiers
from pipelines.match.comparisons.address import ADDRESS
from pipelines.match.comparisons.birth_date import BIRTH_DATE
from pipelines.match.comparisons.tin import TIN
from pipelines.match.vetoes import PAIR_VETOES, VALUES_OF_KEYS

# Each value that may be replaced, and the level at which another record says least for itself.
_WORST = {ADDRESS.column: "elsewhere", BIRTH_DATE.column: "conflict", TIN.column: "conflict"}
if not {value for of_key in VALUES_OF_KEYS.values() for value in of_key} == _WORST.keys():
    raise TypeError("each value has a level at which it says least")


def _put(sql: str, column: str, level: str) -> str:
    """`sql` over `compared` with a comparison at this level, whatever the pair's is."""
    return re.sub(rf"\b{column}\b", f"'{level}'", sql)


_VETOED = " OR ".join(f"({veto.when})" for veto in PAIR_VETOES if veto.id != "unseen")
_MATCHES = f"coalesce(NOT ({_VETOED}) AND {tiers.SAME_ADDRESS} AND ({tiers.ANY}), false)"
# With no value replaced, then with each of them.
AWAY = [_MATCHES, *(_put(_MATCHES, column, "same") for column in _WORST)]
STANDS = [plausible.SQL, *(_put(plausible.SQL, column, level) for column, level in _WORST.items())]

TRIED = f"""
    SELECT * FROM (
      SELECT ordinal, record_id,
        CAST({bits.pack(AWAY)} AS UTINYINT) AS away,
        CAST({bits.pack(STANDS)} AS UTINYINT) AS stands
      FROM compared WHERE ordinal >= 0 AND record_id > 0)
    WHERE away > 0 OR stands > 0"""
