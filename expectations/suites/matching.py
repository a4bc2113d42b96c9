"""Checkpoint `matching`: every row that was looked up has one answer, and one record at most stands behind it."""

from collections.abc import Mapping
from dataclasses import dataclass

from expectations.base.duck import DuckSettings, quote
from expectations.contracts.lists import Origin, Stage, Tier, ends
from expectations.contracts.request import RAW_NAMES
from expectations.facts import band
from expectations.facts.letter import LetterFacts
from expectations.facts.sql import literal
from expectations.gx.checkpoint import run
from expectations.gx.checks import Check, Suite, columns_of, condition, equal, in_set, none, unique
from expectations.gx.verdict import Verdict
from expectations.names import standard
from expectations.rules.book import register_rules

NAME = "matching"
TIERS = tuple(Tier)
COUNTS = ("looked_up", "matched", *(f"tier_{t.lower()}" for t in TIERS))  # of the requests: what the ledger keeps
ENOUGH_MATCHES = 100  # for a share of them: of twenty, its standard error is a tenth


@dataclass(frozen=True)
class Inputs:
    """What the match stage was given and what it committed.

    rows, candidates, expected   relations: `ingest.rows`, `match.candidates`, and what the control rows must come to
    registers                    relations with record_id: who is on file for the rows of each origin
    committed                    rows of `match.candidates` by its manifest
    letter                       letter facts: the bounds of match rate and tiers
    """

    rows: str
    candidates: str
    expected: str
    registers: Mapping[Origin, str]
    committed: int
    letter: LetterFacts


def suite() -> Suite:
    """The declared checks of this checkpoint."""
    checks = (*_form(), *_conservation(), *_uniqueness(), *_control_rows(), *_rate(), *_tiers())
    return Suite(NAME, "candidates", checks, (standard.setup,))


def of_batch() -> tuple[Check, ...]:
    """The checks on the batch as a whole that people may explain, over the row of `rate_sql`."""
    return tuple(check for check in (*_rate(), *_tiers()) if check.table == "rate")


def check(inputs: Inputs, duck: DuckSettings | None = None) -> Verdict:
    """The verdict on a committed match stage."""
    return run(suite(), tables(inputs), rows=inputs.committed, duck=duck)


def tables(inputs: Inputs) -> dict[str, str]:
    """What the checks look at, in the order in which it is worked out."""
    return {
        "candidates": inputs.candidates,
        "looked_up": f"(SELECT ordinal, origin FROM {inputs.rows} WHERE outcome IS NULL)",
        "counts": """
            SELECT (SELECT count(*) FROM looked_up) AS looked_up, (SELECT count(*) FROM candidates) AS answered,
              (SELECT count(*) FROM looked_up ANTI JOIN candidates USING (ordinal, origin)) AS lost,
              (SELECT count(*) FROM candidates ANTI JOIN looked_up USING (ordinal, origin)) AS made_up""",
        "own": _own(inputs.registers),
        "claims": f"""
            SELECT record_id, count(DISTINCT CASE WHEN NOT s_birth_year_only THEN s_birth END) AS birth_dates,
              count(DISTINCT s_tin) AS tins
            FROM (SELECT ordinal, record_id FROM candidates WHERE outcome IS NULL)
            LEFT JOIN ({_identities(inputs.rows)}) USING (ordinal) GROUP BY record_id""",
        "control_rows": f"""
            SELECT e.ordinal, e.expected, e.code, e.code IN ({_register_codes()}) AS decided_later,
              r.outcome AS ingest_outcome, r.codes AS ingest_codes,
              c.ordinal IS NOT NULL AS answered, c.outcome AS match_outcome, c.record_id
            FROM {inputs.expected} e
              LEFT JOIN (SELECT * FROM {inputs.rows} WHERE origin = 'decoy') r ON r.ordinal = e.ordinal
              LEFT JOIN (SELECT * FROM candidates WHERE origin = 'decoy') c ON c.ordinal = e.ordinal""",
        "controls": f"""
            SELECT (SELECT count(*) FROM {inputs.expected} WHERE expected = 'eligible') AS must_match,
              (SELECT count(*) FROM {inputs.expected} WHERE expected = 'unmatched') AS must_not,
              (SELECT count(*) FROM {inputs.rows} r ANTI JOIN {inputs.expected} e USING (ordinal)
               WHERE origin = 'decoy') AS unknown_controls""",
        "rate": rate_sql("candidates", inputs.letter),
        "demanded": f"(SELECT ordinal, origin, outcome, tier, {literal(inputs.letter.tiers)} AS tiers FROM candidates)",
    }


