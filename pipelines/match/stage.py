"""The stage: requests and keys, one pass over each register part, one decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from expectations.digests import of_bytes
from expectations.duck import DuckSettings
from expectations.errors import Fault
from expectations.instruments.agreement import TIERS
from pipelines import lake, register
from pipelines.context import BatchContext
from pipelines.match import requests, resolve, score
from pipelines.match.steps import Step, printed
from pipelines.register.prepare import preparation


class Place(Protocol):
    """Where the stage works, and with what: a batch's context, or a folder of its own (`alone`)."""

    @property
    def duck(self) -> DuckSettings: ...
    @property
    def runner(self) -> str: ...
    @property
    def progress(self) -> lake.Progress: ...
    def step(self, name: str) -> Path:
        """The folder of a step."""
        ...


def run(ctx: BatchContext) -> lake.Manifest:
    """Finds one register record at most for each open row of `ingest.rows`; commits the step `match.candidates`.

    Reads `ctx.register` and the decoys' own register, which it prepares as the step `match.decoys`. Requests are compared
    with decoy records and decoys with real ones too: a plausible record of the other kind makes a row ambiguous.
    Raises BadInput if the register is missing or damaged.
    """
    rows = lake.read_manifest(ctx.step("ingest.rows"))
    if rows is None:
        raise Fault("NO_ROWS", "match was started before ingest had committed its rows", where=ctx.batch)
    real = register.open_register(ctx.register)
    decoys = register.build(
        ctx.step("ingest.decoys"), ctx.step("match.decoys"), runner=ctx.runner, duck=ctx.duck, progress=ctx.progress
    )
    inputs = {"rows": _digests(rows), "register": register.version(ctx.register), "decoys": _digests(decoys)}
    return find(ctx, inputs, rows, real, decoys, ctx.agreement.tiers)


def find(
    place: Place,
    inputs: Mapping[str, object],
    rows: lake.Manifest,
    real: lake.Manifest,
    decoys: lake.Manifest | None = None,
    tiers: tuple[str, ...] = TIERS,
) -> lake.Manifest:
    """The two steps on canonical `rows` and a prepared register; `inputs` name what they are made from.

    `tiers`: the evidence that is demanded; a row matched by another tier ends as near."""
    inputs = {**inputs, "tiers": sorted(tiers), "logic": of_bytes(plan().encode()), "preparation": preparation()}
    paths = tuple(rows.paths("rows"))
    asked = requests.Requests(paths, tuple(real.paths("names")), place.duck)
    keys = _step(place, "match.keys", inputs, [asked], requests.write)
    worker = score.Score(paths, keys.paths("keys")[0], keys.paths("names")[0], register.persons(real), place.duck)
    decide = resolve.Decide(paths, tiers, place.duck)
    return _step(place, "match.candidates", inputs, _work(real, decoys), worker, decide)


def _step(
    place: Place, name: str, inputs: object, items: list[Any], worker: lake.Worker, then: lake.Worker | None = None
) -> lake.Manifest:
    return lake.run_step(
        place.step(name), inputs, items, worker, then=then, runner=place.runner, progress=place.progress
    )


def _work(real: lake.Manifest, decoys: lake.Manifest | None) -> list[score.Work]:
    """The scans of the register; the few decoys ride with the last one."""
    scans = register.scans(real)
    if decoys:
        last = scans[-1]
        more = {n: (*getattr(last, n), *decoys.paths(n)) for n in ("persons", "addresses")}
        scans[-1] = replace(last, **more)
    return [score.Work(number, scan) for number, scan in enumerate(scans)]


def _digests(manifest: lake.Manifest) -> list[str]:
    return [part.digest for part in manifest.parts]


def plan() -> str:
    """The SQL of the stage, for people, with names in the place of paths."""
    return printed(
        [
            *requests.steps("ROWS", "NAMES"),
            *score.steps(
                requests.requests_sql("ROWS", "NAMES", 1), "KEYS", "PERSONS", "ADDRESSES", register.Scan((), ())
            ),
            *resolve.steps("ROWS", "JUDGED", "MET", "HOT", TIERS),
            Step("candidates", "the contract: CANDIDATE", resolve.CANDIDATES),
        ]
    )
