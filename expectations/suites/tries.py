"""Tries counted again, for the checkpoint `eligibility`: what rows of the batch try on a person, by their values.

The stage counts keyed hashes. Here the values themselves are compared, derived again from the raw fields, wherever
several rows are tries on one person; what earlier batches tried is known by its keys only.
"""

VALUES = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_zip", "s_birth", "s_tin")


def shared(tries: str) -> str:
    """A SELECT of ordinal, record_id of `tries` (see `tables`) where several rows are tries on one person."""
    several = f"(SELECT record_id FROM {tries} GROUP BY record_id HAVING count(*) > 1)"
    return f"SELECT ordinal, record_id FROM {tries} t SEMI JOIN {several} s USING (record_id)"


def tables(tries: str, tried: str, before: str) -> dict[str, str]:
    """`tries_counted` (ordinal, record_id, earlier_tries, tried_beside), and `tries_again`: one row of counts, of
    persons whose keys and values differ in number, and of matches that are no try.

    tries    ordinal, record_id: on whom each row is a try
    tried    the same with person_key and values_key
    before   batch, person_key, values_key of earlier batches; values_key is null where a record was disclosed
    Before them come `matched`, `tries_shared` (see `shared`), and `again`: its rows derived from the raw fields.
    """
    values = ", ".join(VALUES)
    return {
        "tries_values": f"""
            SELECT s.ordinal, s.record_id, dense_rank() OVER (PARTITION BY s.record_id ORDER BY {values}) AS number
            FROM tries_shared s JOIN again USING (ordinal)""",
        # a row that is the only one on a person is its only set
        "tries_own": f"""
            SELECT t.ordinal, t.record_id, t.person_key, t.values_key, coalesce(v.number, 1) AS number
            FROM {tried} t SEMI JOIN {tries} m USING (ordinal, record_id)
              LEFT JOIN tries_values v ON v.ordinal = t.ordinal AND v.record_id = t.record_id""",
        "tries_known": f"SELECT batch, person_key, values_key FROM {before} k SEMI JOIN tries_own USING (person_key)",
        "tries_released": """
            SELECT DISTINCT k.person_key, k.values_key FROM tries_known k
            WHERE k.values_key IS NOT NULL
              AND EXISTS (SELECT 1 FROM tries_known d
                WHERE d.batch = k.batch AND d.person_key = k.person_key AND d.values_key IS NULL)
              AND NOT EXISTS (SELECT 1 FROM tries_known o
                WHERE o.batch = k.batch AND o.person_key = k.person_key AND o.values_key <> k.values_key)""",
        "tries_persons": """
            SELECT record_id, any_value(person_key) AS person_key, count(DISTINCT number) AS sets,
              count(DISTINCT values_key) AS keys, count(DISTINCT person_key) AS persons,
              count(DISTINCT number) FILTER (r.values_key IS NOT NULL) AS released
            FROM tries_own LEFT JOIN tries_released r USING (person_key, values_key) GROUP BY record_id""",
        "tries_before": """
            SELECT person_key, count(DISTINCT values_key) AS others
            FROM tries_known k ANTI JOIN tries_own o USING (person_key, values_key)
            WHERE values_key IS NOT NULL GROUP BY person_key""",
        "tries_counted": """
            SELECT o.ordinal, o.record_id,
              CASE WHEN r.values_key IS NOT NULL THEN 0 ELSE p.sets - 1 + coalesce(b.others, 0) END AS earlier_tries,
              CASE WHEN r.values_key IS NOT NULL THEN 0 ELSE p.sets - p.released - 1 END AS tried_beside
            FROM tries_own o JOIN tries_persons p USING (record_id)
              LEFT JOIN tries_before b ON b.person_key = o.person_key
              LEFT JOIN tries_released r ON r.person_key = o.person_key AND r.values_key = o.values_key""",
        "tries_again": """
            SELECT (SELECT count(*) FROM tries_persons WHERE sets <> keys OR persons <> 1) AS differing,
              (SELECT count(*) FROM matched ANTI JOIN tries_own USING (ordinal, record_id)
               WHERE origin = 'request') AS missing""",
    }
