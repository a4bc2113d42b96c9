"""Counts of a batch, from the raw fields: a one-row table that batch rules read beside the letter facts."""

from collections.abc import Mapping

from expectations.base.duck import quote
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.facts import reasons
from expectations.facts.letter import LetterFacts


def sql(rows: str, rejects: str, dropped: str | None, letter: LetterFacts) -> str:
    """A SELECT of one row that counts a batch; control rows are left out.

    `rows` (canonical rows; a checkpoint gives them with `a_codes` derived again from the raw fields, and CROWDED from
    all of them), `rejects` and `dropped` (a column `ordinal`) can stand in FROM. Shares are of all submitted rows,
    rejects included (agreement); rows that two people dropped count in no share and are no longer incomplete.

    Columns: rows_submitted, rows_rejected, rows_dropped, incomplete_rows, worst_file_incomplete_share, codes_over_limit
    (codes on a larger share of the rows than the agreement allows), identical_reason_rows (largest group of two
    requests or more that give one reason: `reasons`), busiest_officer_rows (of one person, under whatever ids the
    letter lists him).
    """
    by_code = letter.thresholds.incomplete_share_by_code
    return f"""
    WITH {_asked(rows, rejects, dropped)},
    files AS (
      SELECT file, sum(counted) AS counted, sum(incomplete) AS incomplete FROM (
        SELECT file, count(*) AS counted, count(*) FILTER (incomplete) AS incomplete FROM asked
        WHERE NOT is_dropped GROUP BY file
        UNION ALL SELECT file, count(*), 0 FROM bad GROUP BY file
      ) GROUP BY file
    ),
    codes AS (
      SELECT code, count(*) AS n FROM (SELECT unnest(a_codes) AS code FROM asked WHERE NOT is_dropped) GROUP BY code
    ),
    given AS (UNPIVOT ({reasons.keys("asked", ["request_id"])}) ON {", ".join(reasons.KEYS)} INTO NAME kind VALUE key),
    reasons AS (SELECT count(DISTINCT request_id) AS n FROM given GROUP BY kind, key HAVING n > 1),
    officers AS (SELECT count(*) AS n FROM asked WHERE officer IS NOT NULL GROUP BY {officer(letter)})
    SELECT {_ROWS},
      coalesce((SELECT max(incomplete / counted) FROM files), 0.0)::DOUBLE AS worst_file_incomplete_share,
      (SELECT coalesce(list(code ORDER BY code), []) FROM codes JOIN ({_limits(by_code)}) USING (code)
        WHERE n > share * ((SELECT count(*) FROM asked WHERE NOT is_dropped) + (SELECT count(*) FROM bad))
      ) AS codes_over_limit,
      coalesce((SELECT max(n) FROM reasons), 0) AS identical_reason_rows,
      coalesce((SELECT max(n) FROM officers), 0) AS busiest_officer_rows"""


def officer(letter: LetterFacts) -> str:
    """SQL of who the officer of a row is, under whatever ids the letter lists him."""
    alike = sorted(letter.officers_alike.items())
    whens = "".join(f" WHEN {quote(other)} THEN {quote(first)}" for other, first in alike)
    return f"CASE trim(officer){whens} ELSE trim(officer) END" if whens else "trim(officer)"


def of_rows(rows: str, rejects: str, dropped: str | None) -> str:
    """The first four columns of `sql` alone: none of them asks what a row says."""
    return f"WITH {_asked(rows, rejects, dropped)} SELECT {_ROWS}"


_ROWS = """
      (SELECT count(*) FROM asked) + (SELECT count(*) FROM bad) AS rows_submitted,
      (SELECT count(*) FROM bad) AS rows_rejected,
      (SELECT count(*) FROM asked WHERE is_dropped) AS rows_dropped,
      (SELECT count(*) FROM asked WHERE incomplete AND NOT is_dropped) AS incomplete_rows"""


def _asked(rows: str, rejects: str, dropped: str | None) -> str:
    """The requests, with what became of each, and those that could not be read: two CTEs, and one before them."""
    blocking = ", ".join(quote(c) for c in BLOCKING_ADDRESS_CODES)
    gone = f"SELECT ordinal FROM {dropped}" if dropped else "SELECT 0::BIGINT AS ordinal WHERE false"
    return f"""dropped AS ({gone}),
    asked AS (
      SELECT *, ordinal IN (SELECT ordinal FROM dropped) AS is_dropped,
        coalesce(list_has_any(a_codes, [{blocking}]), true) AS incomplete FROM {rows} WHERE origin = 'request'
    ),
    bad AS (SELECT file FROM {rejects} WHERE origin = 'request')"""


def _limits(by_code: Mapping[str, float]) -> str:
    """A SELECT of (code, share)."""
    rows = ", ".join(f"({quote(code)}, {share}::DOUBLE)" for code, share in sorted(by_code.items()))
    return f"SELECT * FROM (VALUES {rows or '(NULL, NULL)'}) AS limits(code, share)"
