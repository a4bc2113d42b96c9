"""How each row was judged, without a value of it: codes, tier, counts. Pages show it of a batch in flight and, sealed
with its evidence, of one that has ended: to open all of the evidence for one row takes seconds of a large batch."""

from pathlib import Path

from expectations.base.duck import parquet
from expectations.contracts.lists import Origin, Outcome
from pipelines import lake
from pipelines.context import BatchContext
from pipelines.lake.sql import copy, quiet
from pipelines.release.outcomes import SECRET, STEP

NAME = "judged.parquet"  # in a batch's folder, and in the names of its evidence
_BAND = 5  # bits; a score is told by its band only


def write(ctx: BatchContext) -> Path:
    """Writes it of a batch that has ended, by number, into the batch's folder; gives the file."""
    path = ctx.root / NAME
    with quiet("release.judged", ctx.planned) as connection:
        copy(connection, f"{judged(ctx.root)} ORDER BY ordinal", path)
    return path


def judged(root: Path, ordinal: int | None = None) -> str:
    """SELECT of every request of the batch whose folder in the lake is `root`, as far as the batch has come; or of one.

    ordinal, file, row  where it stands
    field               of a row that could not be read: the field at fault, if it is one
    screened, asked     how it ended before it was looked up (null: it was looked up), and codes of the request
    match               struct: outcome (null: one candidate), tier, evidence, vetoes, plausible, score (a band)
    verdict             struct: outcome (null: eligible), codes, corroboration, units_on_file, earlier_tries and
                        tried_beside
    outcome, codes      its one end, once the batch has ended; null before

    Structs are null where the row did not get that far. A person whom the holder protects reads like one who is not on
    file, as everywhere but in the evidence.
    """
    joins = {name: _dataset(root, *place, ordinal) for name, place in _PLACES.items()}
    secret = SECRET if joins["v"] else "false"
    match = f"CASE WHEN {secret} THEN {_HIDDEN} WHEN c.ordinal IS NOT NULL THEN {_MATCH} END" if joins["c"] else "NULL"
    verdict = f"CASE WHEN v.ordinal IS NOT NULL AND NOT {secret} THEN {_VERDICT} END" if joins["v"] else "NULL"
    ends = "o.outcome, o.codes" if joins["o"] else "NULL::VARCHAR AS outcome, NULL::VARCHAR[] AS codes"
    found = " ".join(f"LEFT JOIN {one} {name} ON {name}.ordinal = r.ordinal" for name, one in joins.items() if one)
    rejects = _dataset(root, "ingest.decode", "rejects", ordinal)
    ended = f"LEFT JOIN {joins['o']} o ON o.ordinal = r.ordinal" if joins["o"] else ""
    return f"""
    SELECT r.ordinal, r.file, r.row, NULL::VARCHAR AS field, r.outcome AS screened, r.codes AS asked,
      {match} AS match, {verdict} AS verdict, {ends}
    FROM {_dataset(root, "ingest.rows", "rows", ordinal)} r {found} WHERE r.origin = '{Origin.REQUEST}'
    UNION ALL BY NAME
    SELECT r.ordinal, r.file, r.row, r.field, '{Outcome.REJECTED}' AS screened, [r.code] AS asked, {ends}
    FROM {rejects} r {ended} WHERE r.origin = '{Origin.REQUEST}'"""


_PLACES = {
    "c": ("match.candidates", "candidates"),
    "v": ("validate.verdicts", "verdicts"),
    "o": (STEP, "outcomes"),
}
_MATCH = f"""struct_pack(outcome := c.outcome, tier := c.tier, evidence := c.evidence, vetoes := c.vetoes,
  plausible := c.plausible, score := CAST(floor(c.weight / {_BAND}) * {_BAND} AS INTEGER))"""
_HIDDEN = f"""struct_pack(outcome := '{Outcome.UNMATCHED}', tier := NULL::VARCHAR, evidence := []::VARCHAR[],
  vetoes := []::VARCHAR[], plausible := 0::INTEGER, score := NULL::INTEGER)"""
_VERDICT = """struct_pack(outcome := v.outcome, codes := v.codes, corroboration := v.corroboration,
  units_on_file := v.units_on_file, earlier_tries := v.earlier_tries, tried_beside := v.tried_beside)"""


def _dataset(root: Path, step: str, dataset: str, ordinal: int | None) -> str | None:
    """A relation of what a step committed, of one row if it is given; None if the batch did not come so far."""
    if not lake.is_committed(root / step):
        return None
    where = "" if ordinal is None else f" WHERE ordinal = {ordinal:d}"
    return f"(FROM {parquet(lake.stated(root / step).paths(dataset))}{where})"
