"""Crowded addresses: more persons of one batch at one address than the agreement's `persons_per_address`.

An address is what was parsed of it, the unit and the urbanization included; a person is a standardised name with birth
date and TIN. Only the whole batch shows a crowd, so that ingest looks once all its parts are judged, and the
checkpoints look again. Control rows neither count nor are crowded.
"""

CODE = "CROWDED"
_PLACE = "a_kind, a_number, a_street, a_unit, a_urb, a_zip"
_PERSON = "s_first, s_middle, s_last, s_suffix, s_birth, s_tin"
COLUMNS = tuple(f"{_PLACE}, {_PERSON}".split(", "))


def spot() -> str:
    """SQL for one number of a row's parsed address, the same for rows that may stand at one; NULL: no address."""
    return f"CASE WHEN a_kind IS NOT NULL THEN hash({_PLACE}) END"


def sql(rows: str, limit: int) -> str:
    """A SELECT of `ordinal`, sorted: the rows at an address for more than `limit` persons.

    `rows`: the whole batch, a relation with ordinal, origin and the parsed and standardised columns. It is read twice,
    and little is kept: first one number for each address, then only what stands at an address of more rows than
    `limit`.
    """
    asked = f"(SELECT *, {spot()} AS _address FROM {rows} WHERE origin = 'request' AND a_kind IS NOT NULL)"
    return f"""
    WITH many AS (SELECT _address FROM {asked} GROUP BY _address HAVING count(*) > {limit}),
    looked_at AS MATERIALIZED (SELECT ordinal, {_PLACE}, {_PERSON} FROM {asked} SEMI JOIN many USING (_address)),
    crowded AS (
      SELECT unnest(list(ordinal)) AS ordinal FROM looked_at
      GROUP BY {_PLACE} HAVING count(DISTINCT row({_PERSON})) > {limit}
    )
    SELECT ordinal FROM crowded ORDER BY ordinal"""


def marked(rows: str, crowded: str, *lists: str) -> str:
    """A SELECT of `rows` with the code in each of `lists` (columns of sorted codes) of the rows that are `crowded`.

    `crowded`: a relation with ordinal, as `sql` gives it.
    """
    here = f"ordinal IN (SELECT ordinal FROM {crowded})"
    added = ", ".join(f"CASE WHEN {here} THEN list_sort(list_append({c}, '{CODE}')) ELSE {c} END AS {c}" for c in lists)
    return f"SELECT * REPLACE ({added}) FROM {rows}"
