"""What a step committed: its parts, and the manifest that lists them, read back and checked."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from expectations.base import digests
from expectations.base.errors import Fault
from pipelines.lake import durable


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
    """What a step committed. `inputs` is the digest of all it was made from; `labels` are for its readers."""

    step: str
    inputs: str
    parts: tuple[Part, ...]
    labels: dict[str, str] = field(default_factory=dict)

    def of(self, dataset: str) -> list[Part]:
        """Parts of a dataset in the order of their index; a dataset without parts is a fault."""
        found = sorted((p for p in self.parts if p.dataset == dataset), key=lambda p: p.index)
        if not found:
            raise Fault("NO_PARTS", f"step {self.step} has no dataset {dataset}")
        return found

    def paths(self, dataset: str) -> list[str]:
        """Files of a dataset, as `of` gives its parts."""
        return [part.path for part in self.of(dataset)]

    @property
    def digest(self) -> str:
        """Names what was committed: what a later step gives as its inputs."""
        return digests.name_of_json([(p.dataset, p.index, p.digest) for p in self.parts])

    def rows(self, dataset: str) -> int:
        return sum(p.rows for p in self.parts if p.dataset == dataset)

    def count(self, name: str) -> int:
        """Sum of a named count over all parts."""
        return sum(p.counts.get(name, 0) for p in self.parts)


def part_file(dataset: str, index: int) -> str:
    """Where part `index` of `dataset` lies in the folder of its step or attempt."""
    return f"{dataset}/part-{index:05d}.parquet"


def grouped(manifest: Manifest, dataset: str, rows: int) -> list[tuple[str, ...]]:
    """Paths of a dataset in runs of at most `rows` rows (a larger part stands alone): each query has a fixed cost."""
    groups: list[tuple[str, ...]] = []
    size = 0
    for part in manifest.of(dataset):
        if groups and size + part.rows <= rows:
            groups[-1], size = (*groups[-1], part.path), size + part.rows
        else:
            groups, size = [*groups, (part.path,)], part.rows
    return groups


def read_manifest(folder: Path, inputs: str | None = None, seals: Sequence[Path] = ()) -> Manifest | None:
    """The committed manifest of a step, or None: not there, made from other inputs, or a part is missing or changed.

    `seals`: files that say what a part looked like when its digest was found right (inode, size, time of writing), so
    that a part that looks the same is not read again; the first one is written. For what is too large to be read twice
    a batch: without them every byte is read.
    """
    if not is_committed(folder):
        return None
    manifest = stated(folder)
    if inputs is not None and manifest.inputs != inputs:
        return None
    known = {line for path in seals if path.exists() for line in json.loads(path.read_text())}
    seen = [_look(part) for part in manifest.parts]
    for part, look in zip(manifest.parts, seen, strict=True):
        if look is None or (look not in known and not digests.file_matches(Path(part.path), part.digest)):
            return None
    if seals and set(seen) - known and os.access(folder, os.W_OK):
        for part in manifest.parts:
            durable.fsync(Path(part.path))  # what a seal vouches for must outlive a power cut
        durable.write(seals[0], json.dumps(seen, indent=1).encode())
    return manifest


def is_committed(folder: Path) -> bool:
    """Whether a step says that it is, whatever its parts are by now."""
    return (folder / "manifest.json").exists()


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
