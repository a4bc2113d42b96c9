"""Where parts lie, how they are scanned, written and committed: the one read and write seam.

A *step* is one committed piece of work of a batch: a folder with datasets of Parquet parts and a manifest. Workers write to
folders of their own attempt; one keyed transform picks one attempt a part and moves it in place; the manifest is written
last, atomically. A step whose manifest is there and was made from the same inputs is never run again; anything else in a
step's folder is an orphan of a crash, and deleted. The Beam side of a step is in `transforms`.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import digests
from expectations.errors import Fault
from pipelines import durable, failures
from pipelines import runner as runners
from pipelines.parts import Manifest, Part, committed, grouped, read_manifest, stated

__all__ = ["Attempt", "Manifest", "Part", "committed", "grouped", "read_manifest", "run_step", "stated"]

ATTEMPTS = ".attempts"
BEGUN = "begun"  # what a step that can be resumed was begun with
FINISHED = "finished.json"  # the parts of an attempt, once all are written
ROW_GROUP = 122_880  # DuckDB's own vector-friendly row group size

Worker = Callable[[Any, "Attempt"], Iterable[Part]]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Attempt:
    """A folder of its own for one try at one piece of work; nobody else writes there."""

    folder: str

    def path(self, dataset: str, index: int) -> Path:
        """Where to write part `index` of `dataset` in this attempt."""
        target = Path(self.folder) / dataset / f"part-{index:05d}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return target

    def part(self, dataset: str, index: int, **counts: int) -> Part:
        """The part just written at `path(dataset, index)`, with its row count and digest."""
        path = self.path(dataset, index)
        rows = pq.read_metadata(path).num_rows
        return Part(dataset, index, str(path), rows, digests.of_file(path), dict(counts))

    def write(self, dataset: str, index: int, table: pa.Table, **counts: int) -> Part:
        """Writes a table as one part."""
        pq.write_table(table, self.path(dataset, index), compression="zstd", row_group_size=ROW_GROUP)
        return self.part(dataset, index, **counts)


def finished(attempts: Path, item: str) -> list[Part]:
    """Parts of an attempt at `item` (its digest) that an earlier run finished, if they are as they were written."""
    for note in sorted(attempts.glob(f"{item}-*/{FINISHED}")):
        parts = [Part(**p) for p in json.loads(note.read_text())]
        if all(Path(p.path).exists() and digests.of_file(Path(p.path)) == p.digest for p in parts):
            return parts
    return []


def run_step(
    folder: Path,
    inputs: Any,
    items: list[Any],
    worker: Worker,
    *,
    then: Worker | None = None,
    runner: str = runners.EMBEDDED,
    progress: Progress | None = None,
    resume: bool = False,
    seals: Sequence[Path] = (),
    labels: Mapping[str, str] = MappingProxyType({}),
) -> Manifest:
    """Runs `worker` over `items` as a Beam pipeline and commits what it wrote; the committed step if it is there already.

    `inputs`: anything JSON can hold that names all the step depends on. `items`: small descriptors (paths, row groups),
    never rows. `worker` must be picklable by name: a function or dataclass of an installed module. `then`, if given, sees
    the list of all parts once they are written, and may add parts of its own: what only the whole can tell. `progress` is
    told (step, done, total) while items are worked on, from a thread of its own. `resume`: items that a killed run had
    finished are not worked on again (for steps that take minutes; their parts are read once more to be sure). `seals`: see
    `read_manifest`. Raises the error of the first worker that failed (see `failures`), on every runner.
    """
    from pipelines import transforms  # Beam takes seconds to import: only where a step is run

    fingerprint = digests.of_json(inputs)
    done = read_manifest(folder, fingerprint, seals)
    if done is not None:
        return done
    if not items:
        raise Fault("NO_WORK", f"step {folder.name} has nothing to do")
    _clear(folder, fingerprint if resume else None)
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # mkdir gives its mode to the last folder only
        (folder / ATTEMPTS).mkdir(exist_ok=True, mode=0o700)
        with _watched(folder, len(items), progress):
            if resume:
                durable.write(folder / ATTEMPTS / BEGUN, fingerprint.encode())
            transforms.run(folder, fingerprint, items, worker, then, runner, resume, dict(labels))
    except Exception as error:
        told = failures.first_of(folder / ATTEMPTS)
        if told is None and isinstance(error, OSError):
            told = failures.without_text(error, f"step {folder.name}")
        raise told or Fault("STEP_FAILED", f"step {folder.name} failed with {type(error).__name__}") from None
    written = read_manifest(folder, fingerprint, seals)
    if written is None:
        raise Fault("STEP_NOT_COMMITTED", f"step {folder.name} ended without a manifest")
    return written


def _clear(folder: Path, resumed: str | None) -> None:
    """Removes orphans of a crash, or a step made from other inputs; keeps finished attempts of a step that is resumed."""
    begun = folder / ATTEMPTS / BEGUN
    if resumed is None or not begun.exists() or begun.read_text() != resumed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for attempt in (folder / ATTEMPTS).iterdir():
        if attempt.is_dir() and not (attempt / FINISHED).exists():
            shutil.rmtree(attempt)


@contextmanager
def _watched(folder: Path, total: int, progress: Progress | None) -> Iterator[None]:
    """Tells `progress` how many items have been begun, by their attempt folders: works on every runner."""
    if progress is None:
        yield
        return
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            begun = sum(1 for attempt in (folder / ATTEMPTS).glob("*") if attempt.is_dir())
            progress(folder.name, max(0, min(begun, total) - 1), total)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
        progress(folder.name, total, total)
    finally:
        stop.set()
        thread.join()


def commit_manifest(
    parts: list[dict[str, Any]], folder: str, inputs: str, labels: Mapping[str, str] = MappingProxyType({})
) -> int:
    """Moves the picked parts in place and writes the manifest. Safe to repeat after a crash at any point."""
    target = Path(folder)
    for part in parts:
        final = target / part["dataset"] / f"part-{part['index']:05d}.parquet"
        final.parent.mkdir(exist_ok=True, mode=0o700)
        if Path(part["path"]).exists():  # else an earlier try of this transform has moved it
            Path(part["path"]).replace(final)
        part["path"] = f"{part['dataset']}/{final.name}"
        durable.fsync(final.parent)
    ordered = sorted(parts, key=lambda p: (p["dataset"], p["index"]))
    body = {"step": target.name, "inputs": inputs, "parts": ordered, **({"labels": dict(labels)} if labels else {})}
    durable.write(target / "manifest.json", json.dumps(body, indent=1, sort_keys=True).encode())
    shutil.rmtree(target / ATTEMPTS, ignore_errors=True)
    return len(parts)
