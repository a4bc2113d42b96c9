"""The stage: blocking keys of all requests, one pass over each register part, one outcome for each request."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from expectations.base.digests import name_of_bytes
from expectations.base.duck import DuckSettings
from expectations.base.errors import Fault
from expectations.contracts.lists import Origin, Tier
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
    """Finds one register record at most for each open row of `ingest.rows`; commits the step `match.candidates`, with
    the datasets `candidates` and `tries`.

    Reads `ctx.register` and the control records' own register, which it prepares as the step `match.decoys`. Control
    rows and control records pass through the same steps, parts and SQL as all others, and meet none of them: each
    blocking key says its side.
    Raises BadInput if the register is missing or damaged.
    """
    rows = lake.read_manifest(ctx.step("ingest.rows"))
    if rows is None:
        raise Fault("NO_ROWS", "match was started before ingest had committed its rows", where=ctx.batch)
    real, controls = register.open_register(ctx.register), prepare_controls(ctx)
    inputs = {"rows": _digests(rows), "register": register.version(ctx.register), "decoys": _digests(controls)}
    return find(ctx, inputs, rows, real, controls, ctx.agreement.tiers)


def prepare_controls(ctx: BatchContext) -> lake.Manifest:
    """The control records' own register, as the step `match.decoys`. Needs `ingest.decoys` alone, so that it can be
    prepared before the stage begins."""
    return register.build(
        ctx.step("ingest.decoys"),
        ctx.step("match.decoys"),
        runner=ctx.runner,
        duck=ctx.duck,
        progress=ctx.progress,
        origin=Origin.CONTROL,
    )


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
    inputs = {**inputs, "tiers": sorted(tiers), "logic": name_of_bytes(plan().encode()), "preparation": preparation()}
    paths = tuple(rows.paths("rows"))
    registers = {Origin.REQUEST: real, **({Origin.CONTROL: controls} if controls else {})}
    borne = {origin: tuple(one.paths("names")) for origin, one in registers.items()}
    persons = {origin: register.persons(one) for origin, one in registers.items()}
    asked = requests.Requests(paths, borne, place.duck)
    blocking = step(place.step("match.blocking"), inputs, [asked], requests.write)
    keys, names = blocking.paths("blocking_keys")[0], blocking.paths("names")[0]
    worker = compare.Compare(paths, keys, names, persons, place.duck)
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
    asked = requests.requests_sql("ROWS", "NAMES", dict.fromkeys(Origin, 1))
    steps = requests.steps("ROWS", {origin: f"NAMES_OF_{origin.name}" for origin in Origin})
    steps += compare.steps(asked, "BLOCKING_KEYS", "PERSONS", "ADDRESSES", Scan((), ()))
    steps += resolve.steps("ROWS", "CLASSIFIED", "PAIR_COUNTS", "OVERSIZED", "TRIED", tuple(Tier))
    steps.append(Step("candidates", "the contract: CANDIDATE", resolve.CANDIDATES))
    return printed([*steps, Step("tries", "the records on which each request is a try", resolve.TRIES)])
