"""Resolves each request once, after all scans are in: one releasable and one plausible record, or none."""

from collections.abc import Iterable
from dataclasses import dataclass

from expectations.base import duck
from expectations.contracts.lists import Tier
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match import bits, outcomes
from pipelines.match.blocking import MAX_RECORDS
from pipelines.match.compare import DATASETS
from pipelines.match.comparisons import EVIDENCE
from pipelines.match.outcomes import MatchOutcome
from pipelines.match.steps import Step, execute
from pipelines.match.tried import AWAY
from pipelines.match.vetoes import PAIR_VETOES, REQUEST_VETOES


@dataclass(frozen=True)
class Resolve:
    """Worker on all parts of the scans: `candidates`, a row a request, with counts by outcome (requests only) and tier;
    and `tries` (ordinal, record_id): the records on which each request is a try (`tried`)."""

    rows: tuple[str, ...]
    tiers: tuple[str, ...]
    settings: duck.DuckSettings

    def __call__(self, parts: list[Part], attempt: Attempt) -> Iterable[Part]:
        classified, pairs, oversized, tried = (
            duck.parquet([p.path for p in parts if p.dataset == d]) for d in DATASETS
        )
        with quiet("match.candidates", self.settings) as con:
            execute(con, steps(duck.parquet(list(self.rows)), classified, pairs, oversized, tried, self.tiers))
            copy(con, f"{TRIES} ORDER BY ALL", attempt.path("tries", 0))
            copy(con, f"FROM ({CANDIDATES}) ORDER BY ordinal", attempt.path("candidates", 0))
            written = duck.parquet([attempt.path("candidates", 0)])
            counted = con.execute(f"""
                SELECT coalesce(outcome, '{MatchOutcome.MATCHED}'), tier, count(*) FROM {written}
                WHERE origin = 'request' GROUP BY ALL""").fetchall()
        counts = {str(outcome): sum(n for o, _, n in counted if o == outcome) for outcome in MatchOutcome}
        tiers = {f"tier_{t}": sum(n for _, tier, n in counted if tier == t) for t in Tier}
        yield attempt.part("candidates", 0, **counts, **tiers)
        yield attempt.part("tries", 0)


def steps(
    rows: str, classified: str, pair_counts: str, oversized: str, tried: str, tiers: tuple[str, ...]
) -> list[Step]:
    """`tiers`: those that the agreement takes. All others can stand in FROM."""
    summed = f"\n    SELECT ordinal, sum(pairs) AS pairs FROM {pair_counts} GROUP BY ordinal"
    return [
        Step("all_pairs", "candidate pairs of each request, over all scans", summed),
        Step("records", "what each request leads to, over all its records", _records_sql(classified)),
        Step("best", "the record that most speaks for: releasable, plausible, most evidence", _best_sql(classified)),
        Step("resolved", "one outcome for each request", _resolved_sql(rows, oversized, tiers)),
        Step("claimed_twice", "records matched by requests with differing birth dates or TINs", CLAIMED_TWICE),
        Step("tried", "pairs that would match with one value replaced, and rivals, over all scans", f"FROM {tried}"),
        Step("rivals", "how many records stand, whatever each value is", RIVALS),
    ]


def _records_sql(classified: str) -> str:
    """`tin_elsewhere`: the request's TIN is on file for a record that is not releasable."""
    return f"""
    SELECT ordinal, count(*) AS records,
      count(*) FILTER (tier IS NOT NULL) AS releasable,
      count(*) FILTER (plausible OR tier IS NOT NULL) AS plausible,
      bool_or(tin_same AND tier IS NULL) AS tin_elsewhere
    FROM {classified} GROUP BY ordinal"""


def _best_sql(classified: str) -> str:
    """Most requests have one pair: only the others are sorted."""
    best = f"SELECT ordinal, record_id, tier, evidence, vetoes, weight FROM {classified}"
    return f"""
    {best}
    SEMI JOIN (SELECT ordinal FROM records WHERE records = 1) USING (ordinal)
    UNION ALL
    {best}
    SEMI JOIN (SELECT ordinal FROM records WHERE records > 1) USING (ordinal)
    QUALIFY row_number() OVER (
      PARTITION BY ordinal ORDER BY tier IS NOT NULL DESC, plausible DESC, bit_count(evidence) DESC, record_id) = 1"""


