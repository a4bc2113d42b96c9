"""Runs the suite of each checkpoint on what its stage committed."""

import json
import shutil
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Any, assert_never

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.duck import FEW, parquet, session
from expectations.base.errors import Fault
from expectations.facts import counts, sql
from expectations.facts.letter import LetterFacts
from expectations.gx.verdict import Verdict
from expectations.suites import derived, disclosure, eligibility, intake, matching
from expectations.suites.ahead import Ahead
from expectations.suites.disclosure_tables import Inputs
from expectations.suites.on_file import Register
from flows.batch.release import lost_rows
from flows.ledger.lifecycles.states import Checkpoint
from pipelines import lake, register, release, validate
from pipelines.context import BatchContext
from pipelines.ingest import letter_facts
from pipelines.release import Leaving
from pipelines.release.package import NAME as PACKAGE
from pipelines.sealing import Identity

_OF_REGISTER = ("addresses", "buildings", "changed_addresses", "gone")  # datasets, as `Register` has them


def run(
    which: Checkpoint,
    ctx: BatchContext,
    dropped: Path | None,
    identity: Identity,
    holders: tuple[str, ...],
    leaving: Leaving | None = None,
    ahead: Ahead | None = None,
) -> Verdict:
    """The verdict of a checkpoint. `dropped`: rows left out; `identity` opens the package, `holders` sign it;
    `leaving`: what may leave (if left out: as it was recorded at receipt); `ahead`: see `begin`."""
    letter = letter_facts(ctx)
    match which:
        case Checkpoint.INTAKE:
            _period_counted(ctx)
            return intake.check(replace(_intake(ctx, letter, dropped), ahead=_derived(ctx, letter, ahead)), ctx.planned)
        case Checkpoint.MATCHING:
            return matching.check(_matching(ctx, letter), ctx.duck)
        case Checkpoint.ELIGIBILITY:
            return eligibility.check(replace(_eligibility(ctx, letter), ahead=_derived(ctx, letter, ahead)), ctx.duck)
        case Checkpoint.DISCLOSURE:
            return _disclosure(ctx, identity, dropped, holders, leaving or Leaving.recorded(ctx))
        case _:
            assert_never(which)


def begin(ctx: BatchContext, raw: str) -> Ahead | None:
    """Begins to derive the raw rows of a small batch again, for all its checkpoints, while their stage does."""
    if sum(f.rows for f in ctx.letter.files) > FEW:
        return None
    agreed = ctx.agreement.requester.premises, ctx.agreement.may_be_left_out
    # without a place to spill to: its thread may outlive the batch's folder, and must not make it anew
    return Ahead(raw, letter_facts(ctx), agreed, derived.setup(ctx.facilities), replace(ctx.planned, temp=None))


def _derived(ctx: BatchContext, letter: LetterFacts, ahead: Ahead | None) -> pa.Table | None:
    return ahead.of(lake.committed(ctx.step("ingest.rows")).paths("rows"), letter) if ahead else None


def _period_counted(ctx: BatchContext) -> None:
    """Limits over the period would all be met by a batch that was not counted."""
    if json.loads(ctx.earlier.read_text()).get("period") is None:
        what = "what the requester asked for within the period was not counted"
        raise Fault("LIMIT_NOT_COUNTED", what, where=ctx.batch, remedy="Run the batch again.")


def match_counts(ctx: BatchContext) -> dict[str, Any]:
    """The row of `matching.rate_sql` for a batch whose match stage is committed."""
    return _only_row(ctx, matching.rate_sql(relation(ctx, "match.candidates", "candidates"), letter_facts(ctx)))


def intake_counts(ctx: BatchContext, dropped: Path | None) -> dict[str, Any]:
    """Rows submitted without those dropped, and the incomplete ones, of a batch whose ingest stage is committed."""
    rows, rejects = relation(ctx, "ingest.rows", "rows"), relation(ctx, "ingest.decode", "rejects")
    counted = counts.of_rows(rows, rejects, parquet([dropped]) if dropped else None)
    return _only_row(ctx, f"SELECT rows_submitted - rows_dropped AS rows_submitted, incomplete_rows FROM ({counted})")


def intake_facts(ctx: BatchContext, dropped: Path | None) -> dict[str, Any]:
    """All facts of a batch that its limits are judged by, of one whose ingest stage is committed."""
    rows, rejects = relation(ctx, "ingest.rows", "rows"), relation(ctx, "ingest.decode", "rejects")
    letter = letter_facts(ctx)
    counted = counts.sql(rows, rejects, parquet([dropped]) if dropped else None, letter)
    return _only_row(ctx, sql.with_counts(letter, counted))


