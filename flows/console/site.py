"""The pages as one offline site: a folder that any browser opens, and that asks for nothing from elsewhere but where
Great Expectations' own pages, linked beneath, do."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

from expectations.base.errors import BadInput
from expectations.gx import docs
from flows.console import batch, checkpoint, kept, pages, queue
from flows.console.links import SiteLinks
from flows.console.rows import Ended, Rows
from flows.home.tree import Home
from flows.ledger import Ledger
from flows.ledger.core import BatchRecord

_MARK = ".sluicegate-site"  # a folder that holds it is a site of ours, and may be replaced


def write(home: Home, target: Path, only: str | None = None) -> Path:
    """Writes the site to the folder `target`, of all batches, or of `only` one beside the first page; its index.

    Replaces a site that stands there. Raises BadInput for a folder that is no such site, Usage for an unknown batch.
    """
    if target.exists() and any(target.iterdir()) and not (target / _MARK).exists():
        what = "the folder is not empty and holds no pages of ours"
        raise BadInput("DOCS_TARGET", what, remedy="Name another folder.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with Ledger.open(home.ledger_url, home.clock()) as ledger:
        records = [ledger.known_batch(only)] if only else ledger.batches()
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".docs-") as work:
            made = Path(work) / "site"
            _write(home, ledger, made, records)
            stored = (one.stored | {"batch": r.name} for r in records for one in kept.read(home, r.name))
            docs.render(stored, made / "gx")
            if target.exists():
                shutil.rmtree(target)
            made.rename(target)
    return target / "index.html"


def _write(home: Home, ledger: Ledger, folder: Path, records: Sequence[BatchRecord]) -> None:
    (folder / "batches").mkdir(parents=True)
    (folder / _MARK).touch()
    for name in pages.STATIC:
        shutil.copyfile(pages.HERE / "static" / name, folder / name)
    first, known = queue.queue(home, ledger), {record.name for record in records}
    given = {"made": first["now"], "links": SiteLinks(known)}
    (folder / "index.html").write_text(pages.page("queue.html", **given, **first), encoding="utf-8")
    for record in records:
        place, beneath = folder / "batches", {**given, "links": SiteLinks(known, "../")}
        try:
            _batch(home, ledger, place, record, beneath)
        except (duckdb.IOException, Ended):  # it ended meanwhile, and its rows were deleted: now nothing reads them
            for page in place.glob(f"{record.name}*"):
                page.unlink()
            _batch(home, ledger, place, ledger.known_batch(record.name), beneath)


def _batch(home: Home, ledger: Ledger, folder: Path, record: BatchRecord, given: Mapping[str, object]) -> None:
    """The page of a batch, and one for each of its checkpoints, with the numbers of the rows that failed."""
    text = pages.page("batch.html", **given, **batch.batch(home, ledger, record))
    (folder / f"{record.name}.html").write_text(text, encoding="utf-8")
    for found in kept.read(home, record.name):
        shown = checkpoint.checkpoint(home, ledger, record, found)
        name = f"{record.name}-{found.checkpoint}"
        (folder / f"{name}.html").write_text(pages.page("checkpoint.html", **given, **shown), encoding="utf-8")
        if shown["rows"]:
            Rows(home, record.name, found.checkpoint).write(folder / f"{name}-rows.csv")