def rate_sql(candidates: str, letter: LetterFacts) -> str:
    """A SELECT of one row: COUNTS (no control rows) and their bounds min_match_rate, max_match_rate, max_weak_tiers;
    and pooled_rows, pooled_matched, which the agreement's own band (match_rate_floor, match_rate_ceiling) is about."""
    agreed = letter.thresholds
    floor, ceiling = band.sql((agreed.match_rate_floor, agreed.match_rate_ceiling), letter.learnt, "looked_up")
    rows, matched = band.pooled(letter.learnt, "looked_up", "matched")
    tiers = ", ".join(f"count(*) FILTER (outcome IS NULL AND tier = '{t}') AS tier_{t.lower()}" for t in TIERS)
    return f"""
        SELECT *, {floor} AS min_match_rate, {ceiling} AS max_match_rate,
          {agreed.weak_tiers_ceiling}::DOUBLE AS max_weak_tiers, {rows} AS pooled_rows, {matched} AS pooled_matched,
          {agreed.match_rate_floor}::DOUBLE AS match_rate_floor,
          {agreed.match_rate_ceiling}::DOUBLE AS match_rate_ceiling
        FROM (SELECT count(*) AS looked_up, count(*) FILTER (outcome IS NULL) AS matched, {tiers}
          FROM {candidates} WHERE origin = 'request')"""


def _own(registers: Mapping[Origin, str]) -> str:
    """A SELECT of each candidate's record, and the origins whose register has it: by the registers themselves, whatever
    the sign of an id says, so that it is no matter of form that control rows meet no real person. Only what was found
    is looked for: a national register is scanned, and not kept."""
    here = "record_id IN (SELECT record_id FROM {} SEMI JOIN named USING (record_id))"
    found = ", ".join(f"CASE WHEN {here.format(known)} THEN '{origin}' END" for origin, known in registers.items())
    return f"""
        WITH named AS MATERIALIZED (SELECT DISTINCT record_id FROM candidates WHERE record_id IS NOT NULL)
        SELECT ordinal, origin, record_id, list_filter([{found}], o -> o IS NOT NULL) AS origins
        FROM candidates WHERE record_id IS NOT NULL"""


def _identities(rows: str) -> str:
    raw = f"(SELECT ordinal, {', '.join(RAW_NAMES)} FROM {rows} WHERE outcome IS NULL)"
    return f"SELECT ordinal, s_birth, s_birth_year_only, s_tin FROM ({standard.derive(raw)})"


def _register_codes() -> str:
    return ", ".join(quote(rule.code) for rule in register_rules())


def _form() -> tuple[Check, ...]:
    origins = tuple(Origin)
    return (
        columns_of("matching.schema", "candidates", "candidate"),
        in_set("matching.origin", "candidates", "origin", origins, null=False, code="VERDICT_DIFFERS"),
        in_set("matching.outcome", "candidates", "outcome", ends(Stage.MATCH), null=True, code="VERDICT_DIFFERS"),
        in_set("matching.tier", "candidates", "tier", TIERS, null=True, code="VERDICT_DIFFERS"),
    )


def _conservation() -> tuple[Check, ...]:
    """Rows in = rows answered: none lost, none doubled, none made up."""
    return (
        unique("matching.one_answer", "candidates", "ordinal"),
        none("matching.none_lost", "counts", "lost"),
        none("matching.none_made_up", "counts", "made_up"),
        equal("matching.all_answered", "counts", "looked_up", "answered", "COUNTS_DIFFER", -1),
    )


