"""The stage: blocking keys of all requests, one pass over each register part, one outcome for each request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from expectations.base.digests import of_bytes
from expectations.base.duck import DuckSettings
from expectations.base.errors import Fault
from expectations.contracts.lists import Tier
from pipelines import lake, register
from pipelines.context import BatchContext
from pipelines.lake.runner import EMBEDDED
from pipelines.match import compare, requests, resolve
from pipelines.match.steps import Step, printed
from pipelines.register.opened import Scan
from pipelines.register.prepare import preparation


@dataclass(frozen=True)
class Alone:
    """Where the stage works without a batch: a folder of its own (see `alone`)."""

    root: Path
    duck: DuckSettings
    progress: lake.Progress
    runner: str = EMBEDDED

    def step(self, name: str) -> Path:
        return self.root / name


def run(ctx: BatchContext) -> lake.Manifest:
    """Finds one register record at most for each open row of `ingest.rows`; commits the step `match.candidates`.

    Reads `ctx.register` and the control records' own register, which it prepares as the step `match.decoys`. Requests
    are compared with control records and control rows with real ones too: a plausible record of the other kind makes a
    row ambiguous.
    Raises BadInput if the register is missing or damaged.
    """
    rows = lake.read_manifest(ctx.step("ingest.rows"))
    if rows is None:
        raise Fault("NO_ROWS", "match was started before ingest had committed its rows", where=ctx.batch)
    real = register.open_register(ctx.register)
    controls = register.build(
        ctx.step("ingest.decoys"), ctx.step("match.decoys"), runner=ctx.runner, duck=ctx.duck, progress=ctx.progress
    )
    inputs = {"rows": _digests(rows), "register": register.version(ctx.register), "decoys": _digests(controls)}
    return find(ctx, inputs, rows, real, controls, ctx.agreement.tiers)


def find(
    place: BatchContext | Alone,
    inputs: Mapping[str, object],
    rows: lake.Manifest,
    real: lake.Manifest,
    controls: lake.Manifest | None = None,
    tiers: tuple[str, ...] = tuple(Tier),
) -> lake.Manifest:
    """The steps `match.blocking` and `match.candidates` on canonical `rows` and a prepared register, by `inputs`.

    `tiers`: the evidence that is demanded; a row matched by another tier ends as near."""
    step = partial(lake.run_step, runner=place.runner, progress=place.progress)
    inputs = {**inputs, "tiers": sorted(tiers), "logic": of_bytes(plan().encode()), "preparation": preparation()}
    paths = tuple(rows.paths("rows"))
    asked = requests.Requests(paths, tuple(real.paths("names")), place.duck)
    blocking = step(place.step("match.blocking"), inputs, [asked], requests.write)
    keys, names = blocking.paths("blocking_keys")[0], blocking.paths("names")[0]
    worker = compare.Compare(paths, keys, names, register.persons(real), place.duck)
    then = resolve.Resolve(paths, tiers, place.duck)
    return step(place.step("match.candidates"), inputs, _scans(real, controls), worker, then=then)


def _scans(real: lake.Manifest, controls: lake.Manifest | None) -> list[tuple[int, Scan]]:
    """The scans of the register, with the few control records in the last one."""
    scans = register.scans(real)
    if controls:
        last = scans[-1]
        more = {n: (*getattr(last, n), *controls.paths(n)) for n in ("persons", "addresses")}
        scans[-1] = replace(last, **more)
    return list(enumerate(scans))


def _digests(manifest: lake.Manifest) -> list[str]:
    return [part.digest for part in manifest.parts]


def plan() -> str:
    """The SQL of the stage, for people, with names in the place of paths."""
    asked = requests.requests_sql("ROWS", "NAMES", 1)
    steps = requests.steps("ROWS", "NAMES")
    steps += compare.steps(asked, "BLOCKING_KEYS", "PERSONS", "ADDRESSES", Scan((), ()))
    steps += resolve.steps("ROWS", "CLASSIFIED", "PAIR_COUNTS", "OVERSIZED", tuple(Tier))
    return printed([*steps, Step("candidates", "the contract: CANDIDATE", resolve.CANDIDATES)])
