"""Where parts lie, how they are scanned, written and committed: the one read and write seam.

A *step* is one committed piece of work of a batch: a folder with datasets of Parquet parts and a manifest. Workers write to
folders of their own attempt; one keyed transform picks one attempt a part and moves it in place; the manifest is written
last, atomically. A step whose manifest is there and was made from the same inputs is never run again; anything else in a
step's folder is an orphan of a crash, and deleted. The Beam side of a step is in `transforms`.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from expectations import digests
from expectations.errors import Fault
from pipelines import durable, failures
from pipelines import runner as runners

ATTEMPTS = ".attempts"
BEGUN = "begun"  # what a step that can be resumed was begun with
FINISHED = "finished.json"  # the parts of an attempt, once all are written
ROW_GROUP = 122_880  # DuckDB's own vector-friendly row group size


@dataclass(frozen=True)
class Part:
    """One Parquet file of a dataset. `digest` is of the file's bytes; `counts` are small integers by name."""

    dataset: str
    index: int
    path: str
    rows: int
    digest: str
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """What a step committed. `inputs` is the digest of all it was made from; `labels` say what its readers must know."""

    step: str
    inputs: str
    parts: tuple[Part, ...]
    labels: dict[str, str] = field(default_factory=dict)

    def paths(self, dataset: str) -> list[str]:
        """Files of a dataset in the order of their index; a dataset without parts is a fault."""
        found = [p.path for p in sorted(self.parts, key=lambda p: p.index) if p.dataset == dataset]
        if not found:
            raise Fault("NO_PARTS", f"step {self.step} has no dataset {dataset}")
        return found

    @property
    def digest(self) -> str:
        """Names what was committed: what a later step gives as its inputs."""
        return digests.of_json([(p.dataset, p.index, p.digest) for p in self.parts])

    def rows(self, dataset: str) -> int:
        return sum(p.rows for p in self.parts if p.dataset == dataset)

    def count(self, name: str) -> int:
        """Sum of a named count over all parts."""
        return sum(p.counts.get(name, 0) for p in self.parts)


def grouped(manifest: Manifest, dataset: str, rows: int) -> list[tuple[str, ...]]:
    """Paths of a dataset in runs of at most `rows` rows (a larger part stands alone): each query has a fixed cost."""
    groups: list[tuple[str, ...]] = []
    size = 0
    for part in sorted((p for p in manifest.parts if p.dataset == dataset), key=lambda p: p.index):
        if groups and size + part.rows <= rows:
            groups[-1], size = (*groups[-1], part.path), size + part.rows
        else:
            groups, size = [*groups, (part.path,)], part.rows
    if not groups:
        raise Fault("NO_PARTS", f"step {manifest.step} has no dataset {dataset}")
    return groups


Worker = Callable[[Any, "Attempt"], Iterable[Part]]


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


def read_manifest(folder: Path, inputs: str | None = None, seals: Sequence[Path] = ()) -> Manifest | None:
    """The committed manifest of a step, or None: not there, made from other inputs, or a part is missing or changed.

    `seals`: files that say what a part looked like when its digest was found right (inode, size, time of writing), so that a
    part that looks the same is not read again; the first one is written. For what is too large to be read twice a batch:
    without them every byte is read.
    """
    if not (folder / "manifest.json").exists():
        return None
    manifest = stated(folder)
    parts = manifest.parts
    if inputs is not None and manifest.inputs != inputs:
        return None
    known = {line for path in seals if path.exists() for line in json.loads(path.read_text())}
    seen = [_look(part) for part in parts]
    for part, look in zip(parts, seen, strict=True):
        if look is None or (look not in known and digests.of_file(Path(part.path)) != part.digest):
            return None
    if seals and set(seen) - known and os.access(folder, os.W_OK):
        durable.write(seals[0], json.dumps(seen, indent=1).encode())
    return manifest


def stated(folder: Path) -> Manifest:
    """What a step's manifest says, whatever its parts are by now."""
    raw = json.loads((folder / "manifest.json").read_text())
    parts = tuple(Part(**{**p, "path": str(folder / p["path"])}) for p in raw["parts"])
    return Manifest(raw["step"], raw["inputs"], parts, raw.get("labels", {}))


def _look(part: Part) -> str | None:
    """The digest a part must have and what its file looks like: another after a write, unless the writer hides it."""
    path = Path(part.path)
    if not path.is_file():
        return None
    stat = path.stat()
    return f"{part.digest} {stat.st_ino} {stat.st_size} {stat.st_mtime_ns}"


def committed(folder: Path) -> Manifest:
    """The manifest of a step that must be there; raises Fault if it is not, or was changed."""
    found = read_manifest(folder)
    if found is None:
        raise Fault("STEP_MISSING", "a step that comes before is not committed", where=folder.name)
    return found


Progress = Callable[[str, int, int], None]


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
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)  # mkdir gives its mode to the last folder only
    (folder / ATTEMPTS).mkdir(exist_ok=True, mode=0o700)
    try:
        with _watched(folder, len(items), progress):
            if resume:
                durable.write(folder / ATTEMPTS / BEGUN, fingerprint.encode())
            transforms.run(folder, fingerprint, items, worker, then, runner, resume, dict(labels))
    except Exception as error:
        told = failures.first_of(folder / ATTEMPTS)
        raise told or Fault("STEP_FAILED", f"step {folder.name} failed with {type(error).__name__}") from None
    committed = read_manifest(folder, fingerprint, seals)
    if committed is None:
        raise Fault("STEP_NOT_COMMITTED", f"step {folder.name} ended without a manifest")
    return committed


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
