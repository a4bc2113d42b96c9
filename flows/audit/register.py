"""The prepared register versions of a home: every part read again, and compared with its manifest."""

from collections.abc import Iterator

from expectations.base.errors import SluicegateError
from flows.home.registers import MANIFEST, all_versions
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.chain import Problem
from flows.ledger.lifecycles.states import FINAL
from pipelines import register


def problems(home: Home, ledger: Ledger) -> Iterator[Problem]:
    """Every part that is missing or changed, and every version that a batch under way needs and that is not here.

    A part that several versions share is read once.
    """
    proven: set[str] = set()
    versions: set[str] = set()
    for folder in all_versions(home):
        try:
            yield from (Problem(f"register/{folder.name}", what) for what in register.damage(folder, proven))
            versions.add(register.version(folder))
        except SluicegateError as error:
            yield Problem(f"register/{folder.name}", error.message)
    for manifest in sorted(home.prepared.glob(f"r-*/{MANIFEST}")):
        if not manifest.is_file():  # then it counts as no version, and nothing else would tell of it
            yield Problem(f"register/{manifest.parent.name}", "its manifest is no file")
    for batch in ledger.batches():
        if batch.state not in FINAL and batch.register not in versions:
            what = "the register version that it was recorded with is not here, or was changed"
            yield Problem(f"batch {batch.name}", what)
