"""Ingest: the submission's own copy becomes canonical rows and rejects; screens that need no register are applied.

Steps `ingest.decoys` (the control rows), `ingest.decode` (which also finds duplicate ids), `ingest.judged` (row by row;
which also finds the crowded addresses) and `ingest.rows` (the rows there held as well), each committed for itself.
Taking the submission in (`submission.take_in`) comes before: it makes the copy that these steps read.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from expectations import address
from expectations.address import facilities
from expectations.base.digests import name_of_bytes
from expectations.base.duck import parquet
from expectations.base.errors import Fault
from expectations.facts import crowding
from expectations.facts import letter as facts
from expectations.rules.statutes import STATUTES, required_columns
from pipelines import control_rows, lake
from pipelines.context import BatchContext
from pipelines.ingest.decode import Decode, Duplicates, plan
from pipelines.ingest.rows import FindCrowded, Judge, Settle, judging
from pipelines.ingest.submission import take_in, taken_in

__all__ = ["letter_facts", "run", "take_in"]


def make_control_rows(item: dict[str, Any], attempt: lake.Attempt) -> Iterator[lake.Part]:
    """Worker of the step `ingest.decoys`. `item`: seed and legal elements, so that rules see them like any request."""
    made = control_rows.make(**item)
    for dataset in ("requests", "persons", "addresses", "expected"):
        yield attempt.write(dataset, 0, getattr(made, dataset))


def letter_facts(context: BatchContext) -> facts.LetterFacts:
    """Letter facts of the batch, from its own copy of letter and signature, and what passed before it."""
    taken = taken_in(context.files)
    letter = (taken.letter, taken.letter_bytes, taken.signature)
    dates = (context.decided_on, context.received_on)
    earlier = facts.Earlier.read(json.loads(context.earlier.read_text()))
    law = context.successors, context.determinations
    return facts.letter_facts(*letter, context.agreement, context.orders, *dates, earlier, *law)


def run(context: BatchContext, decoded_as: Callable[[str], None] = lambda _: None) -> lake.Manifest:
    """Runs the stage; gives the manifest of `ingest.rows` (dataset `rows`; counts of outcomes, `open` for null).
    `decoded_as` is told the relation of all raw rows, those of the control rows among them, before they are judged.
    Expects `context.files` and `context.disclosed`. Raises BadInput for a data file that is not what the letter says
    (see `decode`, `reading`, `blocks`); nothing of the batch is passed on then."""
    if not context.disclosed.exists():
        raise Fault("NO_EARLIER_DISCLOSURES", "the list of earlier disclosures was not put beside the batch")
    elements = _elements(context)
    with ThreadPoolExecutor(2, "controls") as meanwhile:
        meanwhile.submit(address.places, context.agreement.requester.premises)  # asked for by `judging`, and kept
        making = meanwhile.submit(context.run_step, "ingest.decoys", elements, [elements], make_control_rows)
        parts = plan(context.letter.files, context.files, context.part_rows)
        inputs = {"submission": context.submission, "part_rows": context.part_rows}
        decode = Decode(context.part_rows, context.duck, required_columns(context.letter.statute))
        decoded = context.run_step("ingest.decode", inputs, parts, decode, Duplicates(context.duck))
    made = making.result()
    decoded_as(parquet([*decoded.paths("raw"), *made.paths("requests")]))
    judged = _judged(context, made, decoded)
    rows = [p for p in judged.parts if p.dataset == "rows"]
    return context.run_step("ingest.rows", judged.digest, rows, Settle(judged.paths("crowded")[0], context.planned))


def _judged(context: BatchContext, made: lake.Manifest, decoded: lake.Manifest) -> lake.Manifest:
    """Every row with its own codes, and the list of the crowded ones."""
    query = judging(context, letter_facts(context), decoded.paths("duplicates"))
    limit = context.agreement.thresholds.persons_per_address
    inputs = {
        "raw": decoded.digest,
        "decoys": made.digest,
        "query": name_of_bytes(query.encode()),
        "hash_key": context.hash_key.fingerprint,
        "disclosed": name_of_bytes(context.disclosed.read_bytes()),
        "crowded": crowding.sql("rows", limit),
        "facilities": context.facilities_digest,
    }
    groups = lake.grouped(decoded, "raw", context.part_rows)
    # the control rows go with the last part: a query of their own would cost a second
    groups[-1] += tuple(made.paths("requests"))
    judge = Judge(query, context.hash_key, context.facilities, context.planned)
    return context.run_step(
        "ingest.judged", inputs, list(enumerate(groups)), judge, FindCrowded(limit, context.planned)
    )


def _elements(context: BatchContext) -> dict[str, Any]:
    """Seed and legal elements of the control rows: such as this letter's own rows must have. And the lists that are
    not about them."""
    letter, thresholds = context.letter, context.agreement.thresholds
    statute = STATUTES.get(letter.statute)
    own = facilities.read(context.facilities) if context.facilities else facilities.Facilities()
    under = {n: getattr(thresholds, n) for n in statute.thresholds} if statute else {}
    return {
        "seed": context.submission,
        "officer": letter.officers[0].id if letter.officers else "",
        "reason": "The defendant's address is needed to serve notice of the proceeding.",
        "taxable_period": str(letter.date.year - 1),
        "elements": dict(statute.example(letter.date, under)) if statute else {},
        "decided_on": context.decided_on,
        "avoid": [*own.phrases, *own.addresses, *context.agreement.requester.premises],
    }
