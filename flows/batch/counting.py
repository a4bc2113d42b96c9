"""Counts how the rows of a batch are spread at a checkpoint, from what its stages committed."""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias, assert_never

from expectations.base.duck import parquet, quote, session
from expectations.codes import BLOCKING_ADDRESS_CODES
from expectations.contracts.lists import Origin, Outcome
from expectations.facts import counts, reasons
from expectations.facts.letter import LetterFacts
from expectations.suites.matching import TIERS
from flows.batch.checkpoints import match_counts, relation
from flows.batch.spreads import Bound, Counted, Limit, Line, Spread
from flows.ledger.lifecycles.states import Checkpoint
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.lake.sql import Connection

_MOST = 50  # lines of a spread that are kept; a submission may have a thousand files
_PARTS = ("0.1", "0.25", "0.5", "0.75", "1")  # of a limit, at which a range of numbers ends
_REQUESTS = f"origin = '{Origin.REQUEST}'"
_Histogram: TypeAlias = Sequence[tuple[int, int]]  # how many (second) have this number (first), by number


def counted(which: Checkpoint, ctx: BatchContext, dropped: Path | None, requests: Path) -> tuple[Counted, ...]:
    """The spreads that pages show of a checkpoint. `requests`: the batch's keyed requests.

    Raises nothing: what cannot be shown decides nothing, and must not stop a batch.
    """
    try:
        with session(ctx.planned) as connection:
            return tuple(_of(which, connection, ctx, dropped, requests))
    except Exception:  # the checkpoint's own error says what is wrong
        return ()


def _of(
    which: Checkpoint, connection: Connection, ctx: BatchContext, dropped: Path | None, requests: Path
) -> Iterator[Counted]:
    match which:
        case Checkpoint.INTAKE:
            letter = letter_facts(ctx)
            files = _files(connection, ctx, dropped)
            yield from _addresses(connection, ctx, dropped, files, letter)
            yield _officers(connection, relation(ctx, "ingest.rows", "rows"), letter)
            yield _reasons(connection, requests, sum(sent for _, sent, *_ in files), letter)
        case Checkpoint.MATCHING:
            yield from _matches(connection, relation(ctx, "match.candidates", "candidates"), match_counts(ctx))
        case Checkpoint.ELIGIBILITY:
            yield from _judged(connection, relation(ctx, "validate.verdicts", "verdicts"))
        case Checkpoint.DISCLOSURE:
            return  # it judges a package: what is in it was shown before
        case _:
            assert_never(which)


def _kept(dropped: Path | None) -> str:
    gone = f" AND ordinal NOT IN (SELECT ordinal FROM {parquet([dropped])})" if dropped else ""
    return f"{_REQUESTS}{gone}"


def _files(connection: Connection, ctx: BatchContext, dropped: Path | None) -> list[tuple[int, int, int, int]]:
    """Of each data file: its number, rows sent, those of them not dropped, and the incomplete ones of these."""
    rows, rejects = relation(ctx, "ingest.rows", "rows"), relation(ctx, "ingest.decode", "rejects")
    blocking = ", ".join(map(quote, BLOCKING_ADDRESS_CODES))
    here = f"FILTER ({_kept(dropped)})"
    bad = f"FILTER ({_kept(dropped)} AND coalesce(list_has_any(a_codes, [{blocking}]), true))"
    query = f"""
        SELECT file, sum(sent)::BIGINT, sum(kept)::BIGINT, sum(bad)::BIGINT FROM (
          SELECT file, count(*) AS sent, count(*) {here} AS kept, count(*) {bad} AS bad FROM {rows}
          WHERE {_REQUESTS} GROUP BY file
          UNION ALL SELECT file, count(*), count(*), 0 FROM {rejects} WHERE {_REQUESTS} GROUP BY file
        ) GROUP BY file ORDER BY file"""
    return connection.execute(query).fetchall()


def _addresses(
    connection: Connection,
    ctx: BatchContext,
    dropped: Path | None,
    files: Iterable[tuple[int, int, int, int]],
    letter: LetterFacts,
) -> Iterator[Counted]:
    """Codes, files, and codes in each file. Shares are of all rows sent, those that could not be read included."""
    agreed, of_file = letter.thresholds, {file: (kept, bad) for file, _, kept, bad in files}
    rows, bad = (sum(one[n] for one in of_file.values()) for n in (0, 1))
    query = f"""
        SELECT code, file, count(*) FROM (
          SELECT file, unnest(a_codes) AS code FROM {relation(ctx, "ingest.rows", "rows")} WHERE {_kept(dropped)})
        WHERE code IN ({", ".join(map(quote, BLOCKING_ADDRESS_CODES))}) GROUP BY ALL ORDER BY ALL"""
    both = connection.execute(query).fetchall()
    codes = {code: sum(n for c, _, n in both if c == code) for code, *_ in both}
    limits = agreed.incomplete_share_by_code
    month = (bad + letter.earlier_incomplete_rows) / max(rows + letter.earlier_rows, 1)
    bounds = (
        Bound(Limit.INCOMPLETE, bad / max(rows, 1), None, agreed.incomplete_share),
        Bound(Limit.MONTH, month, None, agreed.incomplete_share_30_days),
    )
    yield _most(Spread.CODES, (Line(c, n, n / max(rows, 1), limits.get(c)) for c, n in codes.items()), bounds)
    high = agreed.incomplete_share_per_file
    each = [Line(f"file {f}", bad, bad / max(kept, 1), high) for f, (kept, bad) in of_file.items()]
    worst = max((one.share or 0.0 for one in each), default=0.0)
    yield _most(Spread.FILES, (one for one in each if one.count), (Bound(Limit.FILE, worst, None, high),))
    yield _most(Spread.CODES_OF_FILES, (Line(f"{code}, file {f}", n, n / max(of_file[f][0], 1)) for code, f, n in both))


