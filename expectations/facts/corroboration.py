"""Corroboration: is the request's address one that is on file for the candidate?

Both sides are parsed by the same SQL, and the comparison is equality of every part, the unit and the Puerto Rico
urbanization included (Publication 28: identical streets differ by it). It is not a likeness: what is not equal, or
cannot be compared, does not corroborate (infra/docs/incident.md). The city is not compared: the ZIP names the place,
and one ZIP has several accepted city names. Which addresses on file count is set in the agreement (`counts`).

Used by the validate stage on the raw addresses that it found, and by the eligibility checkpoint on those that the
register itself holds, as they were parsed when it was prepared.
"""

from expectations import address
from expectations.base.total import total
from expectations.contracts.lists import Corroboration
from expectations.facts.letter import RegisterFacts
from expectations.facts.sql import literal

# The best over all addresses on file counts.
_RANKS = total(
    Corroboration,
    {Corroboration.SAME: 3, Corroboration.BUILDING: 2, Corroboration.DIFFERS: 1, Corroboration.NOT_COMPARABLE: 0},
)
# must be known on both sides, else nothing was compared
_NEEDED = ("a_kind", "a_number", "a_street", "a_state", "a_zip")


def counts(facts: RegisterFacts) -> str:
    """SQL over valid_from and valid_to that is TRUE for an address on file that counts under the agreement.

    An address that begins after the decision never counts; an earlier one counts if the agreement says so, and only if
    it ended no longer ago than the agreement allows.
    """
    earlier = f"valid_to >= {literal(facts.earliest_address_end)}" if facts.earlier_addresses_count else "false"
    return f"coalesce(valid_from <= {literal(facts.decided_on)} AND (valid_to IS NULL OR {earlier}), false)"


def sql(requests: str, verdicts: str, counting: str = "true") -> str:
    """A SELECT of (ordinal, corroboration), one row for each row of `verdicts`. `counting`: see `counts`.

    `requests`: relation with ordinal and the a_* columns of the request's address. `verdicts`: relation with ordinal
    and addresses_on_file (list of `contracts.ON_FILE`). The best result over all addresses on file counts; no address
    on file, no request, or nothing comparable gives not_comparable. `address.setup` must have run on the connection.
    """
    # the steps bear a prefix: one called like the relation that is given would hide it
    return f"""
    WITH c_each_address AS (
      SELECT ordinal, unnest(addresses_on_file) AS a FROM {verdicts}
    ), c_raw_on_file AS (
      SELECT ordinal, a.street AS street, a.unit AS unit, a.urbanization AS urbanization,
        a.city AS city, a.state AS state, a.zip AS zip
      FROM (SELECT *, a.valid_from AS valid_from, a.valid_to AS valid_to FROM c_each_address) WHERE {counting}
    ), c_on_file AS (
      {address.derive("c_raw_on_file", one_line=False, urbanization=True)}
    )
    {best(f"{verdicts} v", f"c_on_file f JOIN {requests} r USING (ordinal)", "ordinal")}"""


def best(verdicts: str, beside: str, key: str) -> str:
    """A SELECT of (`key`, corroboration), one row for each row of `verdicts`, a FROM item called v.

    `beside`: FROM items with `key`, in which f has the a_* columns of an address on file, parsed, and r those of the
    request's. No row there gives not_comparable.
    """
    known = " AND ".join(f"{side}.{c} IS NOT NULL" for side in ("r", "f") for c in _NEEDED)
    equal = " AND ".join(f"r.{c} = f.{c}" for c in _NEEDED)
    named = " ".join(f"WHEN {rank} THEN '{found}'" for found, rank in _RANKS.items())
    return f"""
    SELECT v.{key}, CASE c_best.rank {named} ELSE '{Corroboration.NOT_COMPARABLE}' END AS corroboration
    FROM {verdicts} LEFT JOIN (
      SELECT {key}, max(CASE WHEN NOT ({known}) THEN {_RANKS[Corroboration.NOT_COMPARABLE]}
          WHEN NOT ({equal}) OR r.a_urb IS DISTINCT FROM f.a_urb THEN {_RANKS[Corroboration.DIFFERS]}
          WHEN r.a_unit IS DISTINCT FROM f.a_unit THEN {_RANKS[Corroboration.BUILDING]}
          ELSE {_RANKS[Corroboration.SAME]} END) AS rank FROM {beside} GROUP BY {key}
    ) c_best USING ({key})"""
