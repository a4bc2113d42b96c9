"""The rule set of 2025, for tests only: an address is there if the field is not blank, and nothing compares it with one
on file.

It takes a batch through the real stages and undoes, between them, every verdict on the address; then it says to the
ledger that each checkpoint passed. Nothing in the package leads here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations.base.clock import Clock
from expectations.codes import ADDRESS_CODES
from expectations.contracts.stages import CANONICAL, VERDICT
from flows.batch.receive import receive
from flows.batch.steps import BatchSteps
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.lifecycles.states import State
from flows.outbox import package_digest
from pipelines import ingest, lake, match, sealing, validate
from pipelines.context import BatchContext

OF_THE_ADDRESS = frozenset(
    {*ADDRESS_CODES, "NOT_CORROBORATED", "UNIT_NEEDED", "NO_ADDRESS_ON_FILE", "TOO_MANY_TRIES", "TRIED_TOGETHER"}
)


def release(home: Home, clock: Clock, submission: Path) -> str:
    """Releases a submission as it would have been in 2025; returns the batch's name."""
    with Ledger.open(home.ledger_url, clock) as ledger:
        work = BatchSteps(home, ledger, receive(home, ledger, clock, submission))
        _decide(work.ctx)
        for state in (State.INGESTED, State.MATCHED, State.VALIDATED):
            ledger.advance(work.name, state)
        release = work.release
        release.end_rows(None)
        law = release.seal(sealing.new_identity().recipient)
        ledger.advance(work.name, State.SEALED, facts={"package": package_digest(release.package), "law": law})
        assert release.prepare().state is State.PREPARED
        assert release.publish().state is State.PUBLISHED
        work.delete_folder()
        return work.name


def _decide(ctx: BatchContext) -> None:
    ingest.run(ctx)
    _again(ctx.step("ingest.rows"), "rows", CANONICAL, _request)
    match.run(ctx)
    validate.run(ctx)
    _again(ctx.step("validate.verdicts"), "verdicts", VERDICT, _verdict)


def _request(row: dict[str, Any]) -> dict[str, Any]:
    """Only the address is looked at with other eyes: is anything there?"""
    there = any((row[name] or "").strip() for name in ("address", "street", "city", "state", "zip"))
    if row["outcome"] != "held" or not there:
        return row
    codes = [code for code in row["codes"] if code not in OF_THE_ADDRESS]
    return {**row, "codes": codes, "outcome": "held" if codes else None}


def _verdict(row: dict[str, Any]) -> dict[str, Any]:
    codes = [code for code in row["codes"] if code not in OF_THE_ADDRESS]
    return {**row, "codes": codes, "outcome": "held" if codes else None}


def _again(folder: Path, dataset: str, schema: pa.Schema, change: Any) -> None:
    """Commits a step again with every row of a dataset changed."""
    found = lake.committed(folder)
    attempt = lake.Attempt(str(folder / lake.ATTEMPTS / "early"))
    parts = []
    for part in found.parts:
        table = pq.read_table(part.path)
        if part.dataset == dataset:
            table = pa.Table.from_pylist([change(row) for row in table.to_pylist()], schema=schema)
        parts.append(dict(attempt.write(part.dataset, part.index, table, **part.counts).__dict__))
    lake.commit_manifest(parts, str(folder), found.inputs)
