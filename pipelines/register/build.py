"""Builds a prepared register from a raw one."""

from dataclasses import replace
from functools import partial
from pathlib import Path

from expectations.base import digests
from expectations.base.duck import DuckSettings
from expectations.base.errors import BadInput
from expectations.contracts.lists import Origin
from pipelines import lake
from pipelines.lake.runner import EMBEDDED
from pipelines.register.convert import in_parquet, nothing_left, working
from pipelines.register.opened import PREPARATION, SEALS
from pipelines.register.prepare import CountUnits, Prepare, Range, preparation
from pipelines.register.source import open_source, ranges

PART_ROWS = 2_000_000  # what is sorted and joined in memory at a time; the match scans many parts at once


def build(
    source: Path,
    target: Path,
    *,
    runner: str = EMBEDDED,
    duck: DuckSettings = DuckSettings(),  # noqa: B008 - frozen
    part_rows: int = PART_ROWS,
    progress: lake.Progress | None = None,
    origin: Origin = Origin.REQUEST,
) -> lake.Manifest:
    """Prepares the raw register in `source` as the lake step `target`; the one there if made of the same.

    `origin`: whose rows are looked up in it; ids of control records lie below zero, all others above.
    Datasets: `persons`, `addresses` (parts with one index hold the same persons), `names`, `units`, `buildings`.
    Raises BadInput if the raw register is missing, unreadable, or has other columns, a bad row or doubled ids.
    """
    raw = open_source(source)
    settings = replace(duck, preserve_order=True)  # so that the same source gives the same bytes, and one version
    inputs = {"preparation": preparation(), "part_rows": part_rows, **raw.identity}
    seals = [target / SEALS]
    done = lake.read_manifest(target, digests.name_of_json(inputs), seals)
    if done is not None:
        return done
    with in_parquet(raw, working(target), settings, runner=runner, progress=progress) as tables:
        cuts = [Range(i, *span) for i, span in enumerate(ranges(tables, part_rows, settings, origin))]
        if not cuts:
            raise BadInput("REGISTER_EMPTY", "the register holds nobody", where="persons/", remedy="Check its source.")
        worker, then = Prepare(tables.persons, tables.addresses, settings), CountUnits(settings)
        run = partial(lake.run_step, resume=True, seals=seals, labels={PREPARATION: preparation()})
        with nothing_left(target):
            return run(target, inputs, cuts, worker, then=then, runner=runner, progress=progress)
