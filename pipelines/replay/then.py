"""What was so then, by evidence and accounting: what people decided, whom the rows had found, and the facts on file."""

from pathlib import Path

from expectations.base.duck import parquet
from expectations.contracts.lists import Outcome
from expectations.facts import corroboration, sql
from expectations.facts.letter import LetterFacts
from expectations.rules import disclosure
from expectations.rules.rule import failing_codes
from pipelines.lake.sql import Connection

ADDRESSES = (
    "STRUCT(street VARCHAR, unit VARCHAR, urbanization VARCHAR, city VARCHAR, state VARCHAR, zip VARCHAR,"
    " valid_from DATE, valid_to DATE)[]"
)
_BUILDING = ("a_zip", "a_number", "a_street")
_NONE = f"(SELECT 0::BIGINT AS record_id, NULL::{ADDRESSES} AS addresses_on_file, true AS same_person WHERE false)"


def people(since: bool) -> dict[str, str]:
    """The rows that could not be read, and what people and other batches decided then, as the accounting shows it."""

    def ended_as(outcome: Outcome) -> str:
        return f"(SELECT ordinal FROM accounted WHERE outcome = '{outcome}')"

    lost, unmatched = ended_as(Outcome.ALREADY_DISCLOSED), ended_as(Outcome.UNMATCHED)
    return {
        "rejects": "(SELECT ordinal, file, origin, reject.code AS code FROM given WHERE reject IS NOT NULL)",
        "dropped": ended_as(Outcome.DROPPED),
        "lost": f"(SELECT request_key FROM given SEMI JOIN {lost} USING (ordinal) WHERE outcome IS NULL)",
        # what was found out about a person since the match, whatever the law was
        "withheld": (
            f"""(
            SELECT ordinal, '{Outcome.UNMATCHED}' AS outcome, ['NO_CANDIDATE'] AS codes
            FROM given SEMI JOIN {unmatched} USING (ordinal)
            WHERE {since} AND verdict IS NOT NULL AND NOT list_contains(verdict.codes, 'PROTECTED')
            UNION ALL SELECT ordinal, outcome, codes FROM accounted
            WHERE {since} AND outcome = '{Outcome.HELD}' AND list_contains(codes, 'RECORD_CORRECTED'))"""
        ),
    }


def tried_beside(connection: Connection, evidence: str) -> str:
    """SQL of the values that other rows of the same batch tried on the person of a row of `given` g; evidence of older
    versions knew of no rows that are held together."""
    kinds = {name: str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE FROM {evidence}").fetchall()}
    return "g.verdict.tried_beside" if "tried_beside" in kinds.get("verdict", "tried_beside") else "0"


def matched(letter: LetterFacts, corrected: Path | None, listed: str | None, beside: str) -> dict[str, str]:
    """`candidates` and `verdicts` as match and validate would give them now, on the facts of the evidence."""
    tiers = sql.literal(letter.tiers)
    same = " AND ".join(f"a.{c} IS NOT DISTINCT FROM g.{c}" for c in _BUILDING)
    return {
        "corrected": _NONE if corrected is None else parquet([corrected]),
        # a match that was made on what was wrong is none
        "candidates": (
            f"""(
            SELECT g.ordinal, g.origin, g.candidate.tier AS tier,
              CASE WHEN g.candidate.outcome IS NOT NULL THEN g.candidate.outcome
                WHEN NOT coalesce(k.same_person, true) THEN '{Outcome.UNMATCHED}'
                WHEN NOT coalesce(list_contains({tiers}, g.candidate.tier), false) THEN '{Outcome.NEAR}' END AS outcome
            FROM given g LEFT JOIN corrected k ON k.record_id = g.candidate.record_id WHERE g.candidate IS NOT NULL)"""
        ),
        "on_file": (
            f"""(
            SELECT g.ordinal, g.origin, g.verdict.record_id AS record_id, g.verdict.person_key AS person_key,
              CASE WHEN k.record_id IS NULL THEN g.verdict.addresses_on_file ELSE k.addresses_on_file END
                AS addresses_on_file,
              -- of the building that the address was read as then; of another nothing is known
              CASE WHEN {same} THEN g.verdict.units_on_file END AS units_on_file,
              {"coalesce(l.lists, [])" if listed else "g.verdict.lists"} AS lists,
              g.verdict.earlier_tries AS earlier_tries, {beside} AS tried_beside, a.a_kind, a.a_unit, a.a_state
            FROM given g SEMI JOIN wanted USING (ordinal) JOIN asked a USING (ordinal)
              LEFT JOIN corrected k ON k.record_id = g.verdict.record_id
              {f"LEFT JOIN {listed} l ON l.record_id = g.verdict.record_id" if listed else ""}
            WHERE g.verdict IS NOT NULL)"""
        ),
        "verdicts": (
            f"""
            SELECT *, CASE WHEN len(codes) > 0 THEN '{Outcome.HELD}' END AS outcome FROM (
              SELECT ordinal, record_id, person_key, addresses_on_file,
                {failing_codes(disclosure.RULES.values())} AS codes
              FROM (SELECT *, {sql.beside_verdict(letter)} FROM on_file)
                JOIN ({corroboration.sql("asked", "on_file", corroboration.counts(letter))}) USING (ordinal))"""
        ),
    }
