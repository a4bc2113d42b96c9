"""The evidence of a batch, opened for as long as somebody works with it: in clear in a folder of its own, then deleted."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.address import facilities
from expectations.duck import parquet
from expectations.errors import Usage
from flows.home import HOLDER_AGE, Home
from flows.work import Work
from pipelines import sealing
from pipelines.context import KEPT, BatchContext
from pipelines.release.evidence import bundle


@contextmanager
def opened(home: Home, work: Work) -> Iterator[tuple[BatchContext, str]]:
    """The batch's context and its evidence as a relation: of a batch in flight what it has so far, else what was kept of it.

    What is opened for that is deleted at the end. Raises Usage if nothing is kept.
    """
    if work.folder.exists():
        yield work.ctx, f"({bundle(work.ctx)})"
        return
    view = home.lake / f".view-{uuid.uuid4().hex}"
    (view / "submission").mkdir(parents=True, mode=0o700)
    try:
        identity = sealing.load_identity(home.keys / HOLDER_AGE)
        kept = home.root / "evidence"
        for name in KEPT:
            _open(kept / f"{work.name}.{Path(name).name}.age", view / name, identity)
        if (own := kept / f"{work.name}.{facilities.NAME}.age").exists():
            _open(own, view / facilities.NAME, identity)
        _open(kept / f"{work.name}.parquet.age", view / "evidence.parquet", identity)
        yield work.context(view, home.register), parquet([view / "evidence.parquet"])
    finally:
        shutil.rmtree(view, ignore_errors=True)


def _open(sealed: Path, target: Path, identity: sealing.Identity) -> None:
    if not sealed.exists():
        raise Usage("NO_EVIDENCE", "no evidence of this batch is kept", remedy="It ended before its rows were read.")
    sealing.open_file(sealed, target, identity)
