"""Validate: matched rows × facts on file → eligible or held, each with its codes."""

from __future__ import annotations

from expectations import corroboration, digests
from expectations import facts as letter
from expectations.contracts import Origin
from expectations.rules import disclosure
from pipelines import lake, register
from pipelines.context import BatchContext
from pipelines.lake import Manifest
from pipelines.validate import facts, matched, verdicts


def run(ctx: BatchContext) -> Manifest:
    """Runs the stage; needs `ingest.rows`, `match.candidates`, `match.decoys` and the prepared register.

    Returns the step `validate.verdicts` with the datasets verdicts (`contracts.VERDICT`, one row for each candidate that is
    a match) and tries (person_key, address_key: what was tried now). Raises BadInput if the register is missing or damaged, Fault if a step that it needs is not there.
    """
    found = _matched(ctx)
    known = _facts(ctx, found)
    tries = digests.of_file(ctx.tries)
    constants = letter.register_constants(letter.register_facts(ctx.agreement, ctx.standing))
    listed = digests.of_file(ctx.persons) if ctx.persons else None
    paths = found.paths("matched")
    # rules or address SQL that changed since a crash must not be skipped over
    rules = [[r.predicate for r in disclosure.RULES.values()], corroboration.sql("m", "facts", _counting(ctx))]
    return lake.run_step(
        ctx.step(verdicts.STEP),
        [found.digest, known.digest, tries, constants, listed, rules, ctx.facilities_digest],
        list(
            enumerate(lake.grouped(found, "matched", ctx.part_rows))
        ),  # the address SQL costs more to plan than to run
        verdicts.Verdicts(
            tuple(paths),
            tuple(known.paths("on_file")),
            tuple(known.paths("units")),
            str(ctx.tries),
            constants,
            ctx.persons,
            _counting(ctx),
            ctx.facilities,
            ctx.duck,
        ),
        runner=ctx.runner,
        progress=ctx.progress,
    )


def _counting(ctx: BatchContext) -> str:
    return corroboration.counts(letter.address_facts(ctx.agreement, ctx.decided_on))


def _matched(ctx: BatchContext) -> Manifest:
    rows, candidates = lake.committed(ctx.step("ingest.rows")), lake.committed(ctx.step("match.candidates"))
    worker = matched.Matched(
        tuple(candidates.paths("candidates")), ctx.sql_person_key("c.record_id"), ctx.sql_address_key(), ctx.duck
    )
    return lake.run_step(
        ctx.step(matched.STEP),
        [rows.digest, candidates.digest],
        list(enumerate(rows.paths("rows"))),
        worker,
        runner=ctx.runner,
        progress=ctx.progress,
    )


def _facts(ctx: BatchContext, found: Manifest) -> Manifest:
    registers = {
        Origin.REQUEST.value: register.open_register(ctx.register),
        Origin.CONTROL.value: lake.committed(ctx.step("match.decoys")),
    }
    counting = _counting(ctx)
    return lake.run_step(
        ctx.step(facts.STEP),
        [found.digest, {origin: register.digest for origin, register in registers.items()}, counting],
        facts.asked(registers),
        facts.Facts(tuple(found.paths("matched")), counting, ctx.duck),
        runner=ctx.runner,
        progress=ctx.progress,
    )
