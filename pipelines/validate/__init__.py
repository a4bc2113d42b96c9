"""Validate: matched rows × facts on file → eligible or held, each with its codes."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from expectations.base import digests
from expectations.base.duck import FEW, DuckSettings, parquet
from expectations.base.errors import Fault
from expectations.base.hash_key import HashKey
from expectations.base.total import total
from expectations.contracts.lists import Origin
from expectations.facts import corroboration
from expectations.facts.letter import register_facts
from expectations.facts.sql import beside_verdict
from expectations.rules import disclosure
from pipelines import lake, register
from pipelines.context import BatchContext
from pipelines.lake import Attempt, Manifest, Part
from pipelines.lake.sql import copy, quiet
from pipelines.validate import facts, tries, verdicts

_MATCHED = "validate.matched"
# Rows of each origin see their own register only.
_REGISTERS: Mapping[Origin, Callable[[BatchContext], Manifest]] = total(
    Origin,
    {
        Origin.REQUEST: lambda ctx: register.open_register(ctx.register),
        Origin.CONTROL: lambda ctx: lake.committed(ctx.step("match.decoys")),
    },
)
_PARSED = ("a_kind", "a_number", "a_street", "a_unit", "a_urb", "a_city", "a_state", "a_zip")


def run(ctx: BatchContext) -> Manifest:
    """Runs the stage; needs `ingest.rows`, `match.candidates`, `match.decoys` and the prepared register.

    Returns the step `validate.verdicts` with the dataset verdicts (`contracts.VERDICT`, one row for each candidate that
    is a match). What was tried now is in the step `validate.tries`. Raises BadInput if the register is missing or
    damaged, Fault if a step that it needs is not there.
    """
    found = _matched(ctx)
    agreed = register_facts(ctx.agreement, ctx.standing, ctx.decided_on, ctx.lists)
    constants, counting = beside_verdict(agreed), corroboration.counts(agreed)
    known, tried = _known_and_tried(ctx, found, counting)
    listed = digests.name_of_file(ctx.persons) if ctx.persons else None
    # rules or address SQL that changed since a crash must not be skipped over
    rules = [[r.predicate for r in disclosure.RULES.values()], corroboration.sql("m", "facts", counting)]
    inputs = [found.digest, known.digest, tried.digest, constants, listed, rules, ctx.facilities_digest]
    parts = tuple(found.paths("matched")), tuple(known.paths("on_file")), tuple(known.paths("units"))
    counts = tuple(tried.paths("counted"))
    worker = verdicts.Verdicts(*parts, counts, constants, ctx.persons, counting, ctx.facilities, ctx.planned)
    groups = lake.grouped(found, "matched", ctx.part_rows)  # the address SQL costs more to plan than to run
    return ctx.run_step(verdicts.STEP, inputs, list(enumerate(groups)), worker)


def _matched(ctx: BatchContext) -> Manifest:
    rows, candidates = lake.committed(ctx.step("ingest.rows")), lake.committed(ctx.step("match.candidates"))
    keys = ctx.sql_person_key("c.record_id"), ctx.sql_values_key()
    worker = Matched(tuple(candidates.paths("candidates")), *keys, ctx.hash_key, ctx.planned)
    inputs = [rows.digest, candidates.digest, ctx.hash_key.fingerprint]
    return ctx.run_step(_MATCHED, inputs, list(enumerate(rows.paths("rows"))), worker)


def registers(ctx: BatchContext) -> dict[Origin, Manifest]:
    """The prepared register of each origin: where its rows are looked up, and nowhere else."""
    return {origin: of(ctx) for origin, of in _REGISTERS.items()}


def _known_and_tried(ctx: BatchContext, found: Manifest, counting: str) -> tuple[Manifest, Manifest]:
    """What is on file and what was tried: neither needs the other. Of few rows both take little but planning, and are
    worked out at the same time; of many, each has the memory for itself."""
    if sum(f.rows for f in ctx.letter.files) > FEW:
        return _facts(ctx, found, counting), _tries(ctx)
    with ThreadPoolExecutor(1, "facts") as meanwhile:
        known = meanwhile.submit(_facts, ctx, found, counting)
        tried = _tries(ctx)
    return known.result(), tried


def _tries(ctx: BatchContext) -> Manifest:
    rows, candidates = lake.committed(ctx.step("ingest.rows")), lake.committed(ctx.step("match.candidates"))
    if not candidates.paths("tries"):
        remedy = "Its requester sends it again once it has expired."
        raise Fault("MATCH_OUTDATED", "the batch was matched by an older version", where=ctx.batch, remedy=remedy)
    keys = ctx.sql_person_key("t.record_id"), ctx.sql_values_key()
    each = tries.Tried(tuple(candidates.paths("tries")), *keys, ctx.hash_key, ctx.planned)
    parts = list(enumerate(rows.paths("rows")))
    tried = ctx.run_step(tries.TRIED, [rows.digest, candidates.digest, ctx.hash_key.fingerprint], parts, each)
    together = ctx.sql_together_key()
    once = tries.Tries(tuple(tried.paths("tried")), str(ctx.tries), together, ctx.hash_key, ctx.planned)
    inputs = [tried.digest, ctx.hash_key.fingerprint, digests.name_of_file(ctx.tries), tries.counted("", "")]
    return ctx.run_step(tries.STEP, inputs, [0], once)


def _facts(ctx: BatchContext, found: Manifest, counting: str) -> Manifest:
    known = {origin.value: register for origin, register in registers(ctx).items()}
    inputs = [found.digest, {origin: register.digest for origin, register in known.items()}, counting]
    worker = facts.Facts(tuple(found.paths("matched")), counting, ctx.duck)
    return ctx.run_step(facts.STEP, inputs, facts.asked(known), worker)


@dataclass(frozen=True)
class Matched:
    """Worker: (index, path of a part of `ingest.rows`) → one part of `matched`."""

    candidates: tuple[str, ...]
    person_key: str  # SQL, as is the next
    values_key: str
    hash_key: HashKey
    duck: DuckSettings

    def __call__(self, item: tuple[int, str], attempt: Attempt) -> Iterator[Part]:
        index, path = item
        # a row that ended in ingest is never looked at again, whatever the candidates say
        query = f"""
        SELECT r.ordinal, r.origin, c.record_id, {self.person_key} AS person_key, {self.values_key} AS values_key,
          {", ".join(f"r.{c}" for c in _PARSED)}
        FROM {parquet([path])} r
          JOIN {parquet(list(self.candidates))} c ON r.ordinal = c.ordinal AND r.origin = c.origin
        WHERE r.outcome IS NULL AND c.outcome IS NULL"""
        with quiet(_MATCHED, self.duck) as connection:
            self.hash_key.install(connection)
            copy(connection, query, attempt.path("matched", index))
        yield attempt.part("matched", index)
