"""Runs one step of a batch: its work as a Beam pipeline, committed once."""

import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from expectations.base import digests
from expectations.base.errors import Fault
from pipelines.lake import durable, failures
from pipelines.lake.commit import ATTEMPTS, FINISHED, Worker
from pipelines.lake.parts import Manifest, read_manifest
from pipelines.lake.runner import EMBEDDED

BEGUN = "begun"  # what a step that can be resumed was begun with
Progress = Callable[[str, int, int], None]


def run_step(
    folder: Path,
    inputs: Any,
    items: list[Any],
    worker: Worker,
    *,
    then: Worker | None = None,
    runner: str = EMBEDDED,
    progress: Progress | None = None,
    resume: bool = False,
    seals: Sequence[Path] = (),
    labels: Mapping[str, str] | None = None,
) -> Manifest:
    """Runs `worker` over `items` as a Beam pipeline and commits what it wrote; or finds the step committed.

    `inputs`: anything JSON can hold that names all the step depends on. `items`: small descriptors (paths, row groups),
    never rows. `worker` must be picklable by name: a function or dataclass of an installed module. `then`, if given,
    sees the list of all parts once they are written, and may add parts of its own: what only the whole can tell.
    `progress` is called with (step, done, total) while items are worked on, from a thread of its own. `resume`: items
    that a killed run had finished are not worked on again (for steps that take minutes; their parts are read once more
    to be sure). `seals`: see `read_manifest`. Raises the first failing worker's error (see `failures`), on every
    runner.
    """
    from pipelines.lake import beam  # Beam takes seconds to import: only where a step is run

    fingerprint = digests.name_of_json(inputs)
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
            beam.run(folder, fingerprint, items, worker, then, runner, resume, dict(labels or {}))
    except Exception as error:
        cause = failures.first_of(folder / ATTEMPTS)
        if cause is None and isinstance(error, OSError):
            cause = failures.without_text(error, f"step {folder.name}")
        raise cause or Fault("STEP_FAILED", f"step {folder.name} failed with {type(error).__name__}") from None
    written = read_manifest(folder, fingerprint, seals)
    if written is None:
        raise Fault("STEP_NOT_COMMITTED", f"step {folder.name} ended without a manifest")
    return written


def _clear(folder: Path, resumed: str | None) -> None:
    """Removes orphans of a crash, or a step made from other inputs; keeps finished attempts of one that is resumed."""
    begun = folder / ATTEMPTS / BEGUN
    if resumed is None or not begun.exists() or begun.read_text() != resumed:
        shutil.rmtree(folder, ignore_errors=True)
        return
    for attempt in (folder / ATTEMPTS).iterdir():
        if attempt.is_dir() and not (attempt / FINISHED).exists():
            shutil.rmtree(attempt)


@contextmanager
def _watched(folder: Path, total: int, progress: Progress | None) -> Iterator[None]:
    """Calls `progress` with how many items have been begun, by their attempt folders: works on every runner."""
    if progress is None:
        yield
        return
    stop = threading.Event()

    def watch() -> None:
        while not stop.wait(0.5):
            with suppress(OSError):  # the attempts are deleted as soon as all is done
                begun = sum(attempt.is_dir() for attempt in (folder / ATTEMPTS).iterdir())
                progress(folder.name, max(0, min(begun, total) - 1), total)

    thread = threading.Thread(target=watch, name="progress", daemon=True)
    thread.start()
    try:
        yield
        progress(folder.name, total, total)
    finally:
        stop.set()
        thread.join()
