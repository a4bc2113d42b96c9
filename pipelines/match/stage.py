"""The stage: requests and keys, one pass over each register part, one decision."""

from __future__ import annotations

from expectations.digests import of_bytes
from pipelines import lake, register
from pipelines.context import BatchContext
from pipelines.match import requests, resolve, score
from pipelines.match.steps import printed
from pipelines.register.prepare import preparation


def run(ctx: BatchContext) -> lake.Manifest:
    """Finds one register record at most for each open row of `ingest.rows`; commits the step `match.candidates`.

    Reads `ctx.register` and the decoys' own register, which it prepares as the step `match.decoys`. Requests are compared
    with decoy records and decoys with real ones too: a plausible record of the other kind makes a row ambiguous.
    Raises BadInput if the register is missing or damaged.
    """
    rows = lake.read_manifest(ctx.step("ingest.rows"))
    if rows is None:
        raise lake.Fault("NO_ROWS", "match was started before ingest had committed its rows", where=ctx.batch)
    real = register.open_register(ctx.register)
    decoys = register.build(
        ctx.step("ingest.decoys"), ctx.step("match.decoys"), runner=ctx.runner, duck=ctx.duck, progress=ctx.progress
    )
    inputs = {"logic": of_bytes(plan().encode()), "preparation": preparation(), "rows": _digests(rows), "register": register.version(ctx.register), "decoys": _digests(decoys)}  # fmt: skip
    asked = _requests(ctx, inputs, rows, real)
    scored = _scored(ctx, inputs, asked, real, decoys)
    item = resolve.Judged(
        tuple(asked.paths("requests")), tuple(scored.paths("judged")), tuple(scored.paths("hot")), ctx.duck
    )
    return lake.run_step(
        ctx.step("match.candidates"), inputs, [item], resolve.write, runner=ctx.runner, progress=ctx.progress
    )


def _requests(ctx: BatchContext, inputs: object, rows: lake.Manifest, real: lake.Manifest) -> lake.Manifest:
    item = requests.Requests(tuple(rows.paths("rows")), tuple(real.paths("names")), real.rows("persons"), ctx.duck)
    return lake.run_step(
        ctx.step("match.requests"), inputs, [item], requests.write, runner=ctx.runner, progress=ctx.progress
    )


def _scored(
    ctx: BatchContext, inputs: object, asked: lake.Manifest, real: lake.Manifest, decoys: lake.Manifest
) -> lake.Manifest:
    persons, addresses = ([[path] for path in real.paths(dataset)] for dataset in ("persons", "addresses"))
    persons[-1] += decoys.paths("persons")
    addresses[-1] += decoys.paths("addresses")
    items = [
        score.RegisterPart(number, tuple(p), tuple(a))
        for number, (p, a) in enumerate(zip(persons, addresses, strict=True))
    ]
    worker = score.Score(asked.paths("requests")[0], asked.paths("keys")[0], ctx.duck)
    return lake.run_step(ctx.step("match.scored"), inputs, items, worker, runner=ctx.runner, progress=ctx.progress)


def _digests(manifest: lake.Manifest) -> list[str]:
    return [part.digest for part in manifest.parts]


def plan() -> str:
    """The SQL of the stage, for people, with names in the place of paths."""
    return printed(
        [
            *requests.steps("ROWS", "NAMES", 1),
            *score.steps("REQUESTS", "KEYS", "PERSONS", "ADDRESSES"),
            *resolve.steps("REQUESTS", "JUDGED", "HOT"),
        ]
    )
