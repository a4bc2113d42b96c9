"""Ingest: the submission's own copy becomes canonical rows and rejects; screens that need no register are applied.

Steps `ingest.decoys`, `ingest.decode` (which also finds ids that stand twice), `ingest.judged` (row by row; which also finds the
crowded addresses) and `ingest.rows` (the rows there held as well), each committed for itself. Taking the submission in
(`submission.take_in`) comes before: it makes the copy that these steps read.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from expectations.digests import of_bytes, of_json
from expectations.errors import Fault
from expectations.facts import crowding
from expectations.facts import letter as facts
from expectations.rules.statutes import STATUTES, required_columns
from pipelines import decoys, lake
from pipelines.context import BatchContext
from pipelines.ingest.crowds import FindCrowded, Settle
from pipelines.ingest.decode import Decode, Duplicates, plan
from pipelines.ingest.rows import Judge, RowsWork, judging
from pipelines.ingest.submission import TakenIn, take_in, taken_in, verify_signature

__all__ = ["TakenIn", "letter_facts", "run", "take_in", "taken_in", "verify_signature"]


@dataclass(frozen=True)
class MakeDecoys:
    """Worker of the step `ingest.decoys`. The item: seed and legal elements, so that decoys are judged like any request."""

    make: Callable[..., Any]

    def __call__(self, item: dict[str, Any], attempt: lake.Attempt) -> Iterator[lake.Part]:
        made = self.make(**item)
        for dataset in ("requests", "persons", "addresses", "expected"):
            yield attempt.write(dataset, 0, getattr(made, dataset))


def letter_facts(context: BatchContext) -> facts.LetterFacts:
    """Letter facts of the batch, from its own copy of letter and signature, and what passed before it."""
    taken = taken_in(context.files)
    return facts.letter_facts(
        taken.letter, taken.letter_bytes, taken.signature, context.agreement, context.orders,
        context.decided_on, context.received_on, facts.Earlier(**json.loads(context.earlier.read_text())),
        context.successors,
    )  # fmt: skip


def run(context: BatchContext, *, make_decoys: Callable[..., Any] = decoys.make) -> lake.Manifest:
    """Runs the stage and returns the manifest of `ingest.rows` (dataset `rows`; counts of outcomes by name, `open` for null).

    Expects `context.files` and `context.disclosed`. Raises BadInput for a data file that is not what the letter says (see
    `decode`, `reading`, `blocks`); nothing of the batch is passed on then.
    """
    if not context.disclosed.exists():
        raise Fault("NO_EARLIER_DISCLOSURES", "the list of earlier disclosures was not put beside the batch")
    made = _step(context, "ingest.decoys", _elements(context), [_elements(context)], MakeDecoys(make_decoys))
    work = plan(context.letter.files, context.files, context.part_rows)
    decoded = _step(
        context, "ingest.decode", {"submission": context.submission, "part_rows": context.part_rows}, work,
        Decode(context.part_rows, context.duck, required_columns(context.letter.statute)), Duplicates(context.duck),
    )  # fmt: skip
    judged = _judged(context, made, decoded)
    return _step(
        context, "ingest.rows", judged.digest, [p for p in judged.parts if p.dataset == "rows"],
        Settle(judged.paths("crowded")[0], context.duck),
    )  # fmt: skip


def _judged(context: BatchContext, made: lake.Manifest, decoded: lake.Manifest) -> lake.Manifest:
    """Every row with its own codes, and the list of the crowded ones."""
    query = judging(context, letter_facts(context), decoded.paths("duplicates"))
    limit = context.agreement.thresholds.persons_per_address
    inputs = {
        "raw": _digests(decoded), "decoys": _digests(made), "query": of_bytes(query.encode()),
        "disclosed": of_bytes(context.disclosed.read_bytes()),
        "crowded": crowding.sql("rows", limit), "facilities": context.facilities_digest,
    }  # fmt: skip
    groups = lake.grouped(decoded, "raw", context.part_rows)
    groups[-1] += tuple(made.paths("requests"))
    parts = [RowsWork(index, paths) for index, paths in enumerate(groups)]
    return _step(
        context,
        "ingest.judged",
        inputs,
        parts,
        Judge(query, context.facilities, context.duck),
        FindCrowded(limit, context.duck),
    )


def _step(
    context: BatchContext,
    name: str,
    inputs: Any,
    items: list[Any],
    worker: lake.Worker,
    then: lake.Worker | None = None,
) -> lake.Manifest:
    return lake.run_step(
        context.step(name), inputs, items, worker, then=then, runner=context.runner, progress=context.progress
    )  # fmt: skip


def _digests(manifest: lake.Manifest) -> str:
    return of_json([(p.dataset, p.index, p.digest) for p in manifest.parts])


def _elements(context: BatchContext) -> dict[str, Any]:
    """Seed and legal elements of the decoys: such as this letter's own rows must have."""
    letter, under = context.letter, context.agreement.thresholds
    statute = STATUTES.get(letter.statute)
    return {
        "seed": context.submission,
        "officer": letter.officers[0].id if letter.officers else "",
        "reason": "The defendant's address is needed to serve notice of the proceeding.",
        "taxable_period": str(letter.date.year - 1),
        "elements": dict(statute.example(letter.date, {n: getattr(under, n) for n in statute.thresholds}))
        if statute
        else {},
    }
