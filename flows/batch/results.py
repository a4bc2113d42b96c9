"""A checkpoint's result as it is kept: the verdict, and beside it what pages show once the batch's rows are gone."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from expectations.gx.verdict import Verdict
from flows.batch import counting, letter
from flows.batch.figures import Figure
from flows.ledger.lifecycles.states import Checkpoint
from pipelines.context import BatchContext


def kept(
    which: Checkpoint,
    ctx: BatchContext,
    dropped: Path | None,
    verdict: Verdict,
    figures: Iterable[Figure],
    requests: Path,
) -> dict[str, Any]:
    """As JSON can hold it: counts, shares, ids and codes only. `requests`: the batch's keyed requests."""
    said = letter.said(ctx) if which is Checkpoint.INTAKE else None
    return {
        **verdict.to_dict(),
        "figures": [vars(one) for one in figures],
        "spreads": [one.to_dict() for one in counting.counted(which, ctx, dropped, requests)],
        **({"letter": said.to_dict()} if said else {}),
    }