def _only_row(ctx: BatchContext, query: str) -> dict[str, Any]:
    with session(ctx.planned) as connection:
        return dict(connection.execute(query).to_arrow_table().to_pylist()[0])


def relation(ctx: BatchContext, step: str, dataset: str) -> str:
    """SQL that reads a dataset of a committed step."""
    return parquet(lake.committed(ctx.step(step)).paths(dataset))


def _intake(ctx: BatchContext, letter: LetterFacts, dropped: Path | None) -> intake.Inputs:
    return intake.Inputs(
        raw=relation(ctx, "ingest.decode", "raw"),
        rejects=relation(ctx, "ingest.decode", "rejects"),
        rows=relation(ctx, "ingest.rows", "rows"),
        control_rows=relation(ctx, "ingest.decoys", "requests"),
        disclosed=parquet([ctx.disclosed]),
        seed=ctx.submission,
        committed=lake.committed(ctx.step("ingest.rows")).rows("rows"),
        files=tuple(f.rows for f in ctx.letter.files),
        letter=letter,
        premises=ctx.agreement.requester.premises,
        facilities=ctx.facilities,
        left_out=ctx.agreement.may_be_left_out,
        dropped=parquet([dropped]) if dropped else None,
    )


def _matching(ctx: BatchContext, letter: LetterFacts) -> matching.Inputs:
    return matching.Inputs(
        rows=relation(ctx, "ingest.rows", "rows"),
        candidates=relation(ctx, "match.candidates", "candidates"),
        expected=relation(ctx, "ingest.decoys", "expected"),
        registers={origin: register.record_ids(one) for origin, one in validate.registers(ctx).items()},
        committed=lake.committed(ctx.step("match.candidates")).rows("candidates"),
        letter=letter,
    )


def _eligibility(ctx: BatchContext, letter: LetterFacts) -> eligibility.Inputs:
    return eligibility.Inputs(
        rows=relation(ctx, "ingest.rows", "rows"),
        candidates=relation(ctx, "match.candidates", "candidates"),
        verdicts=relation(ctx, "validate.verdicts", "verdicts"),
        expected=relation(ctx, "ingest.decoys", "expected"),
        committed=lake.committed(ctx.step("validate.verdicts")).rows("verdicts"),
        registers={origin: _register(one) for origin, one in validate.registers(ctx).items()},
        seed=ctx.submission,
        letter=letter,
        premises=ctx.agreement.requester.premises,
        facilities=ctx.facilities,
        left_out=ctx.agreement.may_be_left_out,
        persons=ctx.persons,
        tries=relation(ctx, "match.candidates", "tries"),
        tried=relation(ctx, "validate.tried", "tried"),
        tried_before=parquet([ctx.tries]),
    )


def _register(prepared: lake.Manifest) -> Register:
    """What a prepared register is made of, by its manifest."""
    datasets = {part.dataset for part in prepared.parts}
    read = {name: tuple(prepared.paths(name)) if name in datasets else () for name in _OF_REGISTER}
    return Register(*read.values())


def _disclosure(
    ctx: BatchContext, identity: Identity, dropped: Path | None, holders: tuple[str, ...], leaving: Leaving
) -> Verdict:
    """Opens the package with the one-time key, judges it, and deletes what was opened."""
    lost = lost_rows(ctx)
    folder = ctx.root / f".opened-{uuid.uuid4().hex}"
    try:
        opened = release.open_for_check(ctx.step(PACKAGE), identity, folder, holders, ctx.planned)
        inputs = Inputs(
            rows=relation(ctx, "ingest.rows", "rows"),
            rejects=relation(ctx, "ingest.decode", "rejects"),
            candidates=relation(ctx, "match.candidates", "candidates"),
            verdicts=relation(ctx, "validate.verdicts", "verdicts"),
            outcomes=relation(ctx, "release.outcomes", "outcomes"),
            eligible=relation(ctx, "release.outcomes", "eligible"),
            committed=sum(f.rows for f in ctx.letter.files),
            fields=leaving.fields,
            dropped=parquet([dropped]) if dropped else None,
            lost=parquet([lost]) if lost else None,
            withheld=leaving.relation,
        )
        # where nothing was eligible, and the package holds only the return file, the accounting alone is left to judge
        eligible = lake.committed(ctx.step("release.outcomes")).rows("eligible")
        if eligible or any(pq.read_metadata(path).num_rows for path in (opened.parquet, opened.csv)):
            inputs = replace(
                inputs, parquet=parquet([opened.parquet]), csv=parquet([opened.csv]), manifest=opened.manifest
            )
        return disclosure.check(inputs, ctx.planned)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
