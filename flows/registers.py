"""Which prepared register a batch runs against; a raw one is prepared before its first batch."""

from __future__ import annotations

from pathlib import Path

from expectations.digests import of_json
from expectations.errors import BadInput, Fault
from flows.home import Home
from flows.locks import alone
from pipelines import register
from pipelines.lake import Progress


def current_register(home: Home, progress: Progress | None = None) -> Path:
    """The prepared register of this home. Prepares a raw one first, once for each state of its files.

    Raises BadInput if there is no register, or its mapping cannot be read.
    """
    source = home.register
    if (source / "manifest.json").is_file():
        return source
    parts = register.files(source)
    if not parts:
        raise BadInput(
            "NO_REGISTER", "there is no register", where="register_folder in sluicegate.toml",
            remedy="Point it to a raw or prepared register, or make one: sluicegate simulate register.",
        )  # fmt: skip
    state = [(*p.relative_to(source).parts, p.stat().st_size, p.stat().st_mtime_ns) for p in parts]
    target = home.prepared / f"r-{of_json(state)[:12]}"
    if not (target / "manifest.json").is_file():
        with alone(home, target.name):  # batches that start together would clear each other's unfinished parts away
            if not (target / "manifest.json").is_file():
                register.build(source, target, duck=home.duck, progress=progress)
    return target


def register_of(home: Home, version: str) -> Path:
    """The prepared register of this version: the one that a batch was recorded with, whatever the home's is by now.

    Raises Fault if it is no longer kept: a batch never goes on against another register than it began with.
    """
    for folder in (home.register, *sorted(home.prepared.glob("r-*"))):
        if (folder / "manifest.json").is_file() and register.version(folder) == version:
            return folder
    raise Fault(
        "REGISTER_GONE", "the register version that this batch was recorded with is not here",
        remedy="Restore it below register/, or reject the batch and have it submitted again.",
    )  # fmt: skip
