"""What the `eligibility` suite looks at: the rows that are passed on, derived again from the request's raw fields and
from what the register itself holds; a sample of those that are held; and a second opinion by other code."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from expectations.contracts.lists import Origin
from expectations.facts import corroboration, crowding, persons, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.tables import Tables
from expectations.rules.book import register_rules, request_rules
from expectations.rules.rule import failing_codes
from expectations.suites import derived, on_file, sampled, tries, twin

_PARSED = (*on_file.PARSED, "a_state")


@dataclass(frozen=True)
class Inputs:
    """What the validate stage was given and what it committed.

    rows, candidates, verdicts, expected   relations: `ingest.rows`, `match.candidates`, `validate.verdicts`, ends of
                                           the control rows
    committed                              rows of `validate.verdicts` by its manifest
    registers                              the register of each origin: the real one, and that of the control rows
    seed                                   chooses the samples
    letter, premises                       letter facts; the requester's own addresses
    facilities                             the operator's own list, as it was when the submission was received
    left_out                               what the agreement lets be left out of an address
    persons                                Parquet of the holder's lists of persons, as they were then
    tries, tried, tried_before             relations: on whom each row is a try (`match.candidates`), what it tries
                                           there (`validate.tried`), and what earlier batches tried; see `tries`
    ahead                                  the rows, if they were derived again already (`ahead.Ahead.of`)
    """

    rows: str
    candidates: str
    verdicts: str
    expected: str
    committed: int
    registers: Mapping[Origin, on_file.Register]
    seed: str
    letter: LetterFacts
    premises: tuple[str, ...]
    tries: str
    tried: str
    tried_before: str
    facilities: Path | None = None
    left_out: tuple[str, ...] = ()
    persons: Path | None = None
    ahead: pa.Table | None = None


def tables(inputs: Inputs) -> Tables:
    """What the checks look at, in the order in which it is worked out."""
    return {
        **derived.table_ahead(inputs.ahead),
        "verdicts": inputs.verdicts,
        "matched": f"(SELECT ordinal, origin, record_id FROM {inputs.candidates} WHERE outcome IS NULL)",
        "tries_shared": tries.shared(inputs.tries),
        **_looked_at(inputs),
        **tries.tables(inputs.tries, inputs.tried, inputs.tried_before),
        **_register(inputs),
        "passed": f"(SELECT *, {sql.beside_request(inputs.letter)} FROM again WHERE passed_on)",
        "opinions": twin.Opinions(inputs.left_out, inputs.seed),
        **_judged(inputs),
        "counts": _counts(inputs),
        "opined": _opined(),  # by itself: nothing else that is counted waits for the opinions
        "control_rows": f"""
            SELECT e.ordinal, e.expected, e.code, v.ordinal IS NOT NULL AS judged, v.outcome, v.codes
            FROM {inputs.expected} e
              LEFT JOIN (SELECT * FROM verdicts WHERE origin = 'decoy') v ON v.ordinal = e.ordinal""",
    }


def _looked_at(inputs: Inputs) -> Tables:
    """Every row that is passed on, every control row, a sample of the rows that are held, and of whom several rows try
    to confirm something, all of them; with what request-phase rules, the comparison and the count of tries read of
    them, derived again."""
    held = sampled.chosen("verdicts", f"outcome IS NOT NULL AND origin = '{Origin.REQUEST}'", inputs.seed)
    # from the verdicts, not from the rows: a verdict without its row must fail, not vanish
    asked = f"""(
        SELECT r.* REPLACE (v.ordinal AS ordinal, v.origin AS origin), v.record_id, v.passed_on
        FROM (
          SELECT ordinal, origin, record_id, outcome IS NULL AS passed_on FROM verdicts
          WHERE outcome IS NULL OR origin = 'decoy' OR ordinal IN ({held})
            OR ordinal IN (SELECT ordinal FROM tries_shared)
          UNION ALL SELECT ordinal, '{Origin.REQUEST}', NULL, false
          FROM (SELECT DISTINCT ordinal FROM tries_shared) ANTI JOIN verdicts USING (ordinal)
        ) v LEFT JOIN {inputs.rows} r ON r.ordinal = v.ordinal AND r.origin = v.origin)"""
    read = (name for rule in (*request_rules(), *register_rules()) for name in rule.inputs if name in derived.COLUMNS)
    names = dict.fromkeys(
        ("ordinal", "origin", "record_id", "passed_on", *derived.ADDRESS, *_PARSED, *tries.VALUES, *read)
    )
    ahead = None if inputs.ahead is None else derived.AHEAD
    again = derived.fields(asked, inputs.premises, inputs.left_out, keep="record_id, passed_on", ahead=ahead)
    return {
        # only the whole batch shows a crowd: every canonical row counts, wherever it ended
        "crowded": crowding.sql(inputs.rows, inputs.letter.thresholds.persons_per_address),
        # narrow: a batch may have more than a million rows
        "again": f"SELECT {', '.join(names)} FROM ({crowding.marked(f'({again})', 'crowded', 'a_codes')})",
    }


def _register(inputs: Inputs) -> Tables:
    """What the register holds on them."""
    return {
        "on_file": on_file.addresses_sql(inputs.registers, "again", corroboration.counts(inputs.letter)),
        "known": on_file.lists_sql("on_file"),
        "buildings": on_file.units_sql(inputs.registers, "again"),
    }


def _judged(inputs: Inputs) -> Tables:
    beside = "again r JOIN on_file f USING (origin, record_id)"
    return {
        "compared": corroboration.best("again v", beside, "ordinal"),
        "judged": f"""
            SELECT *, {failing_codes(register_rules())} AS derived_codes FROM (
              SELECT v.ordinal, v.origin, v.record_id, v.outcome, v.codes, v.corroboration AS stated,
                list_sort(v.addresses_on_file) AS stated_addresses, v.units_on_file AS stated_units,
                v.lists AS stated_lists,
                CASE WHEN v.origin = 'decoy' THEN 0 ELSE t.earlier_tries END AS earlier_tries,
                CASE WHEN v.origin = 'decoy' THEN 0 ELSE t.tried_beside END AS tried_beside,
                a.a_kind, a.a_unit, a.a_state, c.corroboration,
                coalesce(k.addresses_on_file, []) AS addresses_on_file,
                coalesce(b.units_on_file, 0) AS units_on_file, coalesce(l.lists, []) AS lists,
                {sql.beside_verdict(inputs.letter)}
              FROM verdicts v JOIN again a USING (ordinal, origin, record_id) LEFT JOIN compared c USING (ordinal)
                LEFT JOIN known k USING (origin, record_id)
                LEFT JOIN buildings b USING (origin, a_zip, a_number, a_street)
                LEFT JOIN ({persons.lists_sql(inputs.persons)}) l USING (record_id)
                LEFT JOIN tries_counted t ON t.ordinal = v.ordinal AND t.record_id = v.record_id)""",
        "eligible": "(SELECT * FROM judged WHERE outcome IS NULL)",
    }


def _counts(inputs: Inputs) -> str:
    return f"""
        SELECT (SELECT count(*) FROM matched) AS matched, (SELECT count(*) FROM verdicts) AS judged,
          (SELECT count(*) FROM matched ANTI JOIN verdicts USING (ordinal, origin, record_id)) AS lost,
          (SELECT count(*) FROM verdicts ANTI JOIN matched USING (ordinal, origin, record_id)) AS made_up,
          (SELECT count(*) FROM verdicts JOIN {inputs.rows} r USING (ordinal)
           WHERE r.outcome IS NOT NULL) AS ended_before,
          (SELECT count(*) FROM verdicts WHERE outcome IS NULL) AS eligible,
          (SELECT count(*) FROM verdicts WHERE outcome = 'held') AS held,
          (SELECT count(*) FROM eligible) AS eligible_again, (SELECT count(*) FROM passed) AS passed_again"""


def _opined() -> str:
    return f"""
        SELECT (SELECT count(*) FROM opinions) AS opinions,
          (SELECT coalesce(sum(least(passed, {twin.SAMPLE})), 0)
           FROM (SELECT count(*) AS passed FROM verdicts WHERE outcome IS NULL GROUP BY origin)) AS opinions_due"""
