"""A past batch of which only a few rows are asked for: what the others add to their verdicts, and no more.

All that one row's verdict takes from another is its address (a crowd), its request id, and its share in the counts of
the batch. So of the others the address is read again, and the rest taken as it stood: the results for the rows asked
for are the same.
"""

from expectations import address
from expectations.facts import crowding
from expectations.facts.letter import LetterFacts
from pipelines.context import BatchContext

# what the counts of a batch read of a row's raw fields
COUNTED = ("reason", "officer", "case_number", "final_order_date", "judicial_order_date")
_ADDRESS = "ordinal, file, origin, address, street, unit, city, state, zip"

CHOSEN = "ordinal IN (SELECT ordinal FROM chosen)"
ASKED = f"""(
    SELECT * FROM judged UNION ALL BY NAME
    SELECT g.ordinal, g.file, g.origin, g.request_id, g.request_key, g.outcome, 0::BIGINT AS row, g.codes, p.a_codes,
      {", ".join(f"g.{name}" for name in COUNTED)}
    FROM given g JOIN places p USING (ordinal) WHERE g.ordinal NOT IN (SELECT ordinal FROM chosen))"""


def chosen(ctx: BatchContext, letter: LetterFacts) -> dict[str, str]:
    """`places` (every readable row's address, as one number, and its codes), and `chosen` (the rows that are judged
    from all of their raw fields: those `wanted`, and whoever stands at an address of so many rows that it may be
    crowded)."""
    premises, left_out = ctx.agreement.requester.premises, ctx.agreement.may_be_left_out
    read = f"(SELECT {_ADDRESS} FROM given WHERE reject IS NULL)"
    parsed = address.derive(read, one_line=True, premises=premises, left_out=left_out)
    return {
        "places": f"SELECT ordinal, {crowding.spot()} AS spot, a_codes FROM ({parsed})",
        "chosen": (
            f"""
            SELECT ordinal FROM wanted UNION SELECT ordinal FROM places WHERE spot IN (
              SELECT spot FROM places GROUP BY spot HAVING count(*) > {letter.thresholds.persons_per_address})"""
        ),
    }
