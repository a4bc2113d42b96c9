"""Decides each request once, after all register parts are in: one releasable and one plausible record, or none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from expectations import duck
from pipelines.lake import Attempt, Part
from pipelines.lake.sql import copy, quiet
from pipelines.match.evidence import EVIDENCE, VETOES, words
from pipelines.match.score import CAP
from pipelines.match.steps import Step, execute

OUTCOMES = ("matched", "unmatched", "ambiguous", "near")


@dataclass(frozen=True)
class Decide:
    """Worker on all parts of the scans: dataset `candidates`, one row for each request, with counts by outcome (of requests
    only) and tier."""

    rows: tuple[str, ...]
    tiers: tuple[str, ...]
    settings: duck.DuckSettings

    def __call__(self, parts: list[Part], attempt: Attempt) -> Iterable[Part]:
        judged, met, hot = (duck.parquet([p.path for p in parts if p.dataset == n]) for n in ("judged", "met", "hot"))
        with quiet("match.candidates", self.settings) as con:
            execute(con, steps(duck.parquet(list(self.rows)), judged, met, hot, self.tiers))
            copy(con, f"FROM ({CANDIDATES}) ORDER BY ordinal", attempt.path("candidates", 0))
            written = duck.parquet([attempt.path("candidates", 0)])
            counted = con.execute(
                f"SELECT coalesce(outcome, 'matched'), tier, count(*) FROM {written} WHERE origin = 'request' GROUP BY ALL"
            ).fetchall()
        counts = {outcome: sum(n for o, _, n in counted if o == outcome) for outcome in OUTCOMES}
        tiers = {f"tier_{t}": sum(n for o, tier, n in counted if o == "matched" and tier == t) for t in "ABCD"}
        yield attempt.part("candidates", 0, **counts, **tiers)


def steps(rows: str, judged: str, met: str, hot: str, tiers: tuple[str, ...]) -> list[Step]:
    return [
        Step("met", "how many records each request met in all", f"\n    SELECT ordinal, sum(pairs) AS pairs FROM {met} GROUP BY ordinal"),
        Step("records", "what each request leads to, over all records", records_sql(judged)),
        Step("best", "the record that most speaks for: releasable, plausible, most evidence", best_sql(judged)),
        Step("decided", "one outcome for each request", decided_sql(rows, hot, tiers)),
        Step("claims", "records claimed by requests with differing birth dates or TINs", CLAIMS),
    ]  # fmt: skip


def records_sql(judged: str) -> str:
    """`elsewhere`: the request's TIN is on file for a record that is not the releasable one."""
    return f"""
    SELECT ordinal, count(*) AS judged,
      count(*) FILTER (tier IS NOT NULL) AS releasable,
      count(*) FILTER (plausible OR tier IS NOT NULL) AS plausible,
      bool_or(tin_same AND tier IS NULL) AS elsewhere,
      bool_or(crosses AND (plausible OR tier IS NOT NULL)) AS crosses
    FROM {judged} GROUP BY ordinal"""


def best_sql(judged: str) -> str:
    """Most requests have one pair: only the others are sorted."""
    best = "ordinal, record_id, tier, evidence, vetoes, weight"
    return f"""
    SELECT {best} FROM {judged} SEMI JOIN (SELECT ordinal FROM records WHERE judged = 1) USING (ordinal)
    UNION ALL
    SELECT {best} FROM {judged} SEMI JOIN (SELECT ordinal FROM records WHERE judged > 1) USING (ordinal)
    QUALIFY row_number() OVER (
      PARTITION BY ordinal ORDER BY tier IS NOT NULL DESC, plausible DESC, bit_count(evidence) DESC, record_id) = 1"""


def decided_sql(rows: str, hot: str, tiers: tuple[str, ...]) -> str:
    """Order matters: what stands in the way of knowing goes before what was found. The evidence that an agreement demands
    (`tiers`) is asked of requests only: decoys show that every tier works."""
    demanded = f"(r.origin = 'decoy' OR b.tier IN ({', '.join(map(duck.quote, tiers))}))"
    return f"""
    SELECT r.ordinal, r.origin, r.s_birth, r.s_tin, b.record_id, b.tier, c.plausible,
      h.ordinal IS NOT NULL OR coalesce(m.pairs, 0) > {CAP} AS too_many,
      coalesce(c.elsewhere, false) AS elsewhere, coalesce(c.crosses, false) AS crosses,
      CASE WHEN h.ordinal IS NOT NULL OR m.pairs > {CAP} OR c.crosses THEN 'ambiguous'
        WHEN c.releasable = 1 AND c.plausible = 1 AND NOT c.elsewhere THEN CASE WHEN {demanded} THEN NULL ELSE 'near' END
        WHEN c.releasable >= 1 OR c.plausible >= 2 THEN 'ambiguous'
        WHEN c.plausible = 1 THEN 'near'
        ELSE 'unmatched' END AS outcome
    FROM (SELECT ordinal, origin, s_birth, s_tin FROM {rows} WHERE outcome IS NULL) r
    LEFT JOIN met m USING (ordinal)
    LEFT JOIN records c USING (ordinal)
    LEFT JOIN best b USING (ordinal)
    LEFT JOIN (SELECT DISTINCT ordinal FROM {hot}) h USING (ordinal)"""


CLAIMS = """
    SELECT record_id FROM decided WHERE outcome IS NULL
    GROUP BY record_id HAVING count(DISTINCT s_birth) > 1 OR count(DISTINCT s_tin) > 1"""

# Where too many records were met, some were not compared: what remains would depend on how the register is cut.
CANDIDATES = f"""
    SELECT d.ordinal, d.origin,
      CASE WHEN k.record_id IS NOT NULL THEN 'ambiguous' ELSE d.outcome END AS outcome,
      CASE WHEN d.outcome IS NULL AND k.record_id IS NULL THEN d.record_id END AS record_id,
      CASE WHEN d.outcome IS NULL AND k.record_id IS NULL THEN d.tier END AS tier,
      CASE WHEN too_many THEN [] ELSE coalesce(e.words, []) END AS evidence,
      list_sort(list_concat(
        CASE WHEN too_many THEN [] ELSE coalesce(v.words, []) END,
        list_filter([
          CASE WHEN k.record_id IS NOT NULL THEN 'claimed_twice' END,
          CASE WHEN crosses AND NOT too_many THEN 'cross_origin' END,
          CASE WHEN elsewhere AND NOT too_many THEN 'tin_elsewhere' END,
          CASE WHEN too_many THEN 'too_many_records' END], v -> v IS NOT NULL))) AS vetoes,
      CAST(CASE WHEN too_many THEN {CAP} ELSE coalesce(d.plausible, 0) END AS INTEGER) AS plausible,
      CASE WHEN NOT too_many THEN b.weight END AS weight
    FROM decided d LEFT JOIN best b USING (ordinal)
    LEFT JOIN (SELECT mask, {words(EVIDENCE, "mask")} AS words FROM (SELECT DISTINCT evidence AS mask FROM best)) e ON e.mask = b.evidence
    LEFT JOIN (SELECT mask, {words(VETOES, "mask")} AS words FROM (SELECT DISTINCT vetoes AS mask FROM best)) v ON v.mask = b.vetoes
    LEFT JOIN claims k ON d.outcome IS NULL AND k.record_id = d.record_id"""