def _uniqueness() -> tuple[Check, ...]:
    """A match names one record, by a tier, with nothing against it, and no other record is plausible."""
    return (
        condition(
            ("matching.one_record", "candidates", "NOT_UNIQUE"),
            ["origin", "outcome", "record_id", "tier", "vetoes", "plausible"],
            "origin IS NOT NULL AND (outcome IS NOT NULL OR"
            " (record_id IS NOT NULL AND tier IS NOT NULL AND len(vetoes) = 0 AND plausible = 1))",
            {"outcome": None, "record_id": 1, "plausible": 2},
        ),
        condition(
            ("matching.own_register", "own", "DECOY_WRONG"),
            ["origin", "origins"],
            "origins = [origin]",
            {"origin": "request", "origins": ["decoy"]},
        ),
        condition(
            ("matching.one_person_a_record", "claims", "CLAIMED_TWICE"),
            ["record_id", "birth_dates", "tins"],
            "record_id IS NOT NULL AND birth_dates <= 1 AND tins <= 1",
            {"tins": 2},
        ),
    )


def _control_rows() -> tuple[Check, ...]:
    """The holder's invented persons came out as they must, as far as this stage decides."""
    return (
        condition(
            ("matching.decoys", "control_rows", "DECOY_WRONG"),
            [
                "expected",
                "code",
                "decided_later",
                "ingest_outcome",
                "ingest_codes",
                "answered",
                "match_outcome",
                "record_id",
            ],
            "CASE WHEN expected IN ('unmatched', 'ambiguous') THEN answered AND match_outcome = expected"
            " WHEN expected = 'eligible' OR (expected = 'held' AND decided_later)"
            " THEN answered AND match_outcome IS NULL AND record_id < 0"
            " WHEN expected = 'held'"
            " THEN NOT answered AND ingest_outcome = 'held' AND list_contains(ingest_codes, code) END",
            {"expected": "eligible", "match_outcome": "unmatched"},
        ),
        condition(
            ("matching.decoys_that_match", "controls", "DECOY_WRONG"),
            ["must_match"],
            "must_match > 0",
            {"must_match": 0},
        ),
        condition(
            ("matching.decoys_that_do_not", "controls", "DECOY_WRONG"), ["must_not"], "must_not > 0", {"must_not": 0}
        ),
        none("matching.decoys_known", "controls", "unknown_controls", "DECOY_WRONG"),
    )


def _rate() -> tuple[Check, ...]:
    """Matched requests / requests looked up; control rows do not count. A batch that looked nothing up is in any band:
    nothing of it can be released, and each of its rows has ended with a code of its own."""
    pooled = band.within("pooled_rows", "pooled_matched", "match_rate_floor", "match_rate_ceiling")
    return (
        condition(
            ("matching.rate", "rate", "MATCH_RATE"),
            [
                *("looked_up", "matched", "min_match_rate", "max_match_rate"),
                *("pooled_rows", "pooled_matched", "match_rate_floor", "match_rate_ceiling"),
            ],
            f"{band.within('looked_up', 'matched', 'min_match_rate', 'max_match_rate')} AND {pooled}",
            {"looked_up": 100, "matched": 101},
        ),
    )


def _tiers() -> tuple[Check, ...]:
    """No match rests on less than the agreement demands; among the matches few are of tier C (a slip in the name) or D
    (a rare name and the birth date, without an address)."""
    return (
        condition(
            ("matching.tier_demanded", "demanded", "WEAK_EVIDENCE"),
            ["origin", "outcome", "tier", "tiers"],
            "origin = 'decoy' OR (origin = 'request' AND (outcome IS NOT NULL OR list_contains(tiers, tier)))",
            {"origin": "request", "outcome": None, "tier": "none"},
        ),
        condition(
            ("matching.tier_mix", "rate", "TIER_MIX"),
            ["matched", "tier_c", "tier_d", "max_weak_tiers"],
            f"matched < {ENOUGH_MATCHES} OR tier_c + tier_d <= max_weak_tiers * matched",
            {"matched": ENOUGH_MATCHES, "tier_c": ENOUGH_MATCHES},
        ),
    )