def _officers(connection: Connection, rows: str, letter: LetterFacts) -> Counted:
    """Officers by how many rows of the batch name them: as the limit on matters counts them."""
    person = counts.officer(letter)
    each = f"SELECT count(*) AS n FROM {rows} WHERE {_REQUESTS} AND officer IS NOT NULL GROUP BY {person}"
    found, limit = _histogram(connection, each), letter.thresholds.matters_per_officer
    bounds = (
        Bound(Limit.OFFICER, _last(found), None, limit),
        Bound(Limit.OFFICER_PERIOD, letter.period_officer, None, letter.thresholds.matters_per_officer_period),
    )
    return Counted(Spread.OFFICERS, tuple(_ranges(found, 1, limit)), bounds)


def _reasons(connection: Connection, requests: Path, sent: int, letter: LetterFacts) -> Counted:
    """Requests by how many of the batch give the same reason, by the keys that make two reasons the same."""
    agreed, keys = letter.thresholds, ", ".join(reasons.KEYS)
    each = f"""
        WITH given AS (
          UNPIVOT (SELECT request, {keys} FROM {parquet([requests])}) ON {keys} INTO NAME kind VALUE key),
        alike AS (SELECT kind, key, count(DISTINCT request) AS n FROM given GROUP BY kind, key)
        SELECT max(n) AS n FROM given JOIN alike USING (kind, key) GROUP BY request"""
    found = _histogram(connection, each)
    limit = int(Decimal(str(agreed.identical_reason_share)) * sent)
    most = _last(found) if _last(found) > 1 else 0  # alone, it is the reason of no other
    period = letter.period_reason / max(letter.period_requests, 1)
    bounds = (
        Bound(Limit.REASON, most / max(sent, 1), None, agreed.identical_reason_share),
        Bound(Limit.REASON_PERIOD, period, None, agreed.identical_reason_share_period),
    )
    own = Line("1, of its own", sum(many for n, many in found if n == 1))
    return Counted(Spread.REASONS, (own, *_ranges([one for one in found if one[0] > 1], 2, limit)), bounds)


def _matches(connection: Connection, candidates: str, m: dict[str, Any]) -> Iterator[Counted]:
    """What the register answered, against the band; and by which tiers."""
    query = f"""
        SELECT coalesce(outcome, 'matched'), count(*) FROM {candidates} WHERE {_REQUESTS}
        GROUP BY 1 ORDER BY 2 DESC, 1"""
    rate = Bound(
        Limit.MATCHED, m["matched"] / max(m["looked_up"], 1), float(m["min_match_rate"]), float(m["max_match_rate"])
    )
    answers = connection.execute(query).fetchall()
    yield Counted(Spread.ANSWERS, tuple(_shares(answers, m["looked_up"])), (rate,))
    weak = (m["tier_c"] + m["tier_d"]) / max(m["matched"], 1)
    tiers = [(tier.value, m[f"tier_{tier.lower()}"]) for tier in TIERS]
    bound = Bound(Limit.WEAK, weak, None, float(m["max_weak_tiers"]))
    yield Counted(Spread.TIERS, tuple(_shares(tiers, m["matched"])), (bound,))


def _judged(connection: Connection, verdicts: str) -> Iterator[Counted]:
    """How many rows may go on and how many are held; and these by code, a row once for each of its codes."""
    query = f"SELECT coalesce(outcome, 'eligible'), count(*) FROM {verdicts} WHERE {_REQUESTS} GROUP BY 1 ORDER BY 1"
    ends = connection.execute(query).fetchall()
    rows = sum(n for _, n in ends)
    yield Counted(Spread.ENDS, tuple(_shares(ends, rows)))
    query = f"""
        SELECT code, count(*) FROM (
          SELECT unnest(codes) AS code FROM {verdicts} WHERE {_REQUESTS} AND outcome = '{Outcome.HELD}')
        GROUP BY code ORDER BY code"""
    yield _most(Spread.HELD, _shares(connection.execute(query).fetchall(), rows))


def _shares(counts: Iterable[tuple[str, int]], of: int) -> Iterator[Line]:
    for label, n in counts:
        yield Line(label, n, n / max(of, 1))


def _most(spread: Spread, lines: Iterable[Line], bounds: tuple[Bound, ...] = ()) -> Counted:
    """The lines with the most rows first, and no more of them than are kept."""
    ordered = sorted(lines, key=lambda one: (-one.count, one.label))
    return Counted(spread, tuple(ordered[:_MOST]), bounds, max(len(ordered) - _MOST, 0))


def _histogram(connection: Connection, each: str) -> _Histogram:
    return connection.execute(f"SELECT n, count(*) FROM ({each}) GROUP BY n ORDER BY n").fetchall()


def _last(found: _Histogram) -> int:
    return found[-1][0] if found else 0


def _ranges(found: _Histogram, first: int, limit: int) -> Iterator[Line]:
    """Ranges from `first` up to the limit, and what is above it."""
    ends = sorted({int(Decimal(part) * limit) for part in _PARTS})
    for end in (one for one in ends if one >= first):
        label = f"{first:,}" if first == end else f"{first:,} to {end:,}"
        yield Line(label, sum(many for n, many in found if first <= n <= end))
        first = end + 1
    yield Line(f"{first:,} or more: above the limit", sum(many for n, many in found if n >= first))