def _resolved_sql(rows: str, oversized: str, tiers: tuple[str, ...]) -> str:
    """An agreement's evidence (`tiers`) is demanded of requests only: control rows show that every tier works."""
    taken = ", ".join(map(duck.quote, tiers))
    return f"""
    SELECT *,
      {outcomes.SQL} AS outcome
    FROM (
      SELECT r.ordinal, r.origin, r.s_birth, r.s_tin, b.record_id, b.tier, c.releasable, c.plausible,
        (r.origin = 'decoy' OR b.tier IN ({taken})) AS tier_demanded,
        o.ordinal IS NOT NULL OR coalesce(p.pairs, 0) > {MAX_RECORDS} AS too_many,
        coalesce(c.tin_elsewhere, false) AS tin_elsewhere
      FROM (SELECT ordinal, origin, s_birth, s_tin FROM {rows} WHERE outcome IS NULL) r
      LEFT JOIN all_pairs p USING (ordinal)
      LEFT JOIN records c USING (ordinal)
      LEFT JOIN best b USING (ordinal)
      LEFT JOIN (SELECT DISTINCT ordinal FROM {oversized}) o USING (ordinal))"""


CLAIMED_TWICE = f"""
    SELECT record_id FROM resolved WHERE outcome = '{MatchOutcome.MATCHED}'
    GROUP BY record_id HAVING count(DISTINCT s_birth) > 1 OR count(DISTINCT s_tin) > 1"""


_VALUES = range(len(AWAY))
_counted = ", ".join(f"count(*) FILTER (stands & {1 << n} > 0) AS stand_{n}" for n in _VALUES)
RIVALS = f"\n    SELECT ordinal, {_counted} FROM tried GROUP BY ordinal"
_each = "\n        OR ".join(
    f"(away & {1 << n} > 0 AND stand_{n} = CASE WHEN stands & {1 << n} > 0 THEN 1 ELSE 0 END)" for n in _VALUES
)
# A row that has too many records ends so whatever its values. One that is proven for a record is no try on another.
TRIES = f"""
    SELECT ordinal, t.record_id
    FROM tried t JOIN rivals USING (ordinal) JOIN resolved r USING (ordinal)
    WHERE NOT r.too_many AND (r.outcome <> '{MatchOutcome.MATCHED}' OR r.record_id = t.record_id)
      AND ({_each})"""


def _words_sql(column: str, words: Iterable[str]) -> str:
    """What stands in FROM: each number that occurs in `column` of best, with its words."""
    return f"""(
      SELECT {column} AS bits, {bits.unpack(words, column)} AS words
      FROM (SELECT DISTINCT {column} FROM best))"""


_REQUEST_VETOES = ",\n          ".join(f"CASE WHEN {veto.when} THEN '{veto.id}' END" for veto in REQUEST_VETOES)

# Where there were too many records, some were not compared: what was found would depend on how the register is cut.
CANDIDATES = f"""
    SELECT ordinal, origin,
      CASE WHEN claimed_twice THEN '{MatchOutcome.AMBIGUOUS}' WHEN NOT matched THEN outcome END AS outcome,
      CASE WHEN matched AND NOT claimed_twice THEN record_id END AS record_id,
      CASE WHEN matched AND NOT claimed_twice THEN tier END AS tier,
      CASE WHEN too_many THEN [] ELSE coalesce(evidence, []) END AS evidence,
      list_sort(list_concat(
        CASE WHEN too_many THEN [] ELSE coalesce(vetoes, []) END,
        list_filter([
          {_REQUEST_VETOES}], v -> v IS NOT NULL))) AS vetoes,
      CAST(CASE WHEN too_many THEN {MAX_RECORDS} ELSE coalesce(plausible, 0) END AS INTEGER) AS plausible,
      CASE WHEN NOT too_many THEN weight END AS weight
    FROM (
      SELECT r.*, r.outcome = '{MatchOutcome.MATCHED}' AS matched, c.record_id IS NOT NULL AS claimed_twice,
        e.words AS evidence, v.words AS vetoes, b.weight
      FROM resolved r LEFT JOIN best b USING (ordinal)
      LEFT JOIN {_words_sql("evidence", EVIDENCE)} e ON e.bits = b.evidence
      LEFT JOIN {_words_sql("vetoes", [veto.id for veto in PAIR_VETOES])} v ON v.bits = b.vetoes
      LEFT JOIN claimed_twice c ON r.outcome = '{MatchOutcome.MATCHED}' AND c.record_id = r.record_id)"""
