"""The evidence of a batch, opened as plaintext in a folder of its own for as long as somebody works with it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from expectations.address import facilities
from expectations.base.duck import parquet
from expectations.base.errors import Usage
from flows.batch.law import KEPT as READ_LATER
from flows.batch.steps import BatchSteps
from flows.evidence import held, keys
from flows.evidence.store import evidence_file, plaintext_folder
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.accounts import SHREDDING_STEPS
from pipelines import sealing
from pipelines.context import KEPT, BatchContext
from pipelines.release.evidence import bundle


@contextmanager
def opened(home: Home, batch: BatchSteps) -> Iterator[tuple[BatchContext, str]]:
    """The batch's context and its evidence as a relation: of a batch in flight what it has so far, else what is stored.
    What is opened for that is deleted at the end. Raises Usage if nothing is stored, or no longer."""
    if batch.folder.exists():
        yield batch.ctx, f"({bundle(batch.ctx.root)})"
        return
    require_evidence(batch.ledger, batch.name)
    with plaintext_folder(home) as folder:
        (folder / "submission").mkdir(mode=0o700)
        identity = keys.identity(home, batch.name)
        for name in KEPT:
            _open(evidence_file(home, batch.name, Path(name).name), folder / name, identity)
        for name in (facilities.NAME, *READ_LATER):
            if (own := evidence_file(home, batch.name, name)).exists():
                _open(own, folder / name, identity)
        rows = folder / "evidence.parquet"
        _open(evidence_file(home, batch.name, "parquet"), rows, identity)
        yield batch.context(folder, home.register), parquet([rows])


@contextmanager
def one_row(home: Home, ledger: Ledger, batch: str, ordinal: int) -> Iterator[str]:
    """The evidence of one row, as a relation: nothing else of the batch is opened than its rows. Raises as `opened`."""
    ledger.known_batch(batch)
    folder = home.lake / batch
    if folder.exists():
        yield f"({bundle(folder, ordinal)})"
        return
    require_evidence(ledger, batch)
    sealed, identity = evidence_file(home, batch, "parquet"), keys.identity(home, batch)
    if sealed.exists() and held.fits(sealed):
        with held.opened(sealed, identity) as rows:
            yield f"(FROM {parquet([rows])} WHERE ordinal = {ordinal:d})"
        return
    with plaintext_folder(home) as opened:
        rows = opened / "evidence.parquet"
        _open(sealed, rows, identity)
        yield f"(FROM {parquet([rows])} WHERE ordinal = {ordinal:d})"


def require_evidence(ledger: Ledger, batch: str) -> None:
    """Raises Usage if the key of a batch's evidence was destroyed."""
    if any(e["kind"] in SHREDDING_STEPS for e in ledger.events(batch)):
        remedy = "Its retention had ended. Its accounting is left: sluicegate status."
        raise Usage("EVIDENCE_SHREDDED", "the key of this evidence was destroyed", where=batch, remedy=remedy)


def _open(sealed: Path, target: Path, identity: sealing.Identity) -> None:
    if not sealed.exists():
        raise Usage("NO_EVIDENCE", "no evidence of this batch is stored", remedy="It ended before its rows were read.")
    sealing.open_file(sealed, target, identity)
