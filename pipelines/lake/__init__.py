"""Where parts lie, how they are scanned, written and committed: the one read and write seam.

A *step* is one committed piece of work of a batch: a folder with datasets of Parquet parts and a manifest. Workers
write to folders of their own attempt; one keyed transform picks one attempt a part and moves it in place; the manifest
is written last, atomically. A step whose manifest is there and was made from the same inputs is never run again;
anything else in a step's folder is an orphan of a crash, and deleted.

By file: `parts` (what a step committed), `commit` (where a worker writes), `step` (`run_step`), `beam` (a step's Beam
side, imported where one is run), `graph` (Beam graphs translated once), `runner`, `failures`, `sql`; `durable` and
`workplace` for files that are no parts.
"""

from pipelines.lake.commit import ATTEMPTS, Attempt, Worker, commit_manifest
from pipelines.lake.parts import Manifest, Part, committed, grouped, is_committed, read_manifest, stated
from pipelines.lake.step import Progress, run_step

__all__ = [
    "ATTEMPTS",
    "Attempt",
    "Manifest",
    "Part",
    "Progress",
    "Worker",
    "commit_manifest",
    "committed",
    "grouped",
    "is_committed",
    "read_manifest",
    "run_step",
    "stated",
]
