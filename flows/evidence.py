"""The evidence of a batch, opened for as long as somebody works with it: in clear in a folder of its own, then deleted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.address import facilities
from expectations.duck import parquet
from expectations.errors import Usage
from flows import evidence_keys
from flows.home import Home
from flows.kept import folder
from flows.ledger.shredding import STEPS
from flows.views import view
from flows.work import Work
from pipelines import sealing
from pipelines.context import KEPT, BatchContext
from pipelines.release.evidence import bundle


@contextmanager
def opened(home: Home, work: Work) -> Iterator[tuple[BatchContext, str]]:
    """The batch's context and its evidence as a relation: of a batch in flight what it has so far, else what was kept of it.

    What is opened for that is deleted at the end. Raises Usage if nothing is kept, or no longer.
    """
    if work.folder.exists():
        yield work.ctx, f"({bundle(work.ctx)})"
        return
    if any(e["kind"] in STEPS for e in work.ledger.events(work.name)):
        raise Usage(
            "EVIDENCE_SHREDDED",
            "the key of this batch's evidence was destroyed when its retention had ended",
            where=work.name,
            remedy="What is left is its accounting: sluicegate status.",
        )
    with view(home) as place:
        (place / "submission").mkdir(mode=0o700)
        identity = evidence_keys.identity(home, work.name)
        for name in KEPT:
            _open(folder(home) / f"{work.name}.{Path(name).name}.age", place / name, identity)
        if (own := folder(home) / f"{work.name}.{facilities.NAME}.age").exists():
            _open(own, place / facilities.NAME, identity)
        _open(folder(home) / f"{work.name}.parquet.age", place / "evidence.parquet", identity)
        yield work.context(place, home.register), parquet([place / "evidence.parquet"])


def _open(sealed: Path, target: Path, identity: sealing.Identity) -> None:
    if not sealed.exists():
        raise Usage("NO_EVIDENCE", "no evidence of this batch is kept", remedy="It ended before its rows were read.")
    sealing.open_file(sealed, target, identity)
